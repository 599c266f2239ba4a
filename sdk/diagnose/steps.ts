// Steps of a diagnosis: each tried in turn, with what to do where one fails. Knows no sockets.
import { asQiwayError, type QiwayError } from '@qiway/protocol/errors';

export type StepState = 'ok' | 'failed' | 'skipped';

export interface StepReport {
  readonly name: string;
  readonly state: StepState;
  /** What was found. */
  readonly detail: string;
  /** What to do; only of a failed step, and said once. */
  readonly advice?: string;
}

export interface Step {
  readonly name: string;
  /** Resolves to what was found; `skipped`: this cannot be told, or is no question here. @throws to fail */
  readonly run: () => Promise<string | Skipped> | string | Skipped;
  readonly advice: (error: QiwayError) => string;
  /** Later steps make sense although this one failed. */
  readonly isOptional?: boolean;
}

export interface Skipped {
  readonly skipped: string;
}

/** Runs steps until one fails; the rest are skipped. `report` hears of each as it ends. Never rejects. */
export async function runSteps(
  steps: readonly Step[],
  report: (step: StepReport) => void,
): Promise<readonly StepReport[]> {
  const reports: StepReport[] = [];
  let isBroken = false;
  for (const step of steps) {
    const done = isBroken ? skip(step) : await attempt(step);
    if (done.state === 'failed' && step.isOptional !== true) isBroken = true;
    const { advice, ...rest } = done;
    const told = reports.some((before) => before.advice === advice) ? rest : done;
    reports.push(told);
    report(told);
  }
  return reports;
}

function skip({ name }: Step): StepReport {
  return { name, state: 'skipped', detail: 'needs the steps before' };
}

async function attempt({ name, run, advice }: Step): Promise<StepReport> {
  try {
    const found = await run();
    return typeof found === 'string'
      ? { name, state: 'ok', detail: found }
      : { name, state: 'skipped', detail: found.skipped };
  } catch (thrown) {
    const error = asQiwayError(thrown);
    return { name, state: 'failed', detail: error.message, advice: advice(error) };
  }
}

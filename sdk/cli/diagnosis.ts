// The steps of `qiway doctor`: each tried in turn, with what to do where one fails. Command line; knows no sockets.
import { asQiwayError } from '@qiway/protocol/errors';

export type StepState = 'ok' | 'failed' | 'skipped';

export interface StepReport {
  readonly name: string;
  readonly state: StepState;
  /** What was found. */
  readonly detail: string;
  /** What to do; only of a failed step. */
  readonly advice?: string;
}

export interface Step {
  readonly name: string;
  /** Resolves to what was found. @throws to fail */
  readonly run: () => Promise<string> | string;
  readonly advice: (error: { readonly code: string; readonly message: string }) => string;
  /** Later steps make sense although this one failed. */
  readonly isOptional?: boolean;
}

/** Runs steps until one fails; the rest are skipped. `report` hears of each as it ends. */
export async function diagnose(
  steps: readonly Step[],
  report: (step: StepReport) => void,
): Promise<readonly StepReport[]> {
  const reports: StepReport[] = [];
  let isBroken = false;
  for (const step of steps) {
    const done = isBroken ? skip(step) : await attempt(step);
    if (done.state === 'failed' && step.isOptional !== true) isBroken = true;
    reports.push(done);
    report(done);
  }
  return reports;
}

function skip({ name }: Step): StepReport {
  return { name, state: 'skipped', detail: 'needs the steps before' };
}

async function attempt({ name, run, advice }: Step): Promise<StepReport> {
  try {
    return { name, state: 'ok', detail: await run() };
  } catch (thrown) {
    const error = asQiwayError(thrown);
    return { name, state: 'failed', detail: error.message, advice: advice(error) };
  }
}

/** One report as a line or two. */
export function printStep({ name, state, detail, advice }: StepReport): string {
  const line = `${state.padEnd(8)}${name}: ${detail}\n`;
  return advice === undefined ? line : `${line}        → ${advice}\n`;
}

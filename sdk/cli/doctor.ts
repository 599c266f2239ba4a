// `qiway doctor`: is the robot usable from here, and if not, what to do. The SDK's diagnosis, printed. Command line.
import { diagnose, type StepReport } from '../index.ts';
import { jsonText, type Surroundings } from './terminal.ts';
import { EXIT, type Invocation } from './usage.ts';

/** Without --url there is nothing to look at, and the first step says so. */
const NO_URL = '';

/** The exit code. */
export async function doctor(invocation: Invocation, { terminal }: Pick<Surroundings, 'terminal'>): Promise<number> {
  const { url = NO_URL, json, timeoutMs } = invocation;
  const { isOk, steps } = await diagnose(url, {
    ...(timeoutMs > 0 && { timeoutMs: Math.min(timeoutMs, MAX_STEP_MS) }),
    onStep: (step) => {
      if (!json) terminal.out(printStep(step));
    },
  });
  if (json) terminal.out(jsonText(steps, true));
  return isOk ? EXIT.ok : EXIT.failed;
}

/** Whoever waits for the answer of a call for minutes still wants to know soon what is wrong. */
const MAX_STEP_MS = 10_000;

/** One report as a line or two. */
export function printStep({ name, state, detail, advice }: StepReport): string {
  const line = `${state.padEnd(8)}${name}: ${detail}\n`;
  return advice === undefined ? line : `${line}        → ${advice}\n`;
}

// `node scripts/soak.ts --seeds 1000000 --from 1`: simulations of sessions for hours, on all cores; what fails is told with
// its seed at once. With `--trace`, one after the other, each line of what happens. Tooling; not part of the tests.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';

/** Seeds for one worker; it answers with a {@link SoakResult}. */
export interface SoakTask {
  readonly from: number;
  readonly seeds: number;
  readonly trace: boolean;
}

export interface SoakResult {
  readonly seeds: number;
  readonly calls: number;
  readonly runs: number;
  readonly events: number;
  readonly cables: number;
  readonly virtualMs: number;
  readonly failures: readonly { readonly seed: number; readonly violation: string }[];
}

/** Small enough that progress is seen, and all cores end at about the same time. */
const SEEDS_A_TASK = 500;
const PROGRESS_EVERY_MS = 10_000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100000' },
    from: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
  },
});
const from = readCount('from', values.from);
const end = from + readCount('seeds', values.seeds);
const { trace } = values;

const total = { seeds: 0, calls: 0, runs: 0, events: 0, cables: 0, virtualMs: 0, failed: 0 };
const beganMs = performance.now();
let next = from;

const timer = setInterval(() => process.stderr.write(`${summary()}\n`), PROGRESS_EVERY_MS);
await Promise.all(Array.from({ length: trace ? 1 : availableParallelism() }, work));
clearInterval(timer);
process.stdout.write(`${summary()}\n`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** One worker, until no seeds are left. */
function work(): Promise<void> {
  const worker = new Worker(new URL('../test/simulation/soak-worker.ts', import.meta.url));
  return new Promise((resolve, reject) => {
    const goOn = (): void => {
      if (next >= end) {
        worker.postMessage('end'); // it ends when all it has to say is said
        return;
      }
      const seeds = Math.min(SEEDS_A_TASK, end - next);
      worker.postMessage({ from: next, seeds, trace } satisfies SoakTask);
      next += seeds;
    };
    worker.on('error', reject);
    worker.on('exit', () => resolve());
    worker.on('message', (result: SoakResult) => {
      take(result);
      goOn();
    });
    goOn();
  });
}

function take({ failures, ...counts }: SoakResult): void {
  for (const [name, count] of Object.entries(counts)) total[name as keyof typeof counts] += count;
  total.failed += failures.length;
  for (const { seed, violation } of failures) process.stdout.write(`FAILED  seed ${seed}: ${violation}\n`);
}

function summary(): string {
  const { seeds, calls, runs, events, cables, virtualMs, failed } = total;
  const seconds = (performance.now() - beganMs) / 1000;
  const hours = (virtualMs / 3_600_000).toFixed(1);
  return `${seeds} seeds in ${seconds.toFixed(0)} s (${(seeds / seconds).toFixed(0)} a second), ${failed} failed; ${calls} calls made, ${runs} run, ${events} events heard, over ${cables} links in ${hours} hours of virtual time`;
}

function readCount(name: string, text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 0) return count;
  process.stderr.write(`--${name} must be a whole number, not ${text}.\n`);
  process.exit(2);
}

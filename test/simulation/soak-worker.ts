// Runs simulations for scripts/soak.ts, in a thread. Support of the tests.
import { parentPort } from 'node:worker_threads';
import type { SoakResult, SoakTask } from '../../scripts/soak.ts';
import { simulate } from './simulation.ts';

parentPort?.on('message', async (task: SoakTask | 'end') => {
  if (task === 'end') return parentPort?.close();
  const { from, seeds, trace } = task;
  const failures: { seed: number; violation: string }[] = [];
  const counts = { calls: 0, runs: 0, events: 0, cables: 0, virtualMs: 0 };
  for (let seed = from; seed < from + seeds; seed += 1) {
    const report = await simulate({ seed, trace: trace ? (line) => process.stdout.write(`${line}\n`) : undefined });
    counts.calls += report.calls;
    counts.runs += report.runs;
    counts.events += report.events;
    counts.cables += report.cables;
    counts.virtualMs += report.virtualMs;
    if (report.violation !== undefined) failures.push({ seed, violation: report.violation });
  }
  parentPort?.postMessage({ ...counts, seeds, failures } satisfies SoakResult);
});

// Starts the SharedWorker that owns the links of an origin, or finds the one that runs. Bundlers look for the literal below.
import type { WorkerChoice } from './worker-choice.ts';

/** One for all tabs that have the same file. */
const NAME = 'qiway';

/** @throws `SecurityError` where the file is of another origin */
export function startWorker(choice: Exclude<WorkerChoice, false> | undefined): SharedWorker {
  if (choice === undefined)
    return new SharedWorker(new URL('./worker.ts', import.meta.url), { type: 'module', name: NAME });
  if (typeof choice === 'object' && 'port' in choice) return choice as SharedWorker;
  return new SharedWorker(typeof choice === 'string' ? choice : choice.href, { type: 'module', name: NAME });
}

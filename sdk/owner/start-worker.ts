// Starts the SharedWorker that owns the links of an origin, or finds the one that runs.
import type { WorkerChoice } from './worker-choice.ts';

/**
 * `name`: one worker for all tabs that have the same file. `extendedLifetime`, where the browser has it: the worker outlives a
 * page that is loaded again, for some seconds. The literals are what bundlers look for.
 * @throws `SecurityError` where the file is of another origin
 */
export function startWorker(choice: Exclude<WorkerChoice, false> | undefined): SharedWorker {
  if (choice === undefined)
    return new SharedWorker(new URL('./worker.ts', import.meta.url), {
      type: 'module',
      name: 'qiway',
      extendedLifetime: true,
    } as WorkerOptions);
  if (typeof choice === 'object' && 'port' in choice) return choice as SharedWorker;
  const options = { type: 'module', name: 'qiway', extendedLifetime: true } as WorkerOptions;
  return new SharedWorker(typeof choice === 'string' ? choice : choice.href, options);
}

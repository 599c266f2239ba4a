// The end of `npm start` while it still loads and builds: nothing is to be taken back then. Tooling; loads nothing itself.
import { readFileSync } from 'node:fs';

/** How often to look whether the shell that npm started us in is still there. */
const SHELL_LOOK_MS = 250;

/** Signals that ask for an end. */
export const ENDING = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Ends the process at once when it is asked to, until whoever has more to do takes these listeners away. */
export function endAtOnceWhenAsked(): void {
  for (const name of ENDING) process.on(name, () => process.exit(0));
}

/** npm runs a program in a shell that dies of SIGTERM without passing it on: the program then ends by itself. */
export function endWithShellOfNpm(): void {
  if (process.env['npm_lifecycle_event'] !== 'start') return;
  const shell = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === shell && !isOrphan(shell)) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, SHELL_LOOK_MS);
  timer.unref();
}

/** The shell ended before we first looked. In a container, process 1 may be npm itself. */
function isOrphan(parent: number): boolean {
  if (parent !== 1) return false;
  try {
    return !/npm|pnpm|yarn|bun/.test(readFileSync('/proc/1/cmdline', 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}

// What is checked without running the product: each check is one program. Tooling.

import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';

/** Root of the repository. */
export const root: string = dirname(import.meta.dirname);

export interface CheckOutcome {
  readonly name: string;
  readonly hasPassed: boolean;
}

const checks = [
  // --force, because an incremental build keeps what it found before a tsconfig changed; whole, it takes seconds.
  { name: 'check: types', command: 'tsc', args: ['--build', '--force', '--pretty', 'false'] },
  {
    name: 'check: format, lint and direction of imports',
    command: 'biome',
    args: ['ci', '--error-on-warnings', '--max-diagnostics=200', '--colors=off'],
  },
] as const;

/** Runs every check, shows what the failing ones say, and tells the outcomes. */
export function runChecks(): readonly CheckOutcome[] {
  return checks.map(({ name, command, args }) => {
    const program = join(root, 'node_modules', '.bin', command);
    const outcome = spawnSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
    const hasPassed = outcome.status === 0;
    if (!hasPassed) {
      const said = `${outcome.stdout ?? ''}${outcome.stderr ?? ''}`.trimEnd() || String(outcome.error?.message);
      process.stdout.write(`${said}\n\n${name}: failed. Format and simple faults: npm run fix\n\n`);
    }
    return { name, hasPassed };
  });
}

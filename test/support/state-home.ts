// Around the tests that start programs: what these keep goes into a folder that ends with the run, not into the home of who
// runs the tests, where the next agent at the same port would take it for its own. And what Node made of their sources: a
// program that is started again is there in half the time.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const VARIABLES = { XDG_STATE_HOME: '', NODE_COMPILE_CACHE: 'compile-cache' } as const;

/** Of each project under way: the folder, and what the variables were before. */
const made: { readonly folder: string; readonly before: Readonly<Record<string, string | undefined>> }[] = [];

export function setup(): void {
  const folder = mkdtempSync(join(tmpdir(), 'qiway-state-home-'));
  made.push({ folder, before: Object.fromEntries(Object.keys(VARIABLES).map((name) => [name, process.env[name]])) });
  for (const [name, below] of Object.entries(VARIABLES)) process.env[name] = join(folder, below);
}

export function teardown(): void {
  const last = made.pop();
  if (last === undefined) return;
  // A program that ends late may still write there.
  rmSync(last.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  for (const [name, value] of Object.entries(last.before)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

// Around the tests that start programs: what agents keep goes into a folder that ends with the run, not into the home of
// who runs the tests, where the next agent at the same port would take it for its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const VARIABLE = 'XDG_STATE_HOME';

/** Of each project under way: the folder, and what the variable was before. */
const made: { readonly folder: string; readonly before: string | undefined }[] = [];

export function setup(): void {
  const folder = mkdtempSync(join(tmpdir(), 'qiway-state-home-'));
  made.push({ folder, before: process.env[VARIABLE] });
  process.env[VARIABLE] = folder;
}

export function teardown(): void {
  const last = made.pop();
  if (last === undefined) return;
  rmSync(last.folder, { recursive: true, force: true });
  if (last.before === undefined) delete process.env[VARIABLE];
  else process.env[VARIABLE] = last.before;
}

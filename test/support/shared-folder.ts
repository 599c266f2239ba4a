// A folder that the first test file of a run to ask for it fills, and all others use: a build, a package. It goes with what the run
// keeps (state-home.ts). Not to be changed by who uses it.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { makeScratchFolder } from './checkout-copy.ts';

export interface SharedFolder {
  readonly folder: string;
  /** Where there is no run, it is of who asked. */
  remove(): void;
}

/** How often another process is looked after that fills the folder, ms. */
const LOOK_MS = 100;

/** @param fill gets an empty folder. When it fails, the next one who asks tries again */
export async function sharedFolder(name: string, fill: (folder: string) => Promise<void>): Promise<SharedFolder> {
  const home = process.env['XDG_STATE_HOME'];
  if (home === undefined) {
    const folder = makeScratchFolder(name);
    await fill(folder);
    return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
  }
  const folder = join(home, `shared-${name}`);
  const filled = `${folder}.filled`;
  const shared: SharedFolder = { folder, remove: () => {} };
  while (!existsSync(filled)) {
    if (!take(folder)) {
      await pause(LOOK_MS);
      continue;
    }
    try {
      await fill(folder);
      writeFileSync(filled, '');
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }
  return shared;
}

/** False: somebody else has made it. */
function take(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

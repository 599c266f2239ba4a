// One setup at a time in a checkout; a lock whose owner died is taken over.
// Plain JavaScript for Node 18 and later; part of setup.

import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How often a waiting setup looks again, ms. */
const pollMs = 200;

/** How long a setup waits for another, ms: a slow network may take minutes, an hour means that something hangs. */
const patienceMs = 3_600_000;

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Links a file that already holds our pid, so that nobody ever sees a lock without an owner. */
function tryLock(lockFile) {
  const own = `${lockFile}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, lockFile);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(own, { force: true });
  }
}

function ownerOf(lockFile) {
  try {
    return Number(readFileSync(lockFile, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Runs `work` while no other process of this checkout does. */
export async function holdingLock(root, say, work) {
  const lockFile = join(root, '.setup-lock');
  const deadline = Date.now() + patienceMs;
  let hasSaid = false;
  while (!tryLock(lockFile)) {
    const owner = ownerOf(lockFile);
    if (owner !== undefined && !isAlive(owner)) {
      if (ownerOf(lockFile) === owner) rmSync(lockFile, { force: true });
      continue;
    }
    if (!hasSaid) say(`waiting for another setup (process ${owner ?? 'unknown'})`);
    hasSaid = true;
    if (Date.now() > deadline)
      throw new Error(
        `another setup (process ${owner}) does not end. Stop it, remove .setup-lock, then run this again.`,
      );
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const release = () => {
    if (ownerOf(lockFile) === process.pid) rmSync(lockFile, { force: true });
  };
  process.once('exit', release);
  try {
    return await work();
  } finally {
    release();
    process.removeListener('exit', release);
  }
}

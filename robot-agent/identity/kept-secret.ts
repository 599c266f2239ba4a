// A secret in a file: made once whoever else starts at the same time, read by this user alone. Knows nothing of its contents.

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { QiwayError } from '@qiway/protocol/errors';

/** The text of the file; if there is none, the file is made with `make()`, and of several who do so at once one wins. */
export function keepSecret(path: string, make: () => string): string {
  const found = readSecret(path);
  if (found !== undefined) return found;
  const text = make();
  const fresh = `${path}.${randomBytes(8).toString('hex')}`;
  write(fresh, text);
  try {
    // Unlike a rename it replaces nothing, and the file is whole when its name appears.
    unlessThere(() => linkSync(fresh, path));
  } catch {
    // No hard links on this file system.
    unlessThere(() => write(path, text));
  } finally {
    unlinkSync(fresh);
  }
  const kept = readSecret(path);
  if (kept === undefined) throw unusable(path, 'was removed while the agent started');
  return kept;
}

/** A new file, for this user alone. */
function write(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function unlessThere(makeFile: () => void): void {
  try {
    makeFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Undefined when there is no such file. @throws `config-invalid` when others may read it, or we may not */
export function readSecret(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw unusable(path, `cannot be read (${code}); it belongs to another user`);
  }
  try {
    const status = fstatSync(file);
    if (!status.isFile()) throw unusable(path, 'is no file');
    if (process.platform !== 'win32' && (status.mode & 0o077) !== 0)
      throw unusable(
        path,
        `may be read by other users, who could pose as this robot; run chmod 600 ${path}, or delete it if others have read it: the robot then gets a new id`,
      );
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

export function unusable(path: string, why: string): QiwayError {
  return new QiwayError('config-invalid', `--state: ${path} ${why}.`, { data: { key: 'state' } });
}

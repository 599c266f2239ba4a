// The journal's file: one SQLite database, of which this process is the only user. Knows rows, not what they mean.
import { closeSync, existsSync, openSync, renameSync } from 'node:fs';
import { asQiwayError, QiwayError } from '@qiway/protocol/errors';
import type { Logger } from '../logger.ts';

type Sqlite = typeof import('node:sqlite');
export type Database = InstanceType<Sqlite['DatabaseSync']>;

/** SQLite's result codes (sqlite.org/rescode.html). */
const BUSY = 5;
const CORRUPT = 11;
export const FULL = 13;
const NOT_A_DATABASE = 26;

/** Raised when the table changes: a file of another version is moved aside. */
const VERSION = 1;

// `begun`: order and age, in ms of time that agents ran with this file, since a robot's calendar jumps when it finds a network.
const SCHEMA = `
  CREATE TABLE journal (id TEXT NOT NULL);
  CREATE TABLE calls (
    client TEXT NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL,
    begun REAL NOT NULL,
    bytes INTEGER NOT NULL,
    detail TEXT,
    payload BLOB,
    PRIMARY KEY (client, key)
  );
  CREATE INDEX calls_by_age ON calls (begun);
  PRAGMA user_version = ${VERSION};
`;

/**
 * Opens the file, or makes it. One that cannot be read is moved aside, with a warning.
 * @param path undefined: in memory
 * @throws `config-invalid` when the file cannot be used, or another agent uses it
 */
export function openDatabase(path: string | undefined, logger: Logger, newId: () => string): Database {
  const { DatabaseSync } = loadSqlite();
  if (path === undefined) return prepared(new DatabaseSync(':memory:'), newId);
  try {
    closeSync(openSync(path, 'a', 0o600)); // SQLite would leave it to be read by everybody
    return prepared(new DatabaseSync(path), newId);
  } catch (error) {
    if (!isDamaged(error)) throw unusable(path, error);
    const aside = moveAside(path);
    logger.warn(
      'the journal of queued calls could not be read, and begins anew; calls that were under way are not made again',
      {
        movedTo: aside,
        reason: asQiwayError(error).message,
      },
    );
    try {
      return prepared(new DatabaseSync(path), newId);
    } catch (cause) {
      throw unusable(path, cause);
    }
  }
}

function prepared(database: Database, newId: () => string): Database {
  try {
    // One process only; after a commit the bytes are on the disk.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    const { user_version: version } = database.prepare('PRAGMA user_version').get() ?? {};
    if (version === 0) {
      database.exec(`BEGIN EXCLUSIVE; ${SCHEMA}`);
      database.prepare('INSERT INTO journal (id) VALUES (?)').run(newId());
      database.exec('COMMIT');
      return database;
    }
    if (version !== VERSION) throw new DamagedFile(`it has version ${String(version)} in place of ${VERSION}`);
    const { quick_check: verdict } = database.prepare('PRAGMA quick_check(1)').get() ?? {};
    if (verdict !== 'ok') throw new DamagedFile(String(verdict));
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

class DamagedFile extends Error {}

function isDamaged(error: unknown): boolean {
  const code = resultCode(error);
  return error instanceof DamagedFile || code === CORRUPT || code === NOT_A_DATABASE;
}

/** SQLite's primary result code of what it threw. */
export function resultCode(error: unknown): number | undefined {
  const { errcode } = error as { readonly errcode?: unknown };
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}

function unusable(path: string, cause: unknown): QiwayError {
  const sentence =
    resultCode(cause) === BUSY
      ? `Another agent is running that keeps its state in the same place, ${path}; end it, or give each its own --listen and --state.`
      : `The journal ${path} cannot be used: ${asQiwayError(cause).message}; look at its folder, or choose another with --state.`;
  return new QiwayError('config-invalid', sentence, { data: { key: 'state' }, cause });
}

/** The log of a damaged database goes with it: what it holds belongs to no other. */
function moveAside(path: string): string {
  let aside = `${path}.damaged`;
  for (let count = 2; existsSync(aside); count += 1) aside = `${path}.damaged-${count}`;
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  return aside;
}

/** Node 22 says at the first use that its SQLite is young, which tells an operator nothing; other warnings pass. */
function loadSqlite(): Sqlite {
  const { emitWarning } = process;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    if (!String(warning).includes('SQLite')) Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}

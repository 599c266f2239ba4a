// What is kept of calls that must run once: their rows, how they are found and written, and what they say to who asks again.
// Knows the tables, no bounds.
import { type ErrorRecord, QiwayError, reviveError } from '@qiway/protocol/errors';
import type { Database } from './journal-file.ts';

/** One call, by who asks for it and the key that he gave it. */
export interface JournalKey {
  readonly clientId: string;
  readonly key: string;
  readonly service: string;
  /** Full name. */
  readonly method: string;
}

/** What a call returned: bytes without objects. */
export interface KeptResult {
  readonly signature: string;
  readonly bytes: Uint8Array;
}

/** `dropped`: its result was too large to keep. `taken`: the client has what it came to. */
export interface Row {
  readonly state: 'begun' | 'result' | 'error' | 'dropped' | 'taken';
  readonly begun: number;
  readonly bytes: number;
  readonly detail: string | null;
  readonly payload: Uint8Array | null;
}

/** @throws unless a result is recorded */
export function recorded({ state, detail, payload }: Row, { service, method }: JournalKey): KeptResult {
  switch (state) {
    case 'result':
      return { signature: detail ?? 'v', bytes: payload ?? new Uint8Array() };
    case 'error':
      throw reviveError(JSON.parse(detail ?? '{}') as ErrorRecord);
    case 'begun':
      throw new QiwayError(
        'interrupted',
        `The agent ended while it called ${service}.${method}, which may have run and is not called again. Ask the robot what is the case.`,
        { data: { service, method }, maybeExecuted: true },
      );
    default:
      throw new QiwayError(
        'result-not-kept',
        `${service}.${method} was called, and ${state === 'taken' ? 'what it came to was handed out already' : 'its result was too large to keep'}. Do not call it again; ask the robot for what you need.`,
        { data: { reason: state === 'taken' ? 'handed out' : 'too large' }, maybeExecuted: true },
      );
  }
}

export function toRecord({ code, message, data, maybeExecuted }: QiwayError): Omit<ErrorRecord, 'name'> {
  return { code, message, data, maybeExecuted };
}

export interface Statements {
  readonly find: Statement;
  readonly begin: Statement;
  readonly settle: Statement;
  readonly remove: Statement;
  readonly olderThan: Statement;
  readonly oldestTaken: Statement;
  readonly oldestSettledOf: Statement;
}

type Statement = ReturnType<Database['prepare']>;

/** Of keys dropped at once: a tenth of the least bound would be looked for each time otherwise. */
const DROP_COUNT = 100;

export function prepare(database: Database): Statements {
  const taken = `SELECT client, key, bytes FROM calls WHERE state = 'taken'`;
  return {
    find: database.prepare('SELECT state, begun, bytes, detail, payload FROM calls WHERE client = ? AND key = ?'),
    begin: database.prepare(`INSERT INTO calls (client, key, begun, state, bytes) VALUES (?, ?, ?, 'begun', 0)`),
    settle: database.prepare(
      'UPDATE calls SET state = ?, bytes = ?, detail = ?, payload = ? WHERE client = ? AND key = ?',
    ),
    remove: database.prepare('DELETE FROM calls WHERE client = ? AND key = ?'),
    olderThan: database.prepare('SELECT client, key, bytes FROM calls WHERE begun < ?'),
    oldestTaken: database.prepare(`${taken} ORDER BY begun, rowid LIMIT ${DROP_COUNT}`),
    oldestSettledOf: database.prepare(
      `SELECT client, key, bytes FROM calls WHERE client = ? AND state <> 'begun'
       ORDER BY state = 'taken' DESC, begun, rowid LIMIT ${DROP_COUNT}`,
    ),
  };
}

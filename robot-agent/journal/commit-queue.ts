// Writes of one turn of the event loop in one commit: a commit waits for the disk, and blocks the whole agent meanwhile.
// Knows a database, not what is written.
import { overLimit, QiwayError } from '@qiway/protocol/errors';
import { type Database, FULL, resultCode } from './journal-file.ts';

interface Write {
  readonly run: () => void;
  readonly resolve: () => void;
  readonly reject: (error: QiwayError) => void;
}

export class CommitQueue {
  readonly #database: Database;
  #waiting: Write[] = [];
  #timer: NodeJS.Immediate | undefined;
  #isClosed = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Resolves when it is on the disk. @throws `limit-exceeded` when the disk is full, `internal`, `closed`; nothing is written then */
  add(run: () => void): Promise<void> {
    if (this.#isClosed) return Promise.reject(new QiwayError('closed', 'The journal is closed.'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ run, resolve, reject });
      this.#timer ??= setImmediate(() => this.#commit());
    });
  }

  /** Writes at once, beside what waits. @throws as `add` */
  now(run: () => void): void {
    this.#transaction([{ run }]);
  }

  /** Writes what waits; later writes are refused. */
  close(): void {
    if (this.#isClosed) return;
    this.#commit();
    this.#isClosed = true;
  }

  #commit(): void {
    clearImmediate(this.#timer);
    this.#timer = undefined;
    const writes = this.#waiting;
    this.#waiting = [];
    if (writes.length === 0) return;
    try {
      this.#transaction(writes);
    } catch (error) {
      for (const { reject } of writes) reject(error as QiwayError);
      return;
    }
    for (const { resolve } of writes) resolve();
  }

  #transaction(writes: readonly { readonly run: () => void }[]): void {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const { run } of writes) run();
      this.#database.exec('COMMIT');
    } catch (cause) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      if (resultCode(cause) === FULL)
        throw overLimit("The agent's disk is full; make room, then call again.", { limit: 'disk', maximum: 0 });
      throw new QiwayError('internal', "The agent's journal of queued calls cannot be written; see the agent's log.", {
        cause,
      });
    }
  }
}

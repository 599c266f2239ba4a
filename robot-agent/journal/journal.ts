// What the agent remembers of calls that must run once: begun before they are made, then what they came to. It survives
// kill -9; a call that was under way then is not made again. Knows keys and outcomes, no bus and no sessions.
import { randomBytes } from 'node:crypto';
import type { Clock } from '@qiway/protocol/clock';
import { asQiwayError, type ErrorCode, overLimit, type QiwayError } from '@qiway/protocol/errors';
import type { Logger } from '../logger.ts';
import { CommitQueue } from './commit-queue.ts';
import { type Database, openDatabase } from './journal-file.ts';
import {
  type JournalKey,
  type KeptResult,
  prepare,
  type Row,
  recorded,
  type Statements,
  toRecord,
} from './kept-calls.ts';

export type { JournalKey, KeptResult } from './kept-calls.ts';

export interface JournalLimits {
  /** Calls remembered of one client, and of all. */
  readonly maxCallsPerClient: number;
  readonly maxCalls: number;
  /** Of results, of one client and of all. */
  readonly maxBytesPerClient: number;
  readonly maxBytes: number;
  /** A larger result is handed to who waits for it, and not kept. */
  readonly maxResultBytes: number;
  /** Longer than a call may wait at a client, ms of the agent's running time. */
  readonly keepMs: number;
}

/** A day's queue of a busy page, and of many; a client takes what it waited for, and then only its key is kept. */
const JOURNAL_LIMITS: JournalLimits = {
  maxCallsPerClient: 10_000,
  maxCalls: 200_000,
  maxBytesPerClient: 8 * 1024 * 1024,
  maxBytes: 64 * 1024 * 1024,
  maxResultBytes: 1024 * 1024,
  keepMs: 25 * 3_600_000,
};

export interface JournalOptions {
  /** Undefined: in memory, gone with the process. */
  readonly path?: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: Partial<JournalLimits>;
}

/** @throws `config-invalid` when the file cannot be used */
export function openJournal(options: JournalOptions): Journal {
  return new Journal(options);
}

interface Held {
  calls: number;
  bytes: number;
}

/** Characters of an error as it is kept; they do not count in the bytes of results. */
const MAX_ERROR_LENGTH = 4096;
/** Between looks for calls that are too old, ms. */
const PRUNE_MS = 600_000;

export class Journal {
  /** Of this journal's memory: a call sent under another one may have run although this one does not know it. */
  readonly id: string;
  readonly #limits: JournalLimits;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #database: Database;
  readonly #commits: CommitQueue;
  readonly #statements: Statements;
  /** Under way in this process, by client and key. */
  readonly #running = new Map<string, Promise<KeptResult>>();
  readonly #held = new Map<string, Held>();
  readonly #all: Held = { calls: 0, bytes: 0 };
  /** What the clock's time must be moved by to go on where the last process ended. */
  readonly #offsetMs: number;
  #prunedMs: number;

  constructor({ path, clock, logger, limits }: JournalOptions) {
    this.#limits = { ...JOURNAL_LIMITS, ...limits };
    this.#clock = clock;
    this.#logger = logger;
    this.#database = openDatabase(path, logger, () => randomBytes(12).toString('hex'));
    this.#statements = prepare(this.#database);
    this.#commits = new CommitQueue(this.#database);
    this.id = String(this.#database.prepare('SELECT id FROM journal').get()?.['id']);
    const { last } = this.#database.prepare('SELECT max(begun) AS last FROM calls').get() ?? {};
    this.#offsetMs = (typeof last === 'number' ? last : 0) - clock.now();
    this.#prunedMs = this.#nowMs();
    for (const row of this.#database.prepare('SELECT client, bytes FROM calls').iterate())
      this.#count(String(row['client']), { calls: 1, bytes: Number(row['bytes']) });
  }

  /** For metrics: calls remembered and bytes of their results. */
  get counts(): { readonly calls: number; readonly bytes: number; readonly running: number } {
    return { ...this.#all, running: this.#running.size };
  }

  /**
   * Runs `call` unless the key was seen: then answers what it came to, or joins the one under way. `call` rejects with what
   * {@link hasNotRun} says of an error that leaves the way free for another attempt.
   * @throws what `call` threw, now or then; `interrupted`, `result-not-kept`, `limit-exceeded`
   */
  runOnce(asked: JournalKey, call: () => Promise<KeptResult>): Promise<KeptResult> {
    const name = `${asked.clientId} ${asked.key}`;
    const known = this.#running.get(name);
    if (known !== undefined) return known;
    const running = this.#run(asked, call).finally(() => this.#running.delete(name));
    this.#running.set(name, running);
    return running;
  }

  /** The client has what these came to: only their keys are kept. Keys that are not known are ignored. */
  async taken(clientId: string, keys: readonly string[]): Promise<void> {
    let freed = 0;
    await this.#commits.add(() => {
      for (const key of keys) {
        const row = this.#row(clientId, key);
        if (row === undefined || this.#running.has(`${clientId} ${key}`)) continue;
        this.#statements.settle.run('taken', 0, null, null, clientId, key);
        freed += row.bytes;
      }
    });
    this.#count(clientId, { calls: 0, bytes: -freed });
  }

  /** Writes what waits. Calls under way go unrecorded: `interrupted`. Idempotent. */
  close(): void {
    this.#commits.close();
    if (this.#database.isOpen) this.#database.close();
  }

  async #run(asked: JournalKey, call: () => Promise<KeptResult>): Promise<KeptResult> {
    const { clientId, key } = asked;
    const row = this.#row(clientId, key);
    if (row !== undefined) return recorded(row, asked);
    await this.#begin(asked);
    let result: KeptResult;
    try {
      result = await call();
    } catch (thrown) {
      const error = asQiwayError(thrown);
      if (hasNotRun(error)) await this.#forget(asked);
      else await this.#settleError(asked, JSON.stringify(toRecord(error)));
      throw error;
    }
    const { signature, bytes } = result;
    const isKept = bytes.length <= this.#limits.maxResultBytes && this.#hasRoomFor(clientId, bytes.length);
    if (isKept) await this.#settle(asked, 'result', { detail: signature, payload: bytes });
    else await this.#settle(asked, 'dropped', { detail: null, payload: null });
    return result;
  }

  /** Resolves when the beginning is on the disk. @throws `limit-exceeded`; `internal` when the disk does not take it */
  async #begin({ clientId, key }: JournalKey): Promise<void> {
    this.#prune();
    this.#makeRoom(clientId);
    // Counted before, so that those of one turn do not pass the bound together.
    this.#count(clientId, { calls: 1, bytes: 0 });
    try {
      await this.#commits.add(() => this.#statements.begin.run(clientId, key, this.#nowMs()));
    } catch (error) {
      this.#count(clientId, { calls: -1, bytes: 0 });
      throw error;
    }
  }

  /** An error has words of a service in it: as many as it likes. */
  async #settleError(asked: JournalKey, detail: string): Promise<void> {
    if (detail.length <= MAX_ERROR_LENGTH) await this.#settle(asked, 'error', { detail, payload: null });
    else await this.#settle(asked, 'dropped', { detail: null, payload: null });
  }

  async #settle(
    asked: JournalKey,
    state: Row['state'],
    { detail, payload }: { readonly detail: string | null; readonly payload: Uint8Array | null },
  ): Promise<void> {
    const { clientId, key } = asked;
    const bytes = payload?.length ?? 0;
    const write = (): unknown => this.#statements.settle.run(state, bytes, detail, payload, clientId, key);
    if (await this.#record(asked, write)) this.#count(clientId, { calls: 0, bytes });
  }

  async #forget(asked: JournalKey): Promise<void> {
    const { clientId, key } = asked;
    const isWritten = await this.#record(asked, () => this.#statements.remove.run(clientId, key));
    if (isWritten) this.#count(clientId, { calls: -1, bytes: 0 });
  }

  /** Who waits gets his answer although the disk is full: only an agent started anew would not know it. */
  async #record({ service, method }: JournalKey, write: () => void): Promise<boolean> {
    try {
      await this.#commits.add(write);
      return true;
    } catch (error) {
      if (asQiwayError(error).code === 'closed') return false; // the agent ends
      this.#logger.warn('what a queued call came to could not be written to the journal', {
        call: `${service}.${method}`,
        reason: asQiwayError(error).message,
      });
      return false;
    }
  }

  #row(clientId: string, key: string): Row | undefined {
    return this.#statements.find.get(clientId, key) as Row | undefined;
  }

  #hasRoomFor(clientId: string, bytes: number): boolean {
    const { maxBytesPerClient, maxBytes } = this.#limits;
    const held = this.#held.get(clientId)?.bytes ?? 0;
    return held + bytes <= maxBytesPerClient && this.#all.bytes + bytes <= maxBytes;
  }

  /**
   * Keys may go early whose outcome the client has. Of a client's own also others, when so many newer came that it has had its
   * answer long since: it asks for what it misses before it goes on. No client makes room at the cost of another.
   * @throws `limit-exceeded`
   */
  #makeRoom(clientId: string): void {
    const { maxCallsPerClient, maxCalls } = this.#limits;
    const own = (): number => this.#held.get(clientId)?.calls ?? 0;
    if (own() >= maxCallsPerClient) this.#remove(this.#statements.oldestSettledOf.all(clientId));
    if (this.#all.calls >= maxCalls) this.#remove(this.#statements.oldestTaken.all());
    if (own() < maxCallsPerClient && this.#all.calls < maxCalls) return;
    const maximum = own() < maxCallsPerClient ? maxCalls : maxCallsPerClient;
    throw overLimit(`The robot remembers ${maximum} queued calls and takes no more; call without offline, or wait.`, {
      limit: 'journalCalls',
      maximum,
    });
  }

  #prune(): void {
    if (this.#nowMs() - this.#prunedMs < PRUNE_MS) return;
    this.#prunedMs = this.#nowMs();
    const old = this.#statements.olderThan.all(this.#nowMs() - this.#limits.keepMs);
    this.#remove(old.filter((row) => !this.#running.has(`${String(row['client'])} ${String(row['key'])}`)));
  }

  #remove(rows: readonly Record<string, unknown>[]): void {
    if (rows.length === 0) return;
    this.#commits.now(() => {
      for (const row of rows) this.#statements.remove.run(String(row['client']), String(row['key']));
    });
    for (const row of rows) this.#count(String(row['client']), { calls: -1, bytes: -Number(row['bytes']) });
  }

  #count(clientId: string, { calls, bytes }: Held): void {
    const held = this.#held.get(clientId) ?? { calls: 0, bytes: 0 };
    held.calls += calls;
    held.bytes += bytes;
    this.#all.calls += calls;
    this.#all.bytes += bytes;
    if (held.calls > 0) this.#held.set(clientId, held);
    else this.#held.delete(clientId);
  }

  #nowMs(): number {
    return this.#clock.now() + this.#offsetMs;
  }
}

const NOT_REACHED: ReadonlySet<string> = new Set<ErrorCode>([
  'bus-down',
  'endpoint-unreachable',
  'closed',
  'service-not-found',
  'service-gone',
]);

/** The call certainly never reached a service, and would have if something had been there: it may be made again. */
function hasNotRun({ code, maybeExecuted }: QiwayError): boolean {
  return !maybeExecuted && NOT_REACHED.has(code);
}

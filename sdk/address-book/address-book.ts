// Where robots were found: in memory, and in a store where there is one. A store that is slow or broken costs nothing but
// what it would have remembered.
import type { Clock } from '@qiway/protocol/clock';
import { within } from '@qiway/protocol/within';
import {
  newRecord,
  type RobotRecord,
  type Worked,
  withAnnounced,
  withFailed,
  without,
  withWorked,
} from './robot-record.ts';

/** What keeps records between loads of a page. */
export interface BookStore {
  read(id: string): Promise<RobotRecord | undefined>;
  /** In one step: tabs change the same record. */
  update(id: string, change: (record: RobotRecord | undefined) => RobotRecord): Promise<void>;
}

export interface AddressBookOptions {
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly today: () => number;
  /** Undefined: memory alone. */
  readonly loadStore?: (() => Promise<BookStore>) | undefined;
}

/** Nobody waits longer for a database than this before dialling what is known without. */
const READ_MS = 300;

export class AddressBook {
  readonly #options: AddressBookOptions;
  readonly #records = new Map<string, RobotRecord>();
  #store: Promise<BookStore | undefined> | undefined;

  constructor(options: AddressBookOptions) {
    this.#options = options;
  }

  /** What is known of the robot; never rejects. */
  async recall(id: string): Promise<RobotRecord> {
    const known = this.#records.get(id);
    if (known !== undefined) return known;
    const { clock } = this.#options;
    const read = this.#opened().then((store) => store?.read(id));
    const stored = await within(read, { clock, timeoutMs: READ_MS }, 'The address book did not answer').catch(
      () => undefined,
    );
    // What was learned meanwhile is newer.
    const record = this.#records.get(id) ?? stored ?? newRecord(id);
    this.#records.set(id, record);
    return record;
  }

  announced(id: string, urls: readonly string[]): void {
    this.#change(id, (record) => withAnnounced(record, urls, this.#options.today()));
  }

  worked(id: string, worked: Worked): void {
    this.#change(id, (record) => withWorked(record, worked, this.#options.today()));
  }

  failed(id: string, url: string): void {
    this.#change(id, (record) => withFailed(record, url, this.#options.today()));
  }

  /** Another robot answered there. */
  forget(id: string, url: string): void {
    this.#change(id, (record) => without(record, url, this.#options.today()));
  }

  #change(id: string, change: (record: RobotRecord) => RobotRecord): void {
    const old = this.#records.get(id) ?? newRecord(id);
    const record = change(old);
    this.#records.set(id, record);
    if (record === old) return;
    this.#opened()
      .then((store) => store?.update(id, (stored) => change(stored ?? newRecord(id))))
      .catch(() => {});
  }

  #opened(): Promise<BookStore | undefined> {
    this.#store ??= this.#options.loadStore?.().catch(() => undefined) ?? Promise.resolve(undefined);
    return this.#store;
  }
}

/** The book of this page, or of this program: in IndexedDB where there is one. */
export function openAddressBook(clock: Clock): AddressBook {
  return new AddressBook({
    clock,
    today: Date.now,
    loadStore:
      globalThis.indexedDB === undefined
        ? undefined
        : async () => (await import('./indexed-db-store.ts')).indexedDbStore(),
  });
}

// The recent events of one signal, numbered, for all who listen over HTTP: one subscription on the bus, encoded once,
// bounded in count and bytes. A reader follows by number, so a slow one costs others nothing and a returning one resumes.
// Pure; knows no HTTP.
import type { BusObject, Payload, Subscription } from '../bus/bus.ts';
import type { QiwayError } from '../errors.ts';

/** Events kept for readers that are slow or away: at 50 events a second, 20 seconds. */
const MAX_EVENTS = 1024;
/** The same in characters of text; large events (pictures) make the buffer short rather than the memory full. */
const MAX_CHARACTERS = 4_194_304;

export interface EventLogOptions {
  /** Names this run of numbers. */
  readonly epoch: string;
  /** The event as text of one line. Takes over the references of the payload. */
  readonly toText: (payload: Payload) => string;
}

/** What a reader gets next. */
export type LogEntry =
  | { readonly kind: 'event'; readonly number: number; readonly text: string }
  /**
   * Events between what the reader had and what is kept, or that never came here (null: nobody knows how many). `next`:
   * number of what follows.
   */
  | { readonly kind: 'gap'; readonly missed: number | null; readonly next: number }
  | { readonly kind: 'gone'; readonly error: QiwayError }
  | undefined;

export class EventLog {
  readonly epoch: string;
  /** Events, and the places where some were missed. */
  readonly #kept: (string | { readonly missed: number | null })[] = [];
  readonly #wakers = new Set<() => void>();
  readonly #subscription: Subscription;
  /** Number of the first of `#kept`; the first event ever is 1. */
  #first = 1;
  #characters = 0;
  #gone: QiwayError | undefined;

  constructor(object: BusObject, signal: number, options: EventLogOptions) {
    this.epoch = options.epoch;
    this.#subscription = object.subscribe(signal, {
      event: (payload) => this.#keep(options.toText(payload)),
      gap: (missed) => this.#keep({ missed: missed ?? null }),
      gone: (error) => this.end(error),
    });
  }

  /** Resolves once the service confirmed. @throws as `Subscription.ready` */
  get ready(): Promise<void> {
    return this.#subscription.ready;
  }

  get isGone(): boolean {
    return this.#gone !== undefined;
  }

  /** Number of the newest event; 0 before the first. */
  get newest(): number {
    return this.#first + this.#kept.length - 1;
  }

  /** What follows `number`; undefined when nothing does yet. */
  after(number: number): LogEntry {
    if (number + 1 < this.#first) return { kind: 'gap', missed: this.#first - 1 - number, next: this.#first };
    const kept = this.#kept[number + 1 - this.#first];
    if (typeof kept === 'string') return { kind: 'event', number: number + 1, text: kept };
    if (kept !== undefined) return { kind: 'gap', missed: kept.missed, next: number + 2 };
    return this.#gone === undefined ? undefined : { kind: 'gone', error: this.#gone };
  }

  /** Calls `wake` at every change; returns how to stop. */
  watch(wake: () => void): () => void {
    this.#wakers.add(wake);
    return () => this.#wakers.delete(wake);
  }

  /** Nothing follows; readers are told once they have read what there is. */
  end(error: QiwayError): void {
    this.#gone ??= error;
    this.#wake();
  }

  close(): Promise<void> {
    return this.#subscription.close();
  }

  #keep(entry: string | { readonly missed: number | null }): void {
    this.#kept.push(entry);
    this.#characters += charactersOf(entry);
    while (this.#kept.length > MAX_EVENTS || (this.#characters > MAX_CHARACTERS && this.#kept.length > 1)) {
      this.#characters -= charactersOf(this.#kept.shift());
      this.#first++;
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of [...this.#wakers]) wake();
  }
}

function charactersOf(entry: string | object | undefined): number {
  return typeof entry === 'string' ? entry.length : 0;
}

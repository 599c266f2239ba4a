// What the sessions of an agent may keep waiting together, in bytes. Layer 5; it knows no links. Each session has a bound
// of its own (`maxQueuedBytes`); this one is for many that are slow at once: who uses most is ended, not whoever comes next.
import { overLimit, type QiwayError } from '../errors.ts';

/** A quarter of a small robot computer's memory. */
const DEFAULT_BUDGET_BYTES = 512 * 1024 * 1024;

/** A session as the budget sees it. */
export interface Consumer {
  /** What it keeps now: waiting to be sent, sent and not acknowledged, of messages that are not whole yet. */
  readonly bytes: () => number;
  /** Ends it: there is not enough for all, and it uses most. */
  readonly end: (error: QiwayError) => void;
}

/** The part of one session. */
export interface Share {
  /** Why it cannot keep so many bytes more; undefined: it may. May end another session, which uses more. */
  refuse(more: number): QiwayError | undefined;
  /** It keeps nothing any more. Idempotent. */
  close(): void;
}

interface Entry {
  readonly consumer: Consumer;
  /** As it was looked at last, and what it was allowed since. */
  bytes: number;
}

/** One for each agent. */
export class Budget {
  readonly #maxBytes: number;
  readonly #entries = new Set<Entry>();
  /** Of all, by the same reckoning: at the bound all are looked at. */
  #bytes = 0;

  constructor(maxBytes: number = DEFAULT_BUDGET_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Of all sessions now. */
  get bytes(): number {
    for (const entry of this.#entries) this.#look(entry);
    return this.#bytes;
  }

  open(consumer: Consumer): Share {
    const entry: Entry = { consumer, bytes: 0 };
    this.#entries.add(entry);
    return {
      refuse: (more) => (this.#entries.has(entry) ? this.#refuse(entry, more) : undefined),
      close: () => this.#drop(entry),
    };
  }

  #refuse(asking: Entry, more: number): QiwayError | undefined {
    this.#look(asking);
    while (this.#bytes + more > this.#maxBytes && this.bytes + more > this.#maxBytes) {
      const error = overLimit(
        `More than ${this.#maxBytes} bytes wait for all sessions together, and most of them for this one, whose other side reads too slowly.`,
        { limit: 'maxBytes', maximum: this.#maxBytes },
      );
      const largest = this.#largest(asking, more);
      if (largest === asking) return error;
      this.#drop(largest);
      largest.consumer.end(error);
    }
    asking.bytes += more;
    this.#bytes += more;
    return undefined;
  }

  /** Who would use most; who asks counts with what it asks for. */
  #largest(asking: Entry, more: number): Entry {
    let largest = asking;
    let most = asking.bytes + more;
    for (const entry of this.#entries) {
      if (entry === asking || entry.bytes <= most) continue;
      largest = entry;
      most = entry.bytes;
    }
    return largest;
  }

  #look(entry: Entry): void {
    const bytes = entry.consumer.bytes();
    this.#bytes += bytes - entry.bytes;
    entry.bytes = bytes;
  }

  #drop(entry: Entry): void {
    if (this.#entries.delete(entry)) this.#bytes -= entry.bytes;
  }
}

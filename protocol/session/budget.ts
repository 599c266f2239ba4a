// What sessions may keep waiting, in bytes: each for itself, and all of an agent together. Layer 5; it knows no links: who
// uses more than its part is named, and its session does what follows.
import { overLimit, type QiwayError } from '../errors.ts';

export interface BudgetLimits {
  /** Of one session, beyond the largest message under way. */
  readonly maxSessionBytes: number;
  /** Of all sessions together. */
  readonly maxBytes: number;
}

/** Some seconds of a slow radio link for each; a quarter of a small robot computer's memory for all. */
export const DEFAULT_BUDGET: BudgetLimits = {
  maxSessionBytes: 32 * 1024 * 1024,
  maxBytes: 512 * 1024 * 1024,
};

/**
 * A session whose other side acknowledged nothing for this time, ms, while something waits for it, loses its link: a
 * reader that lives takes a batch within a second, also of a slow path, since little bulk is under way at once.
 */
export const STALL_MS = 10_000;

/** The part of one session. What waits to be sent, what is sent and not acknowledged, messages that are not whole yet. */
export interface Share {
  readonly bytes: number;
  /** Why so many more, of one message, cannot be kept; undefined: they are counted now. May end another session. */
  take(bytes: number): QiwayError | undefined;
  /** So many, counted before, are kept no longer. */
  give(bytes: number): void;
  /** Gives all that is left. Idempotent; later takes count for nobody. */
  close(): void;
}

/** Of one agent; a client makes one of its own. */
export class Budget {
  readonly #limits: BudgetLimits;
  readonly #shares = new Set<OpenShare>();
  #bytes = 0;

  constructor(limits: BudgetLimits = DEFAULT_BUDGET) {
    this.#limits = limits;
  }

  /** Of all sessions. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * @param end ends the session: there is not enough for all, and it uses most. It must close its share before it returns.
   */
  open(end: (error: QiwayError) => void): Share {
    const share = new OpenShare(end, {
      take: (bytes) => this.#take(share, bytes),
      gave: (bytes) => {
        this.#bytes -= bytes;
      },
      closed: () => this.#shares.delete(share),
    });
    this.#shares.add(share);
    return share;
  }

  #take(share: OpenShare, bytes: number): QiwayError | undefined {
    const { maxSessionBytes, maxBytes } = this.#limits;
    if (share.bytes + bytes > maxSessionBytes + Math.max(share.largestBytes, bytes))
      return overLimit(`More than ${maxSessionBytes} bytes wait for one session, whose other side reads too slowly.`, {
        limit: 'maxSessionBytes',
        maximum: maxSessionBytes,
      });
    while (this.#bytes + bytes > maxBytes) {
      const error = overLimit(
        `More than ${maxBytes} bytes wait for all sessions together, and most of them for this one: its other side reads too slowly.`,
        { limit: 'maxBytes', maximum: maxBytes },
      );
      const largest = this.#largest(share, bytes);
      if (largest === share) return error;
      largest.end(error);
    }
    this.#bytes += bytes;
    return undefined;
  }

  /** Who would use most; who asks counts with what it asks for. */
  #largest(asking: OpenShare, bytes: number): OpenShare {
    let largest = asking;
    let most = asking.bytes + bytes;
    for (const share of this.#shares) {
      if (share === asking || share.bytes <= most) continue;
      largest = share;
      most = share.bytes;
    }
    return largest;
  }
}

interface ShareOwner {
  take(bytes: number): QiwayError | undefined;
  gave(bytes: number): void;
  closed(): void;
}

class OpenShare implements Share {
  readonly #end: (error: QiwayError) => void;
  readonly #owner: ShareOwner;
  #bytes = 0;
  /** The largest message since little was kept. */
  largestBytes = 0;
  #isOpen = true;

  constructor(end: (error: QiwayError) => void, owner: ShareOwner) {
    this.#end = end;
    this.#owner = owner;
  }

  get bytes(): number {
    return this.#bytes;
  }

  take(bytes: number): QiwayError | undefined {
    if (!this.#isOpen) return undefined;
    const error = this.#owner.take(bytes);
    if (error !== undefined) return error;
    this.#bytes += bytes;
    this.largestBytes = Math.max(this.largestBytes, bytes);
    return undefined;
  }

  give(bytes: number): void {
    const given = Math.min(bytes, this.#bytes);
    this.#bytes -= given;
    this.#owner.gave(given);
    if (this.#bytes === 0) this.largestBytes = 0;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.give(this.#bytes);
    this.#owner.closed();
  }

  /** Ends its session, and counts for nothing from now on whatever that does. */
  end(error: QiwayError): void {
    this.#end(error);
    this.close();
  }
}

// A simulated path for bulk: bandwidth, delay, a receiver that has to wait for its core. Time is reckoned, not waited for.
import type { Clock } from '@qiway/protocol/clock';
import { BulkWindow } from '@qiway/protocol/session/bulk-window';

export interface Path {
  readonly bytesPerMs: number;
  /** Each way. */
  readonly delayMs: number;
  /** After a pause the path passes on at once what it could have carried in so long, ms, as rate limiters do. */
  readonly burstMs?: number;
  /** The receiver stands still for `stallMs` after it ran for `runMs`, each anew by chance. */
  readonly stalls?: () => { readonly runMs: number; readonly stallMs: number };
}

export interface Measured {
  readonly bytesPerMs: number;
  /** How long a small frame that is sent now would wait behind the bulk, in ms of the path's own time: each ms one. */
  readonly queuedMs: readonly number[];
}

interface Event {
  readonly atMs: number;
  readonly run: () => void;
}

/** A sender of the session's outbox, as far as bulk goes: pieces as large as there is room, of messages without end. */
export class Pipe {
  #now = 0;
  #path: Path;
  readonly #events: Event[] = [];
  readonly #window: BulkWindow;
  #confirmed = 0;
  #pathFreeAtMs = 0;
  #receiverRunsUntilMs = 0;
  #receiverFreeAtMs = 0;

  constructor(path: Path) {
    this.#path = path;
    const clock: Clock = { now: () => this.#now, after: () => () => {} };
    this.#window = new BulkWindow(clock);
  }

  get windowBytes(): number {
    return this.#window.inFlightBytes + this.#window.roomBytes;
  }

  /** A small frame is sent now. */
  shared(): void {
    this.#window.shared();
  }

  change(path: Path): void {
    this.#path = path;
  }

  /** Sends all it may for so long. */
  run(forMs: number, sends: (nowMs: number) => boolean = () => true): Measured {
    const from = this.#now;
    const end = from + forMs;
    const before = this.#confirmed;
    const queuedMs: number[] = [];
    for (let at = from + 1; at <= end; at += 1)
      this.#at(at, () => {
        queuedMs.push(Math.max(0, this.#pathFreeAtMs - this.#now));
        if (sends(this.#now)) this.#send();
      });
    this.#send();
    for (;;) {
      const next = this.#events[0];
      if (next === undefined || next.atMs > end) break;
      this.#events.shift();
      this.#now = next.atMs;
      next.run();
      if (sends(this.#now)) this.#send();
    }
    this.#now = end;
    return { bytesPerMs: (this.#confirmed - before) / forMs, queuedMs };
  }

  #send(): void {
    while (this.#window.hasRoom) {
      const bytes = Math.max(this.#window.leastPieceBytes, Math.min(this.#window.roomBytes, 1024 * 1024));
      this.#window.sent(bytes);
      const { bytesPerMs, delayMs, burstMs = 0 } = this.#path;
      this.#pathFreeAtMs = Math.max(this.#pathFreeAtMs, this.#now - burstMs) + bytes / bytesPerMs;
      this.#at(Math.max(this.#pathFreeAtMs, this.#now) + delayMs, () => this.#arrived(bytes));
    }
  }

  #arrived(bytes: number): void {
    const { stalls, delayMs } = this.#path;
    const seenAtMs = stalls === undefined ? this.#now : this.#runsAt(stalls);
    this.#at(seenAtMs + delayMs, () => {
      this.#confirmed += bytes;
      this.#window.confirmed(bytes);
    });
  }

  /** When the receiver has the core. */
  #runsAt(stalls: NonNullable<Path['stalls']>): number {
    while (this.#now > this.#receiverRunsUntilMs) {
      const { runMs, stallMs } = stalls();
      this.#receiverFreeAtMs = this.#receiverRunsUntilMs + stallMs;
      this.#receiverRunsUntilMs = this.#receiverFreeAtMs + runMs;
    }
    return Math.max(this.#now, this.#receiverFreeAtMs);
  }

  #at(atMs: number, run: () => void): void {
    let index = this.#events.length;
    while (index > 0 && (this.#events[index - 1]?.atMs ?? 0) > atMs) index -= 1;
    this.#events.splice(index, 0, { atMs, run });
  }
}

/** Numbers from 0 to 1 that are the same each time. */
export function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

// How many bytes of bulk may be on their way: enough to keep the path busy, little enough that a small frame does not wait
// behind them in buffers nobody sees. Layer 5. See docs/link-protocol.md section 6.
//
// The window is what the path carries in the time of the least delay seen and a few milliseconds more (its product of
// bandwidth and delay, as BBR reckons it). Delay alone would not do: where processes wait for a core it jumps by
// milliseconds although nothing is queued, and a window that shrinks with it starves the path.
import type { Clock } from '../clock.ts';
import { BestRate, BusySpan, LeastOf } from './best-rate.ts';

/** Bytes. The most covers 100 MB/s over 160 ms. */
const FIRST_BYTES = 64 * 1024;
const MOST_BYTES = 16 * 1024 * 1024;
/**
 * The least window is what the path carries in this time, ms, up to so many bytes, and two of the smallest pieces at least:
 * one is on its way while the other is confirmed. Shorter, and a long path whose delay jumps would never be found to be fast.
 */
const LEAST_WINDOW_MS = 1_000;
const LARGEST_LEAST_BYTES = 48 * 1024;
/**
 * The smallest piece is what the path carries in this time, ms, as far as these bounds go: what is sent in between waits for a
 * piece and more. Smaller ones cost more time of the processors than they save on the path. And a receiver hears nothing while
 * a piece comes in, so one must be through long before three heartbeats are over: at 20 kB/s 16 KiB take 0.8 s.
 */
const LEAST_PIECE_MS = 2;
export const SMALLEST_PIECE_BYTES: number = 16 * 1024;
export const LARGEST_LEAST_PIECE_BYTES: number = 64 * 1024;
/** The same for small frames together; the first of these is for a path that is not known: small frames alone tell nothing of it. */
const FIRST_BATCH_BYTES = 32 * 1024;
const MOST_BATCH_BYTES = 256 * 1024;
/** What may queue on the path. */
interface Headroom {
  /** Steadily. */
  readonly steadyMs: number;
  /** While nothing seems to queue there, when the path may carry more. */
  readonly probingMs: number;
  /** Queued for less than this, a frame met no queue worth the name. */
  readonly hardlyMs: number;
  /** A piece is what the path carries in this time: what it takes to go is the least that others wait. */
  readonly pieceMs: number;
}
/** Nobody waits but bulk: enough for a receiver that stands still now and then, as radios and busy processors do. */
const ALONE: Headroom = { steadyMs: 8, probingMs: 16, hardlyMs: 4, pieceMs: 4 };
/** Small frames travel too: they wait for what is queued, so bulk leaves a part of such a path unused rather. */
const SHARED: Headroom = { steadyMs: 1, probingMs: 2, hardlyMs: 1, pieceMs: 1 };
/** A path is shared for so long after a small frame, ms. */
const SHARED_FOR_MS = 500;
/**
 * As long as pieces are late by less than this, ms, on the average of some, beyond what the bytes before them take. Where the
 * delay jumps by more, a small frame waits for that anyway, and bulk with so little headroom would never find out what the
 * path carries.
 */
const STEADY_PATH_MS = 10;
const AVERAGE_OF = 8;
/**
 * A queue stands when every frame of this time, ms, or twice it, met it (as CoDel tells it). What is late only because
 * somebody waited for a core is followed by some that are not.
 */
const STANDING_MS = 50;
/** Queued for more than this, ms, the path is slower than it was; no pause of a busy computer is meant by it. */
const CHANGED_PATH_MS = 250;
/** The least delay is measured anew after this time, ms, with little under way: routes change. */
const LEAST_DELAY_MEMORY_MS = 10_000;
/** The same at once when every frame was queued for longer than it should for so long. */
const QUEUED_TOO_LONG_MS = 2_000;
/** So many pieces are under way, so that one leaves while others are confirmed. */
const PIECES_PER_WINDOW = 4;

interface Sent {
  /** Count of all bytes up to and with this piece. */
  readonly end: number;
  readonly atMs: number;
  /** Count of bytes confirmed when it was sent, and when the last of them was. */
  readonly confirmed: number;
  readonly confirmedAtMs: number;
  /** When those last ones had been sent: what was confirmed at once after a pause did not go at once. */
  readonly confirmedSentAtMs: number;
  /** The window hindered the sender then: the rate is the path's, not the sender's. */
  readonly isHeldBack: boolean;
}

/** The sender's reckoning, of one direction of one link. */
export class BulkWindow {
  readonly #clock: Clock;
  #sent: Sent[] = [];
  #sentBytes = 0;
  #confirmedBytes = 0;
  #confirmedAtMs = 0;
  #confirmedSentAtMs = 0;
  #windowBytes = FIRST_BYTES;
  readonly #rate = new BestRate();
  readonly #busy = new BusySpan();
  /** The path was full for long enough to tell its rate well. A burst after a pause tells less. */
  #isRateOfSpan = false;
  #leastDelayMs = Number.POSITIVE_INFINITY;
  #leastSeenAtMs = 0;
  readonly #queued = new LeastOf(STANDING_MS);
  /** Since when every frame was queued for too long. */
  #queuedSinceMs: number | undefined;
  /** While the least delay is measured anew: from the piece that ends beyond this count on. */
  #measuring: { readonly from: number; readonly windowBytes: number } | undefined;
  #wasFull = false;
  #leastPieceBytes = SMALLEST_PIECE_BYTES;
  #sharedAtMs = Number.NEGATIVE_INFINITY;
  #headroom = ALONE;
  /** How late pieces are beyond what the bytes before them take; smoothed. */
  #jumpsMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get inFlightBytes(): number {
    return this.#sentBytes - this.#confirmedBytes;
  }

  /** Of a piece that is not the last of its message; what is smaller need not be cut. Small until the path is known. */
  get leastPieceBytes(): number {
    return this.#leastPieceBytes;
  }

  /** Bytes of small frames that should go in one message. */
  get batchBytes(): number {
    if (this.#rate.bytesPerMs === 0) return FIRST_BATCH_BYTES;
    return Math.min(4 * this.#leastPieceBytes, MOST_BATCH_BYTES);
  }

  /** Bytes that the next piece should not exceed; zero or less: none should go. */
  get roomBytes(): number {
    return Math.min(Math.floor(this.#windowBytes) - this.inFlightBytes, this.#pieceBytes);
  }

  /** For a whole piece: pieces grow with the path, and so do the steps in which they are confirmed. */
  get hasRoom(): boolean {
    const hasRoom = this.#windowBytes - this.inFlightBytes >= this.#pieceBytes;
    if (!hasRoom) this.#wasFull = true;
    return hasRoom;
  }

  sent(bytes: number): void {
    const now = this.#clock.now();
    if (this.inFlightBytes === 0) {
      this.#confirmedAtMs = now; // a pause is no time of the path
      this.#confirmedSentAtMs = now;
      this.#wasFull = false;
      this.#busy.begin(this.#confirmedBytes, now);
    }
    this.#sentBytes += bytes;
    this.#sent.push({
      end: this.#sentBytes,
      atMs: now,
      confirmed: this.#confirmedBytes,
      confirmedAtMs: this.#confirmedAtMs,
      confirmedSentAtMs: this.#confirmedSentAtMs,
      isHeldBack: this.#wasFull,
    });
  }

  /** A small frame is sent, which will wait for the bulk before it. */
  shared(): void {
    this.#sharedAtMs = this.#clock.now();
  }

  /** The other side has so many bytes more of what was sent, in order. */
  confirmed(bytes: number): void {
    const now = this.#clock.now();
    this.#confirmedBytes = Math.min(this.#confirmedBytes + bytes, this.#sentBytes);
    this.#confirmedAtMs = now;
    const last = this.#takeConfirmed();
    if (last === undefined) return;
    this.#confirmedSentAtMs = last.atMs;
    this.#learn(last, { now, bytes });
  }

  /** A new link: what was under way on the old one is sent again, and the path is another. */
  reset(): void {
    this.#sent = [];
    this.#sentBytes = 0;
    this.#confirmedBytes = 0;
    this.#windowBytes = FIRST_BYTES;
    this.#forgetRate();
    this.#leastDelayMs = Number.POSITIVE_INFINITY;
    this.#queued.forget();
    this.#queuedSinceMs = undefined;
    this.#measuring = undefined;
    this.#wasFull = false;
    this.#leastPieceBytes = SMALLEST_PIECE_BYTES;
    this.#jumpsMs = 0;
  }

  #forgetRate(): void {
    this.#rate.forget();
    this.#isRateOfSpan = false;
  }

  get #leastBytes(): number {
    if (this.#headroom === SHARED) return 2 * this.#leastPieceBytes;
    return Math.max(2 * this.#leastPieceBytes, Math.min(this.#rate.bytesPerMs * LEAST_WINDOW_MS, LARGEST_LEAST_BYTES));
  }

  get #pieceBytes(): number {
    const bytes = Math.min(this.#rate.bytesPerMs * this.#headroom.pieceMs, this.#windowBytes / PIECES_PER_WINDOW);
    return Math.max(Math.floor(bytes), this.#leastPieceBytes);
  }

  /** The last piece that is confirmed whole, if one is. */
  #takeConfirmed(): Sent | undefined {
    let count = 0;
    let last: Sent | undefined;
    for (const one of this.#sent) {
      if (one.end > this.#confirmedBytes) break;
      last = one;
      count += 1;
    }
    this.#sent.splice(0, count);
    return last;
  }

  #learn(last: Sent, { now, bytes }: { readonly now: number; readonly bytes: number }): void {
    const delayMs = now - last.atMs;
    this.#headroom = this.#headroomFor(last, delayMs, now);
    this.#learnDelay(last, delayMs, now);
    const queuedMs = delayMs - this.#leastDelayMs;
    const standingMs = this.#queued.add(queuedMs, now);
    if (queuedMs > CHANGED_PATH_MS) this.#forgetRate();
    this.#learnRate(last, {
      now,
      isOfPath: last.isHeldBack || queuedMs > this.#headroom.steadyMs + this.#headroom.probingMs,
    });
    // No faster than what is confirmed: for each piece that left the path two may follow, no burst.
    const reckoned = Math.min(this.#reckoned(last, { queuedMs, standingMs, bytes }), this.#windowBytes + bytes);
    const least = this.#measuring === undefined ? this.#leastBytes : this.#leastPieceBytes;
    this.#windowBytes = Math.min(Math.max(reckoned, least), MOST_BYTES);
  }

  #learnRate(last: Sent, { now, isOfPath }: { readonly now: number; readonly isOfPath: boolean }): void {
    const span = this.#busy.confirmed(this.#confirmedBytes, now);
    if (span !== undefined) {
      // What was told by a burst is not believed any more.
      if (last.isHeldBack && !this.#isRateOfSpan) this.#rate.forget();
      this.#isRateOfSpan ||= last.isHeldBack;
      this.#rate.add(span.bytes, { elapsedMs: span.elapsedMs, now, isOfPath });
    } else if (!this.#isRateOfSpan) {
      const elapsedMs = Math.max(now - last.confirmedAtMs, last.atMs - last.confirmedSentAtMs);
      this.#rate.add(this.#confirmedBytes - last.confirmed, { elapsedMs, now, isOfPath });
    }
    const bytes = this.#rate.bytesPerMs * LEAST_PIECE_MS;
    let least = SMALLEST_PIECE_BYTES;
    while (least * 2 <= bytes && least < LARGEST_LEAST_PIECE_BYTES) least *= 2;
    if (least > this.#leastPieceBytes) {
      // A larger piece takes longer by itself; that is no queue. With smaller ones a lower least is soon met.
      this.#leastDelayMs += (least - this.#leastPieceBytes) / this.#rate.bytesPerMs;
      this.#windowBytes = Math.max(this.#windowBytes, 2 * least);
    }
    this.#leastPieceBytes = least;
  }

  #reckoned(
    last: Sent,
    { queuedMs, standingMs, bytes }: { readonly queuedMs: number; readonly standingMs: number; readonly bytes: number },
  ): number {
    if (this.#measuring !== undefined) return this.#measuring.windowBytes;
    const rate = this.#rate.bytesPerMs;
    if (standingMs >= this.#headroom.hardlyMs) return rate * (this.#leastDelayMs + this.#headroom.steadyMs);
    const probing = rate * (this.#leastDelayMs + this.#headroom.probingMs);
    // A window is not always full: the rate it gave may be two thirds of what it allows.
    const most =
      Math.max(probing, rate * this.#leastDelayMs * 1.5) + (this.#headroom === SHARED ? 0 : 2 * this.#leastPieceBytes);
    if (queuedMs >= this.#headroom.hardlyMs) return Math.min(this.#windowBytes, most);
    // In a round trip, by what may queue, and by a piece at least: it never stays at a size between two of them.
    const least = this.#leastPieceBytes / this.#windowBytes;
    const growth = Math.max(Math.min(1, this.#headroom.probingMs / this.#leastDelayMs), least);
    const grown = last.isHeldBack ? this.#windowBytes + growth * bytes : this.#windowBytes;
    return Math.max(probing, Math.min(grown, most));
  }

  #headroomFor(last: Sent, delayMs: number, now: number): Headroom {
    const rate = this.#rate.bytesPerMs;
    const beforeMs = rate === 0 ? 0 : (last.end - last.confirmed) / rate;
    this.#jumpsMs += (Math.max(0, delayMs - beforeMs) - this.#jumpsMs) / AVERAGE_OF;
    return now - this.#sharedAtMs < SHARED_FOR_MS && this.#jumpsMs < STEADY_PATH_MS ? SHARED : ALONE;
  }

  #learnDelay(last: Sent, delayMs: number, now: number): void {
    const measuring = this.#measuring;
    if (measuring !== undefined) {
      if (last.end <= measuring.from) return; // sent before: it met the queue that was
      this.#measuring = undefined;
      this.#leastDelayMs = delayMs;
      this.#leastSeenAtMs = now;
      this.#queuedSinceMs = undefined;
      return;
    }
    if (delayMs <= this.#leastDelayMs) {
      this.#leastDelayMs = delayMs;
      this.#leastSeenAtMs = now;
    }
    if (delayMs - this.#leastDelayMs <= this.#headroom.steadyMs + this.#headroom.probingMs)
      this.#queuedSinceMs = undefined;
    else this.#queuedSinceMs ??= now;
    const isOld = now - this.#leastSeenAtMs > LEAST_DELAY_MEMORY_MS;
    const isQueued = this.#queuedSinceMs !== undefined && now - this.#queuedSinceMs > QUEUED_TOO_LONG_MS;
    if (!isOld && !isQueued) return;
    // Half of what the path holds by itself: what is queued on it leaves, and the next frames meet none.
    const windowBytes = (this.#rate.bytesPerMs * this.#leastDelayMs) / 2;
    this.#measuring = { from: this.#sentBytes, windowBytes };
  }
}

// How many bytes of fragments may be on their way: enough to keep the path busy, little enough that a small frame does
// not wait behind them in buffers nobody sees. Layer 5. See docs/link-protocol.md section 5.
import type { Clock } from '../clock.ts';

/** Bytes. The least is 30 ms of a slow radio link and still two confirmations; the most covers 100 MB/s over 160 ms. */
const LEAST_BYTES = 128 * 1024;
const MOST_BYTES = 16 * 1024 * 1024;
/** Delay beyond the least seen: below it the window may grow, above it the path only queues and the window shrinks. */
const GROW_BELOW_MS = 5;
const SHRINK_ABOVE_MS = 15;
const SHRINK_FACTOR = 0.85;
/** The least delay is forgotten after this time: routes change. */
const MEMORY_MS = 10_000;

interface Sent {
  /** Count of all bytes up to and with this fragment. */
  readonly end: number;
  readonly atMs: number;
}

/** The sender's reckoning; the receiver tells its count modulo 2^32. */
export class BulkWindow {
  readonly #clock: Clock;
  readonly #sent: Sent[] = [];
  #sentBytes = 0;
  #ackedBytes = 0;
  #windowBytes = LEAST_BYTES;
  #leastDelayMs = Number.POSITIVE_INFINITY;
  #leastSeenAtMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get inFlightBytes(): number {
    return this.#sentBytes - this.#ackedBytes;
  }

  get roomBytes(): number {
    return Math.floor(this.#windowBytes) - this.inFlightBytes;
  }

  /** A quarter of the window at least: pieces grow with the path, and so do the steps in which they are confirmed. */
  get hasRoom(): boolean {
    return this.roomBytes >= this.#windowBytes / 4;
  }

  sent(bytes: number): void {
    this.#sentBytes += bytes;
    this.#sent.push({ end: this.#sentBytes, atMs: this.#clock.now() });
  }

  /** @param count all bytes the other side has, modulo 2^32; a count never sent is ignored */
  acknowledged(count: number): void {
    const fresh = (count - this.#ackedBytes) >>> 0;
    if (fresh === 0 || fresh > this.inFlightBytes) return;
    const wasFull = !this.hasRoom;
    this.#ackedBytes += fresh;
    let last: Sent | undefined;
    while (this.#sent[0] !== undefined && this.#sent[0].end <= this.#ackedBytes) last = this.#sent.shift();
    if (last !== undefined) this.#learn(this.#clock.now() - last.atMs, fresh, wasFull);
  }

  #learn(delayMs: number, bytes: number, wasFull: boolean): void {
    const now = this.#clock.now();
    if (delayMs <= this.#leastDelayMs || now - this.#leastSeenAtMs > MEMORY_MS) {
      this.#leastDelayMs = delayMs;
      this.#leastSeenAtMs = now;
    }
    const queuedMs = delayMs - this.#leastDelayMs;
    if (queuedMs > SHRINK_ABOVE_MS) this.#windowBytes = Math.max(this.#windowBytes * SHRINK_FACTOR, LEAST_BYTES);
    else if (queuedMs < GROW_BELOW_MS && wasFull) this.#windowBytes = Math.min(this.#windowBytes + bytes, MOST_BYTES);
  }
}

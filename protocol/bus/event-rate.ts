// At most so many values a second, and the last one always: what comes too early waits, and only the newest of it. Layer 2;
// it knows neither what the values are nor where they go.
import type { Clock } from '../clock.ts';

export interface EventRateOptions<T> {
  readonly clock: Clock;
  /** 0: as many as come. */
  readonly maxHz: number;
  readonly pass: (value: T) => void;
  /** Takes a value that is never passed: a newer one came. */
  readonly drop: (value: T) => void;
}

export class EventRate<T> {
  readonly #options: EventRateOptions<T>;
  #intervalMs: number;
  /** When the next one may go. */
  #nextAtMs = Number.NEGATIVE_INFINITY;
  #waiting: { value: T; readonly stop: () => void } | undefined;

  constructor(options: EventRateOptions<T>) {
    this.#options = options;
    this.#intervalMs = intervalOf(options.maxHz);
  }

  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  push(value: T): void {
    const { clock, drop } = this.#options;
    const now = clock.now();
    if (this.#waiting !== undefined) {
      const older = this.#waiting.value;
      this.#waiting.value = value;
      drop(older);
    } else if (now >= this.#nextAtMs) this.#pass(value, now);
    else this.#waiting = { value, stop: clock.after(this.#nextAtMs - now, () => this.#passWaiting()) };
  }

  /** What waits goes at once, when the rate is another. */
  setMaxHz(maxHz: number): void {
    const intervalMs = intervalOf(maxHz);
    if (intervalMs === this.#intervalMs) return;
    this.#intervalMs = intervalMs;
    this.#nextAtMs = Number.NEGATIVE_INFINITY;
    this.#passWaiting();
  }

  close(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.stop();
    if (waiting !== undefined) this.#options.drop(waiting.value);
  }

  #passWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.stop();
    if (waiting !== undefined) this.#pass(waiting.value, this.#options.clock.now());
  }

  #pass(value: T, now: number): void {
    // By the schedule, not by the last: values that come a little early or late are not slowed down for it.
    const isOnTime = now - this.#nextAtMs < this.#intervalMs;
    this.#nextAtMs = (isOnTime ? this.#nextAtMs : now) + this.#intervalMs;
    this.#options.pass(value);
  }
}

function intervalOf(maxHz: number): number {
  return maxHz > 0 ? 1000 / maxHz : 0;
}

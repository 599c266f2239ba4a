// When the next attempt at a link is made. Layer 5.
import type { Clock } from '../clock.ts';

/** Before the first attempt none; then longer and longer, for ever at the last, ms. A fifth more or less, so that not all clients come at once. */
const DELAYS_MS: readonly number[] = [0, 100, 250, 500, 1000, 2000, 3000];
const JITTER = 0.2;

export interface RetryOptions {
  readonly clock: Clock;
  readonly random: (count: number) => Uint8Array;
  readonly run: () => void;
}

export class Retry {
  readonly #options: RetryOptions;
  #count = 0;
  #stopTimer: () => void = () => {};

  constructor(options: RetryOptions) {
    this.#options = options;
  }

  /** At once, whatever was planned. */
  now(): void {
    this.#stopTimer();
    this.#count = 1;
    this.#options.run();
  }

  /** After the next delay. */
  later(): void {
    this.#stopTimer();
    const delayMs = DELAYS_MS[Math.min(this.#count, DELAYS_MS.length - 1)] ?? 0;
    this.#count += 1;
    const [chance = 0] = this.#options.random(1);
    this.#stopTimer = this.#options.clock.after(delayMs * (1 - JITTER + (2 * JITTER * chance) / 255), () =>
      this.#options.run(),
    );
  }

  /** It worked. */
  reset(): void {
    this.#stopTimer();
    this.#count = 0;
  }

  stop(): void {
    this.#stopTimer();
  }
}

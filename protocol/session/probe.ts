// A question to a link whether it is alive, with an end: one that does not answer is closed. Layer 5.
import type { Clock } from '../clock.ts';
import { QiwayError } from '../errors.ts';
import type { Link } from './link.ts';

/** An answer is waited for so long, or three round trips. */
const PROBE_MS = 1_000;

/** What clocks are rounded to. */
const CLOCK_MS = 1;

export class Probe {
  readonly #clock: Clock;
  #askedMs = 0;
  #stopTimer: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param rttMs what a round trip took last */
  ask(link: Link, rttMs = 0): void {
    const waitMs = Math.max(PROBE_MS, 3 * rttMs);
    this.stop();
    this.#askedMs = this.#clock.now();
    this.#stopTimer = this.#clock.after(waitMs, () =>
      link.close(new QiwayError('link-lost', `No answer within ${waitMs} ms.`, { data: { reason: 'silence' } }), 4408),
    );
    link.ping();
  }

  /** A ping was answered: if it was sent before the question, the answer may have lain here while this side slept. */
  answered(rttMs: number): void {
    if (rttMs <= this.#clock.now() - this.#askedMs + CLOCK_MS) this.stop();
  }

  /** The link is gone. */
  stop(): void {
    this.#stopTimer();
  }
}

// A question to a link whether it is alive, with an end: one that does not answer is closed. Layer 5.
import type { Clock } from '../clock.ts';
import { QiwayError } from '../errors.ts';
import type { Link } from './link.ts';

/** An answer is waited for so long, or three round trips. */
const PROBE_MS = 1_000;

export class Probe {
  readonly #clock: Clock;
  #stopTimer: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param rttMs what a round trip took last */
  ask(link: Link, rttMs = 0): void {
    const waitMs = Math.max(PROBE_MS, 3 * rttMs);
    this.stop();
    this.#stopTimer = this.#clock.after(waitMs, () =>
      link.close(new QiwayError('link-lost', `No answer within ${waitMs} ms.`, { data: { reason: 'silence' } }), 4408),
    );
    link.ping();
  }

  /** It answered, or is gone. */
  stop(): void {
    this.#stopTimer();
  }
}

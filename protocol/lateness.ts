// Whether what comes from somebody may have been sent before a failsafe of his fired: what waited on the way comes all at once
// afterwards, and the robot that was just stopped must not begin to move by a command of then. Layer 0.
import type { Clock } from './clock.ts';

/** What waited on the way arrives within some round trips of the first of it. */
const BURST_MS = 200;

export class Lateness {
  #isLate = false;
  #stopTimer = (): void => {};
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isLate(): boolean {
    return this.#isLate;
  }

  /** From now on it is, until he is heard again and a little longer. */
  begin(): void {
    this.#stopTimer();
    this.#isLate = true;
  }

  heard(): void {
    if (!this.#isLate) return;
    this.#stopTimer();
    this.#stopTimer = this.#clock.after(BURST_MS, () => {
      this.#isLate = false;
    });
  }
}

// Whether what comes from a session may have been sent before its failsafe fired: a radio that stalls gives all at once
// afterwards, and the robot that was just stopped must not begin to move by a command of then.
import type { Clock } from '@qiway/protocol/clock';
import type { SafetySession } from './safety-session.ts';

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

  /** From now on it is, until the session is heard again and a little longer. */
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

/** One for each session. */
export function latenessTable(clock: Clock): (session: SafetySession) => Lateness {
  const known = new WeakMap<SafetySession, Lateness>();
  return (session) => {
    const found = known.get(session) ?? new Lateness(clock);
    known.set(session, found);
    return found;
  };
}

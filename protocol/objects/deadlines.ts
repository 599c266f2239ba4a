// One timer for all calls that wait equally long: they expire in the order in which they were made. Layer 3.
// A timer per call would cost more than the call.
import type { Clock } from '../clock.ts';

/** Longest sleep of the timer, ms: after the last call it may keep a process alive this long, not the whole time-out. */
const LONGEST_SLEEP_MS = 1000;

export interface Expiring {
  deadlineMs: number;
  expire(timeoutMs: number): void;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly timeoutMs: number;
  /** In order of deadline: a set keeps the order of insertion. */
  readonly #waiting = new Set<Expiring>();
  #stopTimer: (() => void) | undefined;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.timeoutMs = timeoutMs;
  }

  add(call: Expiring): void {
    call.deadlineMs = this.#clock.now() + this.timeoutMs;
    this.#waiting.add(call);
    if (this.#stopTimer === undefined) this.#sleep(this.timeoutMs);
  }

  delete(call: Expiring): void {
    this.#waiting.delete(call);
  }

  /** Stops the timer; calls made later start it again. */
  close(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  #sleep(delayMs: number): void {
    this.#stopTimer = this.#clock.after(Math.min(delayMs, LONGEST_SLEEP_MS), () => {
      this.#stopTimer = undefined;
      const nowMs = this.#clock.now();
      for (const call of this.#waiting) {
        if (call.deadlineMs > nowMs) {
          this.#sleep(call.deadlineMs - nowMs);
          return;
        }
        this.#waiting.delete(call);
        call.expire(this.timeoutMs);
      }
    });
  }
}

// Tasks in order, also while one of them waits for a part of the program that is being loaded. Layer 0.

import { overLimit } from './errors.ts';
import type { Part } from './part.ts';

/** Tasks that may wait at once: a load takes seconds at most, and so many calls in that time are a fault. */
const MAX_WAITING = 65_536;

export class Turns {
  #waiting: (() => void)[] | undefined;

  /** True when a task that needs nothing runs at once. */
  get areFree(): boolean {
    return this.#waiting === undefined;
  }

  /**
   * Runs `task` at once, or behind those that wait; with a part, not before it was loaded, or failed to. Tasks must not throw
   * when they run later.
   * @throws `limit-exceeded`; what the task throws when it runs at once
   */
  run(task: () => void, part?: Part<unknown>): void {
    if (this.#waiting !== undefined) {
      if (this.#waiting.length >= MAX_WAITING)
        throw overLimit(`More than ${MAX_WAITING} calls wait for a part of the program.`, {
          limit: 'waitingCalls',
          maximum: MAX_WAITING,
        });
      this.#waiting.push(task);
    } else if (part === undefined || part.here !== undefined) task();
    else {
      const waiting = [task];
      this.#waiting = waiting;
      void part.load().then(() => {
        // Those that come meanwhile queue up behind: an array's iterator sees them.
        for (const each of waiting) each();
        this.#waiting = undefined;
      });
    }
  }
}

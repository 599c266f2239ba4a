// A clock whose timers go off when a test says so: for code that waits for sockets and for time.
import type { Clock } from '../../protocol/clock.ts';
import { Collected } from '../contract/calls.ts';

interface Timer {
  readonly delayMs: number;
  readonly run: () => void;
}

export interface HandClock extends Clock {
  /** Delays of the timers that are set. */
  readonly delays: readonly number[];
  /** Waits until a timer of this delay is set, and lets it go off. */
  fire(delayMs: number): Promise<void>;
}

export function handClock(): HandClock {
  const timers = new Set<Timer>();
  const changes = new Collected<Timer>();
  return {
    now: () => 0,
    after: (delayMs, run) => {
      const timer = { delayMs, run };
      timers.add(timer);
      changes.add(timer);
      return () => timers.delete(timer);
    },
    get delays() {
      return [...timers].map(({ delayMs }) => delayMs);
    },
    fire: async (delayMs) => {
      const due = (): Timer | undefined => [...timers].find((timer) => timer.delayMs === delayMs);
      await changes.until(() => due() !== undefined);
      const timer = due() as Timer;
      timers.delete(timer);
      timer.run();
    },
  };
}

// The platform's timers as a clock. Layer 6: the only place in `protocol` that knows real time.
import type { Clock } from '../clock.ts';

declare const performance: { now(): number };
declare function setTimeout(run: () => void, delayMs: number): unknown;
declare function clearTimeout(timer: unknown): void;

/** Timers of the platform take what is longer for 1 ms; after 24 days nobody waits any more. */
const MAX_DELAY_MS = 0x7fff_ffff;

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, Math.min(delayMs, MAX_DELAY_MS));
    return () => clearTimeout(timer);
  },
};

// The platform's timers as a clock. Layer 6: the only place in `protocol` that knows real time.
import type { Clock } from '../clock.ts';

declare const performance: { now(): number };
declare function setTimeout(run: () => void, delayMs: number): unknown;
declare function clearTimeout(timer: unknown): void;

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

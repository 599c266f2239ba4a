// A clock that stands still until a test moves it.
import type { Clock } from '@qiway/protocol/clock';

export interface VirtualClock extends Clock {
  /** Runs everything due within `ms`, in order of time, letting promises settle between. */
  advance(ms: number): Promise<void>;
  /** Time goes by while the process hangs: what was due runs late, with the next `advance`. */
  stall(ms: number): void;
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

export function virtualClock(): VirtualClock {
  let now = 0;
  const timers = new Set<Timer>();
  return {
    now: () => now,
    after: (delayMs, run) => {
      const timer = { at: now + delayMs, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    stall: (ms) => {
      now += ms;
    },
    advance: async (ms) => {
      const end = now + ms;
      for (;;) {
        await settled();
        const due = [...timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        timers.delete(due);
        now = Math.max(now, due.at);
        due.run();
      }
      now = end;
      await settled();
    },
  };
}

/** Lets every promise that can settle without time do so. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 50; round += 1) await Promise.resolve();
}

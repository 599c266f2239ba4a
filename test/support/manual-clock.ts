// A clock for code that takes `after(delayMs, run)`: time passes when the test says so.

export interface ManualClock {
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** Lets time pass, and every promise settle that was waiting for it. */
  pass(ms: number): Promise<void>;
}

export function manualClock(): ManualClock {
  let nowMs = 0;
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
  return {
    after(delayMs, run) {
      const timer = { atMs: nowMs + delayMs, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async pass(ms) {
      const endMs = nowMs + ms;
      await settle();
      for (;;) {
        const [next] = [...timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
        if (next === undefined) break;
        timers.delete(next);
        nowMs = next.atMs;
        next.run();
        await settle();
      }
      nowMs = endMs;
    },
  };
}

/** A turn of the event loop: everything that promises had to do is done. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

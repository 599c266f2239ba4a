// When the other side of something counts as silent. Layer 0; knows no links: silence is what nobody heard.
import type { Clock } from './clock.ts';

/** Who is listened to. */
export interface HeardSide {
  /** When something last came from it, on the clock given. */
  readonly lastHeardMs: number;
  /** Returns how to stop. */
  listen(listener: { heard?(): void }): () => void;
}

export interface SilenceOptions {
  readonly clock: Clock;
  readonly afterMs: number;
  /** Nothing came for `afterMs`. Once for each silence. */
  readonly silent: () => void;
  /** Something came again after that. */
  readonly heardAgain?: () => void;
  /** This process was held up itself for `afterMs`: nobody watched, and what came meanwhile was not obeyed in time. Also silence. */
  readonly isStallSilence?: boolean;
}

/** A timer that is later than this was held up by this process itself, and what came meanwhile is not read yet. */
const HELD_UP_MS = 20;

/** Watches until the function that is returned is called. Costs a timer, and nothing for what comes. */
export function watchSilence(
  side: HeardSide,
  { clock, afterMs, silent, heardAgain, isStallSilence = false }: SilenceOptions,
): () => void {
  let stop = (): void => {};
  const lookIn = (delayMs: number, isLastLook = false): void => {
    const dueMs = clock.now() + delayMs;
    stop = clock.after(delayMs, () => {
      const nowMs = clock.now();
      const lateMs = nowMs - dueMs;
      if (!isStallSilence || lateMs <= afterMs) {
        const leftMs = side.lastHeardMs + afterMs - nowMs;
        if (leftMs > 0) return lookIn(leftMs);
        if (!isLastLook && lateMs > HELD_UP_MS) return lookIn(1, true);
      }
      stop = side.listen({
        heard: () => {
          stop();
          lookIn(afterMs);
          heardAgain?.();
        },
      });
      silent();
    });
  };
  lookIn(Math.max(0, side.lastHeardMs + afterMs - clock.now()));
  return () => stop();
}

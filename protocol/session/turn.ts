// When to flush: at the end of the current turn, so that all frames of a turn share one transport message. Layer 5.

/** Microtask rounds without a new frame after which a turn counts as over: a promise chain needs a few per step. */
const QUIET_ROUNDS = 6;

/**
 * Flushes once the microtasks of this turn are through. A continuation of a settled call runs some microtasks later and
 * often makes the next call; a few rounds of patience put those calls into the same batch and cost no time.
 */
export function afterMicrotasks(flush: () => void): void {
  let rounds = 0;
  const next = (): void => {
    rounds += 1;
    if (rounds >= QUIET_ROUNDS) flush();
    else queueMicrotask(next);
  };
  queueMicrotask(next);
}

/** Flushes before the turn is over: for who passes on what comes, all of it in one go. */
export function atOnce(flush: () => void): void {
  queueMicrotask(flush);
}

// Work that may have to wait: at once where the platform computes at once (Node), by promises where it does not (WebCrypto).
// Beside layer 5; knows nothing of what is computed.

/** A value, or the promise of one. */
export type Later<T> = T | Promise<T>;

/**
 * A computation in steps, written once for both kinds of platform: `yield* come(later)` waits for what is not there yet,
 * `walk` carries it out.
 */
export type Steps<T> = Generator<Promise<unknown>, T, unknown>;

export function isPromise<T>(later: Later<T>): later is Promise<T> {
  return typeof (later as { then?: unknown } | undefined)?.then === 'function';
}

/** Goes on with the value: in the same turn if it is there. */
export function* come<T>(later: Later<T>): Steps<T> {
  return isPromise(later) ? ((yield later) as T) : later;
}

/** Carries out `steps`, in this turn as far as nothing has to be waited for. @throws what a step throws, or rejects with it */
export function walk<T>(steps: Steps<T>): Later<T> {
  const next = steps.next();
  return next.done === true ? next.value : goOn(steps, next.value);
}

async function goOn<T>(steps: Steps<T>, first: Promise<unknown>): Promise<T> {
  for (let waiting = first; ; ) {
    let next: IteratorResult<Promise<unknown>, T>;
    try {
      const value = await waiting;
      next = steps.next(value);
    } catch (error) {
      // A step that failed by itself has ended the generator: throwing into it then gives the same error.
      next = steps.throw(error);
    }
    if (next.done === true) return next.value;
    waiting = next.value;
  }
}

// A page's life as its tab has it: here, put aside (back/forward cache), here again. And a lock that falls with it.
// The window is handed in.

interface SeenDocument {
  readonly visibilityState: string;
}

export interface TabLifeOptions {
  readonly window: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;
  readonly document?: (Pick<EventTarget, 'addEventListener' | 'removeEventListener'> & SeenDocument) | undefined;
  /**
   * It goes, or is put aside; nothing of it runs from now on. What the app does at `pagehide` (it stops the robot) comes before:
   * a page that is seen becomes hidden only after that (HTML, "unload a document").
   */
  readonly away: () => void;
  /** It is back from the cache, as it was. */
  readonly back: () => void;
}

/** Returns how to stop. */
export function followTabLife({ window, document, away, back }: TabLifeOptions): () => void {
  let isGoing = false;
  const hidden = (): void => {
    if (document?.visibilityState === 'visible') isGoing = true;
    else away();
  };
  const changed = (): void => {
    if (!isGoing) return;
    isGoing = false;
    away();
  };
  const shown = (event: Event): void => {
    isGoing = false;
    if ((event as PageTransitionEvent).persisted) back();
  };
  window.addEventListener('pagehide', hidden);
  document?.addEventListener('visibilitychange', changed);
  window.addEventListener('pageshow', shown);
  return () => {
    window.removeEventListener('pagehide', hidden);
    document?.removeEventListener('visibilitychange', changed);
    window.removeEventListener('pageshow', shown);
  };
}

export interface HeldLock {
  readonly name: string;
  /** Idempotent. */
  release(): void;
}

/** Holds a lock that nobody else asks for but to hear of its end. Resolves once it is held. */
export function holdLock(locks: LockManager, name: string): Promise<HeldLock> {
  return new Promise((resolve, reject) => {
    locks
      .request(
        name,
        () =>
          new Promise<void>((release) => {
            resolve({ name, release });
          }),
      )
      .catch(reject);
  });
}

/** Calls `run` once nobody holds the lock; returns how to stop waiting. */
export function whenFree(locks: LockManager, name: string, run: () => void): () => void {
  const stop = new AbortController();
  locks.request(name, { signal: stop.signal }, run).catch(() => {}); // not waited for any more
  return () => stop.abort();
}

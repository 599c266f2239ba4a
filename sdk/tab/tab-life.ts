// A page's life as its tab has it: here, put aside (back/forward cache), here again. And a lock that falls with it.
// The window is handed in.

export interface TabLifeOptions {
  readonly window: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;
  /** It goes, or is put aside. What the app does at `pagehide` comes before if it listened before it connected. */
  readonly away: () => void;
  /** It is back from the cache, as it was. */
  readonly back: () => void;
}

/** Returns how to stop. */
export function followTabLife({ window, away, back }: TabLifeOptions): () => void {
  const shown = (event: Event): void => {
    if ((event as PageTransitionEvent).persisted) back();
  };
  window.addEventListener('pagehide', away);
  window.addEventListener('pageshow', shown);
  return () => {
    window.removeEventListener('pagehide', away);
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

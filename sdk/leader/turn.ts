// Turns: of many that ask under one name one has it, until it gives it up or dies. From Web Locks, or from the owner.

/** A turn that is here. */
export interface Turn {
  /** Settles, and never rejects, when the turn was taken away, or was given up. */
  readonly lost: Promise<void>;
  /** Idempotent. */
  release(): void;
}

/** Waits until it is our turn. Rejects when `signal` was aborted before, or when one cannot ask. */
export type AskTurn = (signal: AbortSignal) => Promise<Turn>;

/** What is used of `navigator.locks`. */
export interface LockGiver {
  request(name: string, options: { readonly signal: AbortSignal }, granted: () => Promise<void>): Promise<unknown>;
}

/** The owner's line of those who wait, as a page sees it, with a port between. `ticket` is of the page's choice. */
export interface TurnGiver {
  /**
   * Settles when it is the turn of this ticket. `onLost` is called when the turn was taken away from a page that did not answer.
   * @throws when the ticket was given back before, or there are too many
   */
  takeTurn(name: string, ticket: string, onLost?: () => void): Promise<void>;
  /** Gives the turn up, or the place in the line. */
  dropTurn(ticket: string): Promise<void> | void;
}

/** All locks of Qiway begin so; they are seen by everything of the origin. */
const LOCK_PREFIX = 'qiway leader ';

export function askLocks(locks: LockGiver, name: string): AskTurn {
  return (signal) =>
    new Promise((resolve, reject) => {
      const held = Promise.withResolvers<void>();
      const request = locks.request(LOCK_PREFIX + name, { signal }, () => {
        // Rejects when the lock is stolen.
        const lost = request.then(
          () => {},
          () => {},
        );
        resolve({ lost, release: held.resolve });
        return held.promise;
      });
      request.catch(reject);
    });
}

/** Without an owner nobody else can lead. */
export function askOwner(owner: TurnGiver | undefined, name: string): AskTurn {
  // Of this candidate, among all of this page.
  const candidate = crypto.getRandomValues(new Uint32Array(2)).join('-');
  let asked = 0;
  return async (signal) => {
    asked += 1;
    const ticket = `${candidate}-${asked}`;
    const lost = Promise.withResolvers<void>();
    const drop = async (): Promise<void> => owner?.dropTurn(ticket);
    const release = (): void => {
      lost.resolve();
      // An owner that is gone keeps no turn.
      drop().catch(() => {});
    };
    signal.addEventListener('abort', release, { once: true });
    await owner?.takeTurn(name, ticket, lost.resolve);
    signal.removeEventListener('abort', release);
    return { lost: lost.promise, release };
  };
}

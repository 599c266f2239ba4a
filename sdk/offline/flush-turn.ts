// Whose turn it is to make the calls that wait: of all tabs of an origin only one does, by a Web Lock, or by a row that is
// renewed where there are none. Knows no calls.
import type { Clock } from '@qiway/protocol/clock';
import type { QueueStore } from './queue-types.ts';

/** The part of the platform's LockManager that is used here. */
export interface LocksLike {
  request(name: string, options: { readonly signal: AbortSignal }, run: () => Promise<void>): Promise<unknown>;
}

export interface FlushTurnOptions {
  readonly name: string;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly today: () => number;
  /** Random text. */
  readonly owner: string;
  readonly locks: LocksLike | undefined;
  /** Undefined: no other tab sees the same calls. */
  readonly store: () => QueueStore | undefined;
}

/** Runs `work` when it is this tab's turn; resolves when that is over, or was given up by `signal`. Never rejects. */
export type FlushTurn = (signal: AbortSignal, work: (isMine: () => boolean) => Promise<void>) => Promise<void>;

/** A tab that does not renew its row for so long is gone, or asleep. */
const LEASE_MS = 6_000;
const RENEW_MS = 2_000;
const LOOK_MS = 1_000;

export function flushTurn(options: FlushTurnOptions): FlushTurn {
  const { name, locks } = options;
  return async (signal, work) => {
    const store = options.store();
    if (signal.aborted) return;
    if (store === undefined) return work(() => true);
    if (locks === undefined) return leased(options, store, signal, work);
    try {
      await locks.request(name, { signal }, () => work(() => true));
    } catch {
      // Given up while it waited.
    }
  };
}

async function leased(
  { name, clock, today, owner }: FlushTurnOptions,
  store: QueueStore,
  signal: AbortSignal,
  work: (isMine: () => boolean) => Promise<void>,
): Promise<void> {
  let untilMs = 0;
  const take = async (): Promise<boolean> => {
    const nowMs = today();
    const wanted = nowMs + LEASE_MS;
    // Where not even that can be stored, each tab has its own calls.
    const isTaken = await store.takeLease(name, { owner, nowMs, untilMs: wanted }).catch(() => true);
    untilMs = isTaken ? wanted : 0;
    return isTaken;
  };
  while (!(await take())) {
    await pause(clock, LOOK_MS, signal);
    if (signal.aborted) return;
  }
  let isOver = false;
  let stopRenewing = (): void => {};
  const renew = (): void => {
    if (!isOver) stopRenewing = clock.after(RENEW_MS, () => void take().then(renew));
  };
  renew();
  try {
    await work(() => !isOver && today() < untilMs);
  } finally {
    isOver = true;
    stopRenewing();
    await store.dropLease(name, owner).catch(() => {});
  }
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      stopTimer();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const stopTimer = clock.after(delayMs, end);
    signal.addEventListener('abort', end);
  });
}

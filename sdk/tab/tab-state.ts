// What a tab's session is asked for, what it can be, and how it comes back to an owner. Knows no ports.
import type { Clock } from '@qiway/protocol/clock';
import { QiwayError } from '@qiway/protocol/errors';
import type { PlainWire } from '@qiway/protocol/session/plain-wire';
import { type TimeLimit, within } from '@qiway/protocol/within';
import type { ConnectRequest, RobotSession, SessionRequest } from '../dial/dial.ts';
import type { WorkerChoice } from '../owner/worker-choice.ts';

export interface TabDial extends ConnectRequest {
  readonly worker: Exclude<WorkerChoice, false> | undefined;
}

export interface TabSessionRequest extends SessionRequest {
  readonly worker: Exclude<WorkerChoice, false> | undefined;
}

export type State =
  /** The robot's session goes on at the owner; what this tab has of it is being made. `isAside`: the page is in the cache. */
  | { readonly kind: 'apart'; readonly reason: QiwayError | undefined; readonly isAside: boolean }
  /** `joining`: what this tab had goes on soon, and not yet. */
  | { readonly kind: 'joining' | 'attached'; readonly wire: PlainWire }
  | { readonly kind: 'closed'; readonly reason: QiwayError | undefined };

/** Between two attempts to come back to an owner. */
const AGAIN_MS = [0, 100, 500, 1000, 3000] as const;

/** Waits before another attempt; not before the first. */
export async function pauseBefore(tries: number, clock: Clock): Promise<void> {
  const delayMs = AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)] ?? 0;
  if (delayMs > 0) await new Promise<void>((resolve) => void clock.after(delayMs, resolve));
}

/**
 * An owner whose link is lost is waited for as for a robot.
 * @param over rejects when there is no owner any more. @throws `timeout`
 */
export async function onceOnline(
  session: Pick<RobotSession, 'listenSession'>,
  isOnline: () => boolean,
  { over, ...limit }: TimeLimit & { readonly over: Promise<never> | undefined },
): Promise<void> {
  if (isOnline()) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = session.listenSession({ changed: () => isOnline() && resolve() });
  const waiting = over === undefined ? promise : Promise.race([promise, over]);
  await within(waiting, limit, 'The worker found no link to the robot').finally(stop);
}

export function noOwner(): QiwayError {
  return new QiwayError('offline', 'The worker that has the link has none to this robot; it is asked again.');
}

export function ownerGone(): QiwayError {
  return new QiwayError('link-lost', 'The worker that had the link ended; it is started again.', {
    data: { reason: 'worker gone' },
  });
}

export function pageAside(): QiwayError {
  return new QiwayError('link-lost', 'The page was put aside.', { data: { reason: 'page hidden' } });
}

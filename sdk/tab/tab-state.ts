// What a tab's session is asked for, what it can be, and how it comes back to an owner. Knows no ports.
import type { Clock } from '@qiway/protocol/clock';
import { QiwayError } from '@qiway/protocol/errors';
import type { PlainWire } from '@qiway/protocol/session/plain-wire';
import type { SessionRequest } from '../dial/dial.ts';
import type { WorkerChoice } from '../owner/worker-choice.ts';

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

export function noOwner(): QiwayError {
  return new QiwayError('offline', 'The worker that has the link has none to this robot; it is asked again.');
}

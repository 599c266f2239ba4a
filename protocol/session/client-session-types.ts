// What a client's session is made with, and what it tells beside the bus. Layer 5; types.
import type { ServingWith } from '../bus/serving-side.ts';
import type { Clock } from '../clock.ts';
import type { KnownServices } from '../directory/known-services.ts';
import type { QiwayError } from '../errors.ts';
import type { Dial } from './attempt.ts';
import type { LinkLimits } from './link.ts';

export interface ClientSessionOptions {
  readonly dial: Dial;
  readonly token: string;
  readonly clock: Clock;
  /** `count` random bytes. */
  readonly random: (count: number) => Uint8Array;
  /** Program and version, for the agent's log. */
  readonly client: string;
  /** For each link, until the session goes on over it; and for questions to the directory. */
  readonly timeoutMs: number;
  /** What objects of this side are served with: `serving`, or `lazyServing`. */
  readonly serving: ServingWith;
  readonly limits?: LinkLimits;
  readonly schedule?: (flush: () => void) => void;
  /** What is remembered of the robot's services: not fetched again when it is the same, and there without a link. */
  readonly known?: KnownServices;
  /**
   * What `known` has is of this robot, and is enough to begin without a link: `begin` resolves when the first attempt has
   * failed, or after `afterMs`; the attempts go on.
   */
  readonly startsOffline?: { readonly robotId: string; readonly afterMs: number };
}

/** What a session tells beside the bus. */
export interface SessionListener {
  rttMeasured?(rttMs: number): void;
  /** `state`, `link`, `told` or `loss` is another now. */
  changed?(): void;
  robotBusChanged?(state: 'up' | 'down'): void;
  /** A new session took the place of the old: what was asked of the old one's session object is to be asked again. */
  renewed?(): void;
}

/** `offline`: the link is gone, and being made anew. */
export type SessionState = 'connecting' | 'online' | 'offline' | 'closed';

/** Of a session, within. */
export type State =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'online' }
  /** `isKept`: the agent may still have the session. */
  | { readonly kind: 'offline'; readonly reason: QiwayError; readonly isKept: boolean }
  | { readonly kind: 'closed'; readonly reason: QiwayError | undefined };

/** What was lost with the last session, when a new one had to take its place. */
export interface Loss {
  readonly reason: QiwayError;
  /** Calls that were under way, and services' objects that ended. */
  readonly calls: number;
  readonly objects: number;
}

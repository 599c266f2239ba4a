// What is known of the link, the session and the robot's bus at a moment: plain values, to be shown. Knows a session.
import type { QiwayError } from '@qiway/protocol/errors';
import type { Loss } from '@qiway/protocol/session/client-session';
import type { RobotSession } from './dial/dial.ts';
import type { MissingAbility } from './page-abilities.ts';
import type { FailsafeStatus } from './safety/failsafe.ts';

export type { Loss } from '@qiway/protocol/session/client-session';

export interface Status {
  /** `online`: calls go through. `offline`: the link is lost and being made anew. `closed`: for good, by `close()` or for `reason`. */
  readonly state: 'connecting' | 'online' | 'offline' | 'closed';
  /** The way the link goes, or went last. */
  readonly route: 'direct' | 'webrtc' | 'relay';
  /** Host and port where the agent was found last: it may be another than that of `url`. */
  readonly address: string;
  /** Nobody between can read or change what is said. False on loopback only. */
  readonly isSealed: boolean;
  /** Who owns the link: a worker that all tabs of the origin share, or this program itself. */
  readonly owner: 'worker' | 'page';
  /** Round trip to the agent, ms, measured by the heartbeat. */
  readonly rttMs: number | undefined;
  /** `resumed`: the link was lost, and everything goes on. `new`: it was not, or a new session took the place of the old; see `lost`. */
  readonly session: 'new' | 'resumed';
  /** What ended when a new session took the place of another: calls under way, objects that services had handed out. */
  readonly lost?: Loss;
  /** `down`: the agent has lost the robot's own bus and goes on trying; calls fail with `bus-down` until it is back. */
  readonly bus: 'up' | 'down';
  /** Why it is down, in the agent's words. */
  readonly busReason?: string;
  /** The agent's, without token. */
  readonly url: string;
  /** Of the robot's identity, the same wherever it is: 52 letters and digits. */
  readonly robotId: string;
  /** Calls that wait in the offline queue. */
  readonly queued: number;
  /** What stands ready to stop the robot when this program falls silent, and whether it had to. */
  readonly failsafe?: FailsafeStatus;
  /** What this page cannot have and others can, and why: see docs/insecure-origins.md. Empty in programs. */
  readonly missing: readonly MissingAbility[];
  /** Why it is offline, or closed if nobody asked for it. */
  readonly reason?: QiwayError;
}

/** What a session does not know. */
export interface StatusParts {
  readonly queued: number;
  readonly failsafe: FailsafeStatus | undefined;
  /** It is closed for the program, whatever the session says. */
  readonly closed: { readonly reason: QiwayError | undefined } | undefined;
}

export function statusOf(session: RobotSession, { queued, failsafe, closed }: StatusParts): Status {
  const { link, told, loss, rttMs } = session;
  const reason = closed === undefined ? session.reason : closed.reason;
  return {
    state: closed === undefined ? session.sessionState : 'closed',
    route: link?.transport.route ?? 'direct',
    address: link?.address ?? '',
    isSealed: link?.isSealed ?? false,
    owner: session.owner ?? 'page',
    rttMs,
    session: session.hasResumed ? 'resumed' : 'new',
    ...(loss !== undefined && { lost: loss }),
    bus: told.bus,
    ...(told.busReason !== undefined && { busReason: told.busReason }),
    url: session.url ?? '',
    robotId: session.robotId,
    queued,
    missing: session.missing ?? [],
    ...(failsafe !== undefined && { failsafe }),
    ...(reason !== undefined && { reason }),
  };
}

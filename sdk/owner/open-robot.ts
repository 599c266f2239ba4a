// What an owner needs once a robot is opened: the session, and doors for tabs. A chunk of its own, so that the worker answers
// its first tab at once.
import { serving } from '@qiway/protocol/bus/serving';
import type { Clock } from '@qiway/protocol/clock';
import type { Transport } from '@qiway/protocol/session/transport';
import type { SessionRequest } from '../dial/dial.ts';
import { type OwnedSession, openOwnSession } from '../dial/page-session.ts';
import { TabDoor } from './tab-door.ts';

export interface OpenedRobot extends OwnedSession {
  /** Serves a tab; to be called in the turn in which the transport was obtained. */
  openDoor(transport: Transport, onEnded: () => void): TabDoor;
}

/** @throws as `OpenRobotSession` */
export async function openRobot(request: SessionRequest): Promise<OpenedRobot> {
  const owned = await openOwnSession(request, serving);
  return {
    ...owned,
    openDoor: (transport, onEnded) => openTabDoor(owned, { transport, clock: request.clock, onEnded }),
  };
}

interface DoorRequest {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly onEnded: () => void;
}

function openTabDoor({ session }: OwnedSession, { transport, clock, onEnded }: DoorRequest): TabDoor {
  const random = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));
  return new TabDoor(transport, { session, clock, random, onEnded });
}

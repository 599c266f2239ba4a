// What an owner needs once a robot is opened: the session, and doors for tabs. A chunk of its own, so that the worker answers
// its first tab at once.
import { serving } from '@qiway/protocol/bus/serving';
import type { Transport } from '@qiway/protocol/session/transport';
import type { SessionRequest } from '../dial/dial.ts';
import { type OwnedSession, openOwnSession } from '../dial/page-session.ts';
import { TabDoor, type TabDoorOptions } from './tab-door.ts';

export interface OpenedRobot extends OwnedSession {
  /** Serves a tab; to be called in the turn in which the transport was obtained. */
  openDoor(transport: Transport, told: Pick<TabDoorOptions, 'onBeat' | 'onEnded'>): TabDoor;
}

/** @throws as `OpenRobotSession` */
export async function openRobot(request: SessionRequest): Promise<OpenedRobot> {
  const { clock } = request;
  const owned = await openOwnSession(request, serving);
  const random = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));
  return {
    ...owned,
    openDoor: (transport, told) => new TabDoor(transport, { session: owned.session, clock, random, ...told }),
  };
}

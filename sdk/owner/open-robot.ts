// What an owner needs once a robot is opened: the session, and doors for tabs. A chunk of its own, so that the worker answers
// its first tab at once.
import { serving } from '@qiway/protocol/bus/serving';
import type { Clock } from '@qiway/protocol/clock';
import type { Transport } from '@qiway/protocol/session/transport';
import { atOnce } from '@qiway/protocol/session/turn';
import type { SessionRequest } from '../dial/dial.ts';
import { type OwnedSession, openOwnSession } from '../dial/page-session.ts';
import type { OwnedQueue, TabQueuePorts } from '../offline/owned-queue.ts';
import { onceLoaded } from '../once-loaded.ts';
import { TabDoor, type TabDoorOptions } from './tab-door.ts';

export interface OpenedRobot extends OwnedSession {
  /** Serves a tab the robot's queue; returns how to end. */
  serveQueue(ports: TabQueuePorts): () => void;
  /** Serves a tab; to be called in the turn in which the transport was obtained. */
  openDoor(transport: Transport, told: Pick<TabDoorOptions, 'onBeat' | 'onEnded'>): TabDoor;
}

const loadQueue = onceLoaded('keeps calls that wait', () => import('../offline/owned-queue.ts'));

/** @throws as `OpenRobotSession` */
export async function openRobot(request: SessionRequest): Promise<OpenedRobot> {
  const { clock } = request;
  const owned = await openOwnSession(request, { serving, schedule: atOnce });
  const random = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));
  return {
    ...owned,
    serveQueue: queueOf(owned, clock),
    openDoor: (transport, told) => new TabDoor(transport, { session: owned.session, clock, random, ...told }),
  };
}

/** Opened when a tab first wants it. */
function queueOf({ session }: OwnedSession, clock: Clock): OpenedRobot['serveQueue'] {
  let queue: Promise<OwnedQueue> | undefined;
  void session.closed.then(() => queue?.then((opened) => opened.close()).catch(() => {}));
  return (ports) => {
    const opening = queue ?? loadQueue().then(({ openOwnedQueue }) => openOwnedQueue(session, clock));
    queue = opening;
    // To be loaded again; never opened twice.
    opening.catch(() => {
      if (queue === opening) queue = undefined;
    });
    const serving = opening.then((opened) => opened.serve(ports));
    serving.catch(() => {
      ports.asks.close();
      ports.news.close();
    });
    return () => void serving.then((end) => end()).catch(() => {});
  };
}

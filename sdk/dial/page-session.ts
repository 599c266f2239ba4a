// This program owns the link: its own WebSockets, its own session, which goes where the robot goes. A chunk of its own, for
// pages without a SharedWorker, for the SharedWorker, and for Node; nothing that the core loads may import it.
import { lazyServing } from '@qiway/protocol/bus/lazy-serving';
import type { ServingWith } from '@qiway/protocol/bus/serving-side';
import { QiwayError } from '@qiway/protocol/errors';
import { type ClientSession, openSession } from '@qiway/protocol/session/client-session';
import type { WebSocketClass } from '@qiway/protocol/transport/websocket';
import { openAddressBook } from '../address-book/address-book.ts';
import { loadSecure } from '../crypto/load-secure.ts';
import { openKnownRobot } from '../metaobjects/known-robot.ts';
import { onDemand } from '../on-demand.ts';
import { VERSION } from '../version.ts';
import { followBetterWay } from './better-way.ts';
import type { OpenRobotSession, SessionRequest } from './dial.ts';
import { Dialer } from './dialer.ts';
import { probeWithPage, thisPage } from './page-probes.ts';
import { pageFacts } from './reachable.ts';

/** A session, and how to look at once whether its link is alive. */
export interface OwnedSession {
  readonly session: ClientSession;
  probe(): void;
}

/** @throws as {@link OpenRobotSession} */
export async function openOwnSession(request: SessionRequest, serving: ServingWith): Promise<OwnedSession> {
  const { agent, token, clock, timeoutMs, offline = false } = request;
  const { WebSocket } = globalThis;
  if (WebSocket === undefined)
    throw new QiwayError('unsupported', 'This runtime has no WebSocket; Node has one since version 22.', {
      data: { what: 'WebSocket' },
    });
  const known = openKnownRobot(clock, agent.link);
  const startsOffline = offline ? await known.startsOffline(agent.robot) : undefined;
  const dialer = new Dialer({
    // The robot that is known, and no other that answers there by now.
    agent: startsOffline === undefined ? agent : { ...agent, robot: startsOffline.robotId },
    book: openAddressBook(clock),
    loadSecure,
    WebSocket: WebSocket as WebSocketClass,
    clock,
    page: pageFacts(),
    explain: async (urls, page) => (await import('../diagnose/probe.ts')).explainWith(clock)(urls, page),
  });
  const session = await openSession({
    dial: dialer.dial,
    token,
    clock,
    random: (count) => crypto.getRandomValues(new Uint8Array(count)),
    client: `qiway-sdk/${VERSION}`,
    timeoutMs,
    serving,
    known,
    ...(startsOffline !== undefined && { startsOffline }),
  });
  const stopFollowing = followBetterWay({ session, dialer, clock });
  void session.closed.then(() => {
    stopFollowing();
    dialer.close();
  });
  const probe = (): void => {
    dialer.lookAgain();
    session.probe();
  };
  return { session, probe };
}

export const openPageSession: OpenRobotSession = async (request) => {
  const { session, probe } = await openOwnSession(request, lazyServing(onDemand));
  const page = thisPage();
  if (page !== undefined) void session.closed.then(probeWithPage({ probe }, page));
  return session;
};

// This program owns the link: its own WebSockets, its own session, which goes where the robot goes. A chunk of its own, for
// pages without a SharedWorker, for the SharedWorker, and for Node; nothing that the core loads may import it.
import { lazyServing } from '@qiway/protocol/bus/lazy-serving';
import type { ServingWith } from '@qiway/protocol/bus/serving-side';
import { QiwayError } from '@qiway/protocol/errors';
import { type ClientSession, openSession } from '@qiway/protocol/session/client-session';
import { afterMicrotasks } from '@qiway/protocol/session/turn';
import type { WebSocketClass } from '@qiway/protocol/transport/websocket';
import { openAddressBook } from '../address-book/address-book.ts';
import { loadSecure } from '../crypto/load-secure.ts';
import { followAge } from '../gateway/follow-age.ts';
import type { OfferRefusal } from '../gateway/gateway-messages.ts';
import { listenForGateway } from '../gateway/listen-for-gateway.ts';
import type { OwnerGateway } from '../gateway/owner-gateway.ts';
import type { OwnerLending } from '../leader/owner-lending.ts';
import { openKnownRobot } from '../metaobjects/known-robot.ts';
import { onDemand } from '../on-demand.ts';
import { onceLoaded } from '../once-loaded.ts';
import { missingAbilities } from '../page-abilities.ts';
import { VERSION } from '../version.ts';
import { followBetterWay } from './better-way.ts';
import type { DialRobot, OpenRobotSession, SessionRequest } from './dial.ts';
import { Dialer } from './dialer.ts';
import { probeWithPage, thisPage } from './page-probes.ts';
import { prepared } from './prepared.ts';
import { pageFacts } from './reachable.ts';

const loadLending = onceLoaded('takes what tabs lend', () => import('../leader/owner-lending.ts'));
const loadGateway = onceLoaded('answers the gateway', () => import('../gateway/owner-gateway.ts'));

/** A session, and what else its owner does. */
export interface OwnedSession {
  readonly session: ClientSession;
  /** Looks at once whether the link is alive. */
  probe(): void;
  /** Answers a request of the gateway that comes over the port. */
  answer(port: MessagePort): void;
  /** Serves a tab that may lead a way to the robot, over the port; returns how to end. */
  lead(port: MessagePort): () => void;
}

export interface OwnSessionParts {
  readonly serving: ServingWith;
  /** When what is sent goes out. Default: once the turn is over. */
  readonly schedule?: (flush: () => void) => void;
}

/** @throws as {@link OpenRobotSession} */
export async function openOwnSession(
  request: SessionRequest,
  { serving, schedule = afterMicrotasks }: OwnSessionParts,
): Promise<OwnedSession> {
  const { agent, token, clock, timeoutMs, offline = false } = request;
  const { WebSocket } = globalThis;
  if (WebSocket === undefined)
    throw new QiwayError('unsupported', 'This runtime has no WebSocket; Node has one since version 22.', {
      data: { what: 'WebSocket' },
    });
  const known = openKnownRobot(clock, agent.link);
  const startsOffline = offline ? await known.startsOffline(agent.robot) : undefined;
  let lending: OwnerLending | undefined;
  const dialer = new Dialer({
    extraWays: () => lending?.ways.now() ?? [],
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
    schedule,
    known,
    ...(startsOffline !== undefined && { startsOffline }),
  });
  let gateway: Promise<OwnerGateway> | undefined;
  const rememberedForMs = followAge({ session, known, today: Date.now });
  const stopFollowing = followBetterWay({ session, dialer, clock });
  void session.closed.then(() => {
    stopFollowing();
    dialer.close();
    gateway?.then((opened) => opened.close()).catch(() => {});
  });
  const answer = (port: MessagePort): void => {
    gateway ??= loadGateway().then(({ openOwnerGateway }) => openOwnerGateway(session, { clock, rememberedForMs }));
    gateway
      .then((opened) => opened.take(port))
      .catch(() => {
        gateway = undefined;
        port.postMessage({ kind: 'none' } satisfies OfferRefusal);
        port.close();
      });
  };
  const probe = (): void => {
    dialer.lookAgain();
    session.probe();
  };
  const lead = (port: MessagePort): (() => void) => {
    const serving = loadLending().then(({ openOwnerLending }) => {
      if (lending === undefined) {
        lending = openOwnerLending(clock);
        lending.ways.listen(() => {
          dialer.lookAgain();
          if (session.sessionState === 'offline') session.probe();
        });
      }
      return lending.serve(port);
    });
    serving.catch(() => port.close());
    return () => void serving.then((tab) => tab.leave('its tab is gone')).catch(() => {});
  };
  return { session, probe, answer, lead };
}

/** This program owns the link. */
export const dialPage: DialRobot = async (request) => openPageSession(await prepared(request));

const openPageSession: OpenRobotSession = async (request) => {
  const { session, probe, answer } = await openOwnSession(request, { serving: lazyServing(onDemand) });
  const page = thisPage();
  if (page !== undefined) {
    void session.closed.then(probeWithPage({ probe }, page));
    const take = (port: MessagePort): 'taken' => {
      answer(port);
      return 'taken';
    };
    void session.closed.then(listenForGateway(take));
  }
  return Object.assign(session, { missing: missingAbilities(), url: request.agent.shown });
};

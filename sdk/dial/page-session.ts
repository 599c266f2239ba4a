// The page (or the Node program) owns the link: its own WebSockets, its own session, which goes where the robot goes. A chunk
// of its own; nothing that the core loads may import it.
import { lazyServing } from '@qiway/protocol/bus/lazy-serving';
import { QiwayError } from '@qiway/protocol/errors';
import { openSession } from '@qiway/protocol/session/client-session';
import type { WebSocketClass } from '@qiway/protocol/transport/websocket';
import { openAddressBook } from '../address-book/address-book.ts';
import { loadSecure } from '../crypto/load-secure.ts';
import { onDemand } from '../on-demand.ts';
import { VERSION } from '../version.ts';
import { followBetterWay } from './better-way.ts';
import type { OpenRobotSession } from './dial.ts';
import { Dialer } from './dialer.ts';
import { probeWithPage, thisPage } from './page-probes.ts';
import { pageFacts } from './reachable.ts';

export const openPageSession: OpenRobotSession = async ({ agent, token, clock, timeoutMs }) => {
  const { WebSocket } = globalThis;
  if (WebSocket === undefined)
    throw new QiwayError('unsupported', 'This runtime has no WebSocket; Node has one since version 22.', {
      data: { what: 'WebSocket' },
    });
  const dialer = new Dialer({
    agent,
    book: openAddressBook(clock),
    loadSecure,
    WebSocket: WebSocket as WebSocketClass,
    clock,
    page: pageFacts(),
  });
  const session = await openSession({
    dial: dialer.dial,
    token,
    clock,
    random: (count) => crypto.getRandomValues(new Uint8Array(count)),
    client: `qiway-sdk/${VERSION}`,
    timeoutMs,
    serving: lazyServing(onDemand),
  });
  const page = thisPage();
  const probe = (): void => {
    dialer.lookAgain();
    session.probe();
  };
  const stops = [
    () => dialer.close(),
    followBetterWay({ session, dialer, clock }),
    ...(page === undefined ? [] : [probeWithPage({ probe }, page)]),
  ];
  void session.closed.then(() => {
    for (const stop of stops) stop();
  });
  return session;
};

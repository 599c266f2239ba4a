// The SharedWorker of the leader's site: owns one session, that has no socket of its own and goes over what leader tabs lend. A
// fixture, bundled for the browser.
import { expose } from 'comlink';
import { serving } from '../../protocol/bus/serving.ts';
import { type ClientSession, openSession } from '../../protocol/session/client-session.ts';
import { systemClock as clock } from '../../protocol/transport/system-clock.ts';
import type { WebSocketClass } from '../../protocol/transport/websocket.ts';
import { AddressBook } from '../../sdk/address-book/address-book.ts';
import { loadSecure } from '../../sdk/crypto/load-secure.ts';
import type { AgentUrl } from '../../sdk/dial/agent-url.ts';
import { Dialer } from '../../sdk/dial/dialer.ts';
import { serveLeaderTab } from '../../sdk/leader/leader-port.ts';
import { Lending } from '../../sdk/leader/lending.ts';
import { callMethod } from '../contract/calls.ts';

/** What the owner knows of its link. */
export interface LinkFacts {
  readonly address: string | undefined;
  readonly route: string | undefined;
  readonly isSealed: boolean | undefined;
  readonly hasResumed: boolean;
  readonly sessionId: string;
}

const lending = new Lending(clock);
let session: Promise<ClientSession> | undefined;

async function begin(agent: AgentUrl): Promise<ClientSession> {
  const { ways } = lending;
  if (ways.now().length === 0)
    await new Promise<void>((resolve) => {
      const stop = ways.listen(() => {
        stop();
        resolve();
      });
    });
  const dialer = new Dialer({
    agent,
    book: new AddressBook({ clock, today: Date.now }),
    loadSecure,
    WebSocket: function refuse() {
      throw new Error('this owner has no sockets');
    } as unknown as WebSocketClass,
    clock,
    extraWays: ways.now,
  });
  const opened = await openSession({
    dial: dialer.dial,
    token: agent.token ?? '',
    clock,
    random: (count) => crypto.getRandomValues(new Uint8Array(count)),
    client: 'test',
    timeoutMs: 10_000,
    serving,
  });
  ways.listen(() => {
    dialer.lookAgain();
    if (opened.sessionState === 'offline') opened.probe();
  });
  return opened;
}

/** What a page may ask of the owner. */
export interface LeaderWorkerTab {
  /** @param lock held by the page for as long as it lives; undefined where there are no locks. @param leading see `leaderOwnerAt` */
  hello(lock: string | undefined, leading: MessagePort): void;
  begin(agent: AgentUrl): Promise<void>;
  add(by: number): Promise<unknown>;
  facts(): Promise<LinkFacts>;
}

const tab: LeaderWorkerTab = {
  hello: (lock, leading) => {
    const part = lending.tab();
    serveLeaderTab(leading, { tab: part, clock });
    if (lock !== undefined) void navigator.locks.request(lock, () => part.leave('its tab is gone'));
  },
  begin: async (agent) => {
    session ??= begin(agent);
    await session;
  },
  add: async (by) => callMethod(await (await needed()).service('Thing'), 'add', by),
  facts: async () => {
    const { link, hasResumed, sessionId } = await needed();
    return { address: link?.address, route: link?.transport.route, isSealed: link?.isSealed, hasResumed, sessionId };
  },
};

function needed(): Promise<ClientSession> {
  if (session === undefined) throw new Error('nothing has begun');
  return session;
}

/** What is used of `SharedWorkerGlobalScope`. */
const scope = globalThis as unknown as {
  onconnect: ((event: { readonly ports: readonly MessagePort[] }) => void) | null;
};
scope.onconnect = ({ ports: [port] }) => {
  if (port !== undefined) expose(tab, port);
};

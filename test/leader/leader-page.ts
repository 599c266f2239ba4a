// A page of the leader's site: stands for election, and lends a WebSocket, in the place of what only pages have. A fixture, bundled
// for the browser.
import { transfer, wrap } from 'comlink';
import { SUBPROTOCOL } from '../../protocol/session/control.ts';
import { systemClock as clock } from '../../protocol/transport/system-clock.ts';
import { dialWebSocket, type WebSocketClass } from '../../protocol/transport/websocket.ts';
import type { AgentUrl } from '../../sdk/dial/agent-url.ts';
import { leaderOwnerAt } from '../../sdk/leader/leader-port.ts';
import { leaderTab } from '../../sdk/leader/leader-tab.ts';
import type { LeaderWorkerTab, LinkFacts } from './leader-worker.ts';

/** What the test asks of a page. */
export interface LeaderPage {
  begin(agent: AgentUrl): Promise<void>;
  add(by: number): Promise<unknown>;
  facts(): Promise<LinkFacts>;
  isLeading(): boolean;
  /** How often it came back from the back/forward cache. */
  returns(): number;
  readonly hasLocks: boolean;
}

const owner = wrap<LeaderWorkerTab>(new SharedWorker('/worker.js', { type: 'module' }).port);
const { locks } = navigator as { readonly locks?: LockManager };
const lock = `tab ${crypto.getRandomValues(new Uint32Array(4)).join('-')}`;
await new Promise<void>((resolve) => {
  if (locks === undefined) return resolve();
  void locks.request(lock, () => {
    resolve();
    return new Promise(() => {});
  });
});
const { port1, port2 } = new MessageChannel();
await owner.hello(locks && lock, transfer(port2, [port2]));

const agentOf = Promise.withResolvers<AgentUrl>();
const tab = leaderTab({
  robot: 'robot',
  way: { name: 'tab:stand-in', route: 'webrtc', rank: 10 },
  open: async ({ timeoutMs }) => {
    const { link } = await agentOf.promise;
    const WebSocket = globalThis.WebSocket as WebSocketClass;
    return dialWebSocket({ url: link, protocol: SUBPROTOCOL, timeoutMs, clock, WebSocket });
  },
  owner: leaderOwnerAt(port1),
  locks,
  page: { window, document },
  clock,
});
let returns = 0;
window.addEventListener('pageshow', ({ persisted }) => {
  if (persisted) returns += 1;
});

const page: LeaderPage = {
  begin: (agent) => {
    agentOf.resolve(agent);
    return owner.begin(agent);
  },
  add: (by) => owner.add(by),
  facts: () => owner.facts(),
  isLeading: () => tab.isLeading,
  returns: () => returns,
  hasLocks: locks !== undefined,
};
Object.assign(globalThis, { page });
document.title = 'ready';

// Leader tabs at the session of an owner, with an agent at the other end: its link is cut where its address was, and goes on over
// what the leader lends; the leader goes, and the next one lends.
import { serving } from '@qiway/protocol/bus/serving';
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import { SUBPROTOCOL } from '@qiway/protocol/session/control';
import { systemClock as clock } from '@qiway/protocol/transport/system-clock';
import { dialWebSocket, type WebSocketClass } from '@qiway/protocol/transport/websocket';
import { createLogger, startAgent } from '@qiway/robot-agent';
import { joinBus } from '@qiway/robot-agent/qi';
import { afterEach, expect, it } from 'vitest';
import { parseAgentUrl } from '../../sdk/dial/agent-url.ts';
import { openOwnSession } from '../../sdk/dial/page-session.ts';
import { leaderOwnerAt } from '../../sdk/leader/leader-port.ts';
import { type LeaderTab, leaderTab } from '../../sdk/leader/leader-tab.ts';
import { callMethod } from '../contract/calls.ts';
import { agentConfig } from '../support/agent-config.ts';
import { openLinkRelay } from './link-relay.ts';

const PATIENCE = { timeout: 10_000 };
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

it('the session of an owner goes over what a leader lends, and on over the next when that one goes', async () => {
  const agent = await startAgent(agentConfig({}), { logger: createLogger(() => {}, 'error'), clock });
  closing.push(() => agent.close());
  const bus = await joinBus(agent.busUrl);
  closing.push(() => bus.close());
  let ran = 0;
  await bus.host('Thing', createObject({ add: method('()', 'i', () => (ran += 1)) }));
  const parsed = parseAgentUrl(agent.url);
  const [address, channel] = [await openLinkRelay(parsed.link), await openLinkRelay(parsed.link)];
  closing.push(() => channel.close());
  const at = (port: number): string => `ws://127.0.0.1:${port}/robot/link`;
  const { session, lead } = await openOwnSession(
    { agent: { ...parsed, link: at(address.port) }, token: parsed.token, clock, timeoutMs: 10_000 },
    { serving },
  );
  closing.push(() => session.close());
  const tab = (): { readonly tab: LeaderTab; readonly gone: () => void } => {
    const { port1, port2 } = new MessageChannel();
    const gone = lead(port2);
    const WebSocket = globalThis.WebSocket as WebSocketClass;
    const leader = leaderTab({
      robot: 'robot',
      way: { name: 'tab:stand-in', route: 'webrtc', rank: -1 },
      open: ({ timeoutMs }) =>
        dialWebSocket({ url: at(channel.port), protocol: SUBPROTOCOL, timeoutMs, clock, WebSocket }),
      owner: leaderOwnerAt(port1),
      clock,
    });
    closing.push(async () => {
      leader.stop();
      gone();
      port1.close();
    });
    return { tab: leader, gone };
  };
  const [first, second] = [tab(), tab()];
  await expect.poll(() => first.tab.isLeading, PATIENCE).toBe(true);
  const { sessionId } = session;
  const thing = await session.service('Thing');
  expect(await callMethod(thing, 'add')).toBe(1);
  expect(session.link?.transport.route).toBe('direct');

  await address.close();
  const links: string[] = [];
  session.listenSession({ changed: () => links.push(`${session.sessionState} ${session.link?.address}`) });
  await expect.poll(() => [session.sessionState, session.link?.address], PATIENCE).toEqual(['online', 'tab:stand-in']);
  expect(await callMethod(thing, 'add')).toBe(2);
  expect(session.link).toMatchObject({ transport: { route: 'webrtc' }, isSealed: true });

  first.gone();
  await expect.poll(() => second.tab.isLeading, PATIENCE).toBe(true);
  // By its address, if that was quicker than the next leader.
  await expect.poll(() => callMethod(thing, 'add').catch(() => undefined), PATIENCE).toBe(3);
  expect(links).toContain('offline tab:stand-in');

  session.link?.transport.close(4400, 'cut');
  await expect.poll(() => [session.sessionState, session.link?.address], PATIENCE).toEqual(['online', 'tab:stand-in']);
  await expect.poll(() => callMethod(thing, 'add').catch(() => undefined), PATIENCE).toBe(4);
  expect(session).toMatchObject({ sessionId, hasResumed: true });
});

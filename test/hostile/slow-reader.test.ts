// A client that asks for much and reads nothing: it is ended at its bound, and costs the others nothing.
import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { connect, metaObjectOf } from '@qiway/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ControlType } from '../../protocol/wire/link-frame.ts';
import { type Bystander, bystander, type TargetProxy } from './bystander.ts';
import { type AgentProcess, BEARER, type ServiceProcess, startAgent, startService } from './processes.ts';
import { ask, frame, rawSession } from './raw-link.ts';

const MEBIBYTE = 1_048_576;
/** Events that may wait for one session, bytes; what comes beyond is left out, and counted. */
const EVENT_BOUND = 16 * MEBIBYTE;

let agent: AgentProcess;
let service: ServiceProcess;
let other: Bystander;
beforeAll(async () => {
  agent = await startAgent();
  service = await startService(agent.busUrl);
  other = await bystander(agent.url);
});
afterAll(async () => {
  await service.end();
  await agent.end();
});

test('a session that subscribes to large events and stops reading is thinned, then ended; the others get every event', async () => {
  await other.more(50);
  const before = await agent.memory();
  const subscribersBefore = (await service.counts()).subscribers;
  const robot = await connect<{ Target: TargetProxy }>(agent.url);
  const target = await robot.service('Target');
  const signal = [...metaObjectOf(target).signals.values()].find(({ name }) => name === 'flooded')?.uid ?? -1;
  let heard = 0;
  await target.flooded.connect((raw) => {
    expect(raw.length).toBe(MEBIBYTE);
    heard += 1;
  });
  const { serviceId = 0 } = (await robot.services()).find(({ name }) => name === 'Target') ?? {};
  const slow = await rawSession(agent);
  const registration = { signature: '(IIL)', args: [serviceId, signal, 1n], returns: 'L' };
  await ask(slow, { service: serviceId, action: 0 }, registration);
  const subscribers = (await service.counts()).subscribers;
  slow.socket.pause();
  let isEnded = false;
  const ended = agent.said('has taken nothing for').then(() => {
    isEnded = true;
  });
  let sent = 0;
  let mostQueued = 0;
  const flood = async (count: number): Promise<void> => {
    // Signs of life: it is not silent, it only does not read.
    slow.send(frame({ type: ControlType.ping, id: 1 }));
    await target.flood(count);
    sent += count * MEBIBYTE;
    mostQueued = Math.max(mostQueued, await agent.metric('qiway_session_queued_bytes'));
  };
  while (sent < 8 * EVENT_BOUND) await flood(8);
  expect(await agent.metric('qiway_events_missed_total')).toBeGreaterThan(0);
  // After ten seconds in which it took nothing.
  while (!isEnded) await flood(1);
  await ended;
  expect(mostQueued).toBeGreaterThan(EVENT_BOUND / 2);
  expect(mostQueued).toBeLessThan(2 * EVENT_BOUND);
  expect(heard).toBe(sent / MEBIBYTE);
  // One registration of the agent for both, and still there for the other.
  expect((await service.counts()).subscribers).toBe(subscribers);
  await target.flood(3);
  expect(heard).toBe(sent / MEBIBYTE + 3);
  await expect.poll(() => agent.memory(), { timeout: 8000, interval: 200 }).toBeLessThan(before + 32 * MEBIBYTE);
  slow.socket.resume();
  expect([1006, 4413]).toContain(await slow.closed);
  await robot.close();
  await expect.poll(async () => (await service.counts()).subscribers).toBe(subscribersBefore);
  await other.more(50);
});

/** Asks for the events of a signal over HTTP, and reads no further than that they come. */
async function stalledEvents({ origin }: AgentProcess): Promise<Socket> {
  const { port, host } = new URL(origin);
  const socket = connectSocket(Number(port), '127.0.0.1');
  const lines = ['GET /robot/services/Target/flooded HTTP/1.1', `Host: ${host}`, 'Accept: text/event-stream'];
  socket.write(`${lines.join('\r\n')}\r\nAuthorization: ${BEARER.authorization}\r\n\r\n`);
  const [head] = (await once(socket, 'data')) as [Buffer];
  expect(head.toString()).toMatch(/^HTTP\/1.1 200 /);
  socket.pause();
  return socket;
}

test('readers of server-sent events that stop reading share one short log', async () => {
  await other.more(10);
  const before = await agent.memory();
  const stalled = await Promise.all(Array.from({ length: 10 }, () => stalledEvents(agent)));
  const target = await other.robot.service('Target');
  for (let round = 0; round < 3; round += 1) await target.flood(8);
  expect(await agent.memory()).toBeLessThan(before + 64 * MEBIBYTE);
  for (const socket of stalled) socket.destroy();
});

test('the bystander lost nothing', async () => {
  await other.finish();
  await expect.poll(() => agent.metric('qiway_sessions')).toBe(0);
});

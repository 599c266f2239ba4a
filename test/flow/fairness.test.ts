// An agent and a service in processes of their own, over real sockets: clients that do not read, clients that come and go,
// and large messages on the same link cost others nothing that can be counted.
import { connect, metaObjectOf } from '@qiway/sdk';
import { afterEach, expect, test } from 'vitest';
import { ControlType } from '../../protocol/wire/link-frame.ts';
import { MessageType } from '../../protocol/wire/message.ts';
import { encodeValue } from '../../protocol/wire/value.ts';
import { bystander, type TargetProxy } from '../hostile/bystander.ts';
import { type AgentProcess, type Child, startAgent, startService, TOKEN } from '../hostile/processes.ts';
import { ask, frame, type RawLink, rawSession } from '../hostile/raw-link.ts';
import { openAgentSession } from '../support/dial-agent.ts';
import { startShapedProxy } from './shaped-proxy.ts';

const MEBIBYTE = 1_048_576;
/** What may wait for all sessions together, and what may be on its way when that is seen. */
const BUDGET = 512 * MEBIBYTE;
const SLACK = 64 * MEBIBYTE;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function robot(keepSessionMs: number): Promise<AgentProcess> {
  const agent = await startAgent('', { keepSessionMs });
  const service = await startService(agent.busUrl);
  for (const child of [agent, service] satisfies Child[]) closers.push(() => child.end());
  return agent;
}

function through(port: number, url: string): string {
  return url.replace(/:\d+\//, `:${port}/`);
}

/** A client that asks for much, says that it lives, and reads nothing any more. */
async function stalled(
  agent: AgentProcess,
  { serviceId, actions, replies }: { serviceId: number; actions: ReadonlyMap<string, number>; replies: number },
): Promise<RawLink> {
  const link = await rawSession(agent);
  for (const [index, name] of ['flooded', 'stepped'].entries())
    await ask(
      link,
      { service: serviceId, action: 0 },
      { signature: '(IIL)', args: [serviceId, actions.get(name) ?? -1, BigInt(index)], returns: 'L' },
    );
  link.socket.pause();
  const call = { type: MessageType.call, service: serviceId, object: 1, action: actions.get('rawOf') ?? -1 };
  for (let id = 1; id <= replies; id += 1) link.send(frame({ ...call, id }, encodeValue('(I)', [MEBIBYTE])));
  const beat = setInterval(() => link.send(frame({ type: ControlType.ping, id: 1 })), 500);
  closers.push(async () => {
    clearInterval(beat);
    link.socket.terminate();
  });
  return link;
}

test('clients that do not read miss events, lose their links, end; what waits is bounded, others get all', async () => {
  const agent = await robot(2000);
  const other = await bystander(agent.url);
  await other.more(20);
  const reader = await connect<{ Target: TargetProxy }>(agent.url);
  const target = await reader.service('Target');
  const { serviceId = 0 } = (await reader.services()).find(({ name }) => name === 'Target') ?? {};
  const { methods, signals } = metaObjectOf(target);
  const actions = new Map([...methods.values(), ...signals.values()].map(({ name, uid }) => [name, uid]));
  let heard = 0;
  await target.flooded.connect(() => (heard += 1), { gap: () => expect.unreachable() });
  await target.flood(4);
  const before = await agent.memory();

  const count = 20;
  await Promise.all(Array.from({ length: count }, () => stalled(agent, { serviceId, actions, replies: 10 })));
  let sent = 4;
  const queued: number[] = [];
  /** Rounds in which something was seen first. */
  const first = new Map<string, number>();
  for (let round = 0; !first.has('all ended'); round += 1) {
    expect(round).toBeLessThan(3000);
    await target.flood(1);
    sent += 1;
    await other.more(1);
    const { lost, ended, missed, sessions } = await look(agent);
    queued.push(await agent.metric('qiway_session_queued_bytes'));
    const seen = { missed: missed > 0, lost: lost > 0, ended: ended > 0, 'all ended': sessions === 2 };
    for (const [name, isSeen] of Object.entries(seen)) if (isSeen && !first.has(name)) first.set(name, round);
  }
  expect(Math.max(...queued)).toBeLessThan(BUDGET + SLACK);
  expect(Math.max(...queued)).toBeGreaterThan(128 * MEBIBYTE);
  const { lost, ended } = await look(agent);
  expect(lost).toBeGreaterThan(0);
  expect(ended).toBe(count);
  expect(first.get('missed')).toBeLessThanOrEqual(first.get('lost') ?? 0);
  expect(first.get('lost')).toBeLessThanOrEqual(first.get('all ended') ?? 0);
  expect(heard).toBe(sent);
  await reader.close();
  await other.finish();
  await expect.poll(() => agent.memory(), { timeout: 8000, interval: 200 }).toBeLessThan(before + 32 * MEBIBYTE);
}, 90_000);

async function look(agent: AgentProcess): Promise<Record<'lost' | 'ended' | 'missed' | 'sessions', number>> {
  const [stalledLinks, away, limit, missed, sessions] = await Promise.all([
    agent.metric('qiway_links_lost_total\\{reason="stalled"\\}'),
    agent.metric('qiway_sessions_ended_total\\{reason="away"\\}'),
    agent.metric('qiway_sessions_ended_total\\{reason="limit"\\}'),
    agent.metric('qiway_events_missed_total'),
    agent.metric('qiway_sessions'),
  ]);
  return { lost: stalledLinks ?? 0, ended: (away ?? 0) + (limit ?? 0), missed: missed ?? 0, sessions: sessions ?? 0 };
}

test('clients that come back all the time cost others no answer and no event, and the agent no memory', async () => {
  const agent = await robot(5000);
  const other = await bystander(agent.url);
  const proxy = await startShapedProxy(Number(new URL(agent.origin).port), 100 * MEBIBYTE);
  closers.push(() => proxy.close());
  const count = 20;
  // Below the SDK, which would find the agent's own address.
  const sessions = await Promise.all(
    Array.from({ length: count }, () => openAgentSession(`http://127.0.0.1:${proxy.port}`, { token: TOKEN })),
  );
  const heard = sessions.map(() => 0);
  for (const [index, session] of sessions.entries()) {
    const target = await session.service('Target');
    const stepped = [...target.metaObject.signals.values()].find(({ name }) => name === 'stepped')?.uid ?? -1;
    await target.subscribe(stepped, { event: () => (heard[index] = (heard[index] ?? 0) + 1), gone: () => {} }).ready;
  }
  const from = [...heard];
  const resumed = (): Promise<number> => agent.metric('qiway_sessions_resumed_total');
  /** Cuts them all so often, each time when all are back; returns what the agent keeps in memory. */
  const cut = async (rounds: number): Promise<number> => {
    for (let round = 0; round < rounds; round += 1) {
      const before = await resumed();
      proxy.cutAll();
      while ((await resumed()) < before + count) await other.more(1);
    }
    return agent.memory();
  };
  const half = await cut(10);
  expect(await cut(10)).toBeLessThan(half + 16 * MEBIBYTE);
  expect(await agent.metric('qiway_links_lost_total\\{reason="closed"\\}')).toBe(20 * count);
  await other.more(20);
  await other.finish();
  await expect.poll(() => Math.min(...heard.map((events, index) => events - (from[index] ?? 0)))).toBeGreaterThan(20);
  expect(await agent.metric('qiway_events_missed_total')).toBe(0);
  for (const session of sessions) await session.close();
}, 90_000);

test('small calls go on while many mebibytes wait on the same link, up and down', async () => {
  const agent = await robot(5000);
  const client = await connect<{ Target: TargetProxy }>(agent.url, { timeoutMs: 0 });
  closers.push(() => client.close());
  const target = await client.service('Target');
  const body = new Uint8Array(MEBIBYTE);
  const calls = 64;
  for (const start of [() => target.lengthOf(body), () => target.rawOf(MEBIBYTE)]) {
    let left = calls;
    const bulk = Promise.all(Array.from({ length: calls }, () => Promise.resolve(start()).then(() => (left -= 1))));
    let small = 0;
    while (left > 0) {
      // To another object: what goes to one stays in order.
      await client.services();
      small += 1;
    }
    await bulk;
    // Behind all that waits it would be one.
    expect(small).toBeGreaterThan(8);
  }
}, 60_000);

test.each([
  [20, 96 * 1024],
  [50, 256 * 1024],
  [200, MEBIBYTE],
])(
  'a link of %d kB/s is slow, and not lost: large messages both ways, small ones between them',
  async (rate, bytes) => {
    const agent = await robot(5000);
    const proxy = await startShapedProxy(Number(new URL(agent.origin).port), rate * 1000);
    closers.push(() => proxy.close());
    const client = await connect<{ Target: TargetProxy }>(through(proxy.port, agent.url), { timeoutMs: 0 });
    closers.push(() => client.close());
    const target = await client.service('Target');
    let isDone = false;
    const bulk = Promise.all([target.lengthOf(new Uint8Array(bytes)), target.rawOf(bytes)]).finally(
      () => (isDone = true),
    );
    let small = 0;
    while (!isDone) {
      await client.services();
      small += 1;
    }
    const [up, down] = await bulk;
    expect([up, down.length]).toEqual([bytes, bytes]);
    expect(small).toBeGreaterThan(2);
    expect(proxy.connections).toBe(1);
    expect(await agent.metric('qiway_links_lost_total\\{reason="silence"\\}')).toBe(0);
  },
  60_000,
);

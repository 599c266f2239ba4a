// Calls that may wait, from a program to a real agent: by the classes that the agent tells, past its guards, over its journal.
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { type Agent, createLogger, startAgent } from '@qiway/robot-agent';
import { connect, latest, type QueueChange, queue, type Robot, type Status } from '@qiway/sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentConfig } from '../support/agent-config.ts';

const later = { offline: queue({ ttlMs: 60_000 }) };

let agent: Agent;
let ran: string[];
const closing: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  ran = [];
  const logger = createLogger(() => {}, 'silent');
  const classes = [{ pattern: 'Lamp.set', memberClass: 'idempotent' as const }];
  agent = await startAgent(agentConfig({ classes }), { logger, clock: systemClock });
  closing.push(agent);
  const run = (name: string) =>
    method('(s)', 's', (value: string) => {
      ran.push(`${name}(${value})`);
      return value;
    });
  await agent.bus.host('Lamp', createObject({ set: run('set'), blink: run('blink') }));
  await agent.bus.host('ALMotion', createObject({ moveTo: run('moveTo'), getName: run('getName') }));
});

afterEach(async () => {
  for (const each of closing.splice(0).reverse()) await each.close();
});

async function open(): Promise<Robot> {
  const robot = await connect(agent.url, { onError: () => {} });
  closing.push(robot);
  return robot;
}

test('a robot that is there is called at once; what becomes of it is told', async () => {
  const robot = await open();
  const lamp = await robot.service('Lamp');
  const changes: QueueChange[] = [];
  robot.queue.onChange((change) => changes.push(change));
  const counts: number[] = [];
  robot.onStatusChange(({ queued }: Status) => counts.push(queued));
  await expect(lamp['set']?.with(later)('a')).resolves.toBe('a');
  await expect(lamp['blink']?.with({ offline: latest() })('b')).resolves.toBe('b');
  expect(ran).toEqual(['set(a)', 'blink(b)']);
  expect(changes.map(({ kind, entry, result }) => [kind, entry.class, result])).toEqual([
    ['queued', 'idempotent', undefined],
    ['sending', 'idempotent', undefined],
    ['done', 'idempotent', 'a'],
    ['queued', 'unknown', undefined],
    ['sending', 'unknown', undefined],
    ['done', 'unknown', 'b'],
  ]);
  expect(counts).toContain(1);
  expect([robot.status.queued, robot.queue.length, robot.queue.isDurable]).toEqual([0, 0, false]);
  expect([await robot.queue.list(), await robot.queue.cancel('nobody')]).toEqual([[], false]);
});

test('changes come one after the other too, until the robot is closed', async () => {
  const robot = await open();
  const lamp = await robot.service('Lamp');
  const changes = robot.queue.changes();
  await lamp['blink']?.with(later)('a');
  await robot.close();
  const kinds: string[] = [];
  for await (const { kind } of changes) kinds.push(kind);
  expect(kinds).toEqual(['queued', 'sending', 'done']);
});

test('what moves the robot never waits, by the classes of the agent; what only asks may', async () => {
  const robot = await open();
  const motion = await robot.service('ALMotion');
  const forbidden = { code: 'forbidden', data: { reason: 'motion' } };
  await expect(motion['moveTo']?.with(later)('a')).rejects.toMatchObject(forbidden);
  await expect(motion['moveTo']?.with({ whenBusDown: 'wait' })('a')).rejects.toMatchObject(forbidden);
  await expect(motion['getName']?.with(later)('b')).resolves.toBe('b');
  await expect(motion['getName']?.with({ whenBusDown: 'wait' })('c')).resolves.toBe('c');
  expect(ran).toEqual(['getName(b)', 'getName(c)']);
});

test('a call that waits is under the lease of another like any call', async () => {
  const [driver, other] = [await open(), await open()];
  const lease = await driver.lease(['Lamp']);
  const lamp = await other.service('Lamp');
  for (const member of ['blink', 'set'])
    await expect(lamp[member]?.with(later)('a')).rejects.toMatchObject({ code: 'lease-held' });
  expect(ran).toEqual([]);
  await lease.release();
  await expect(lamp['blink']?.with(later)('b')).resolves.toBe('b');
});

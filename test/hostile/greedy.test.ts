// A client that asks for more than anybody needs: bounds hold, it pays for it, and the others go on.
import { setImmediate } from 'node:timers/promises';
import { connect, createObject, metaObjectOf, method } from '@qiway/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MessageType } from '../../protocol/wire/message.ts';
import { decodeValue, encodeValue } from '../../protocol/wire/value.ts';
import { type Bystander, bystander, type TargetProxy } from './bystander.ts';
import { type AgentProcess, type ServiceProcess, startAgent, startService } from './processes.ts';
import { ask, codeOf, frame, type RawLink, rawSession } from './raw-link.ts';

const MEBIBYTE = 1_048_576;
/** Calls of one link under way at once, and its registrations (limits of a peer). */
const MAX_AT_ONCE = 65_536;

let agent: AgentProcess;
let service: ServiceProcess;
let other: Bystander;
let serviceId: number;
let before: number;
const action = { step: -1, endless: -1, dynamic: -1, lengthOf: -1, stepped: -1 };
beforeAll(async () => {
  agent = await startAgent();
  service = await startService(agent.busUrl);
  other = await bystander(agent.url);
  serviceId = (await other.robot.services()).find(({ name }) => name === 'Target')?.serviceId ?? -1;
  const { methods, signals } = metaObjectOf(await other.robot.service('Target'));
  for (const { name, uid } of [...methods.values(), ...signals.values()])
    if (name in action) action[name as 'step'] = uid;
  await other.more(50);
  before = await agent.memory();
});
afterAll(async () => {
  await service.end();
  await agent.end();
});

function call(id: number, member: keyof typeof action, body?: Uint8Array): Uint8Array {
  return frame({ type: MessageType.call, id, service: serviceId, object: 1, action: action[member] }, body);
}

/** In batches, one a turn: the bystander lives in this process too, and needs its heartbeat. */
async function sendAll(link: RawLink, count: number, make: (index: number) => Uint8Array): Promise<void> {
  for (let from = 0; from < count; from += 2000) {
    link.send(...Array.from({ length: Math.min(2000, count - from) }, (_, index) => make(from + index)));
    await setImmediate();
  }
}

async function memoryIsBack(): Promise<void> {
  await expect.poll(() => agent.memory(), { timeout: 8000, interval: 200 }).toBeLessThan(before + 32 * MEBIBYTE);
}

test('100,000 calls whose answers nobody reads are answered nevertheless', async () => {
  const link = await rawSession(agent);
  link.socket.pause();
  const body = encodeValue('(si)', ['greedy', 1]);
  await sendAll(link, 100_000, (index) => call(index + 10, 'step', body));
  await other.more(50);
  link.socket.resume();
  const answered = (): number =>
    new Set(link.received.filter(({ header }) => header.type <= 3).map(({ header }) => header.id)).size;
  await link.until(() => link.received.length >= 100_000 && answered() === 100_000);
  await link.cut();
  await other.more(20);
  await memoryIsBack();
});

test('100,000 calls that never end: what is beyond the bound is refused, and all are cancelled with the link', async () => {
  const link = await rawSession(agent);
  const { nevers } = await service.counts();
  await sendAll(link, 100_000, (index) => call(index + 10, 'endless'));
  await link.until(() => link.received.slice(-5000).some(({ header }) => header.id === 100_009));
  const refused = link.received.filter(({ header }) => header.type === MessageType.error);
  expect(refused).toHaveLength(100_000 - MAX_AT_ONCE);
  expect(codeOf(refused[0]?.body ?? new Uint8Array(0))).toBe('limit-exceeded');
  await link.cut();
  await expect.poll(async () => (await service.counts()).nevers - nevers).toBe(MAX_AT_ONCE);
  await expect.poll(async () => (await service.counts()).cancels, { timeout: 5000 }).toBe(nevers + MAX_AT_ONCE);
  await other.more(20);
});

test('the same id for every call does not pass the bound by', async () => {
  const link = await rawSession(agent);
  const { nevers } = await service.counts();
  await sendAll(link, 100_000, () => call(7, 'endless'));
  expect(await ask(link, { service: 1, action: 108 }, { signature: '()', args: [], returns: 's' })).toMatch(/./);
  await other.more(20);
  expect((await service.counts()).nevers - nevers).toBeLessThanOrEqual(MAX_AT_ONCE);
  await link.cut();
  await expect
    .poll(async () => (await service.counts()).cancels, { timeout: 5000 })
    .toBe((await service.counts()).nevers);
});

test('10,000 registrations and 10,000 objects are kept as long as their session, and no longer', async () => {
  const robot = await connect<{ Target: TargetProxy }>(agent.url);
  const target = await robot.service('Target');
  const link = await rawSession(agent);
  for (let each = 0; each < 10_000; each += 1)
    link.send(
      frame(
        { type: MessageType.call, id: each + 10, service: serviceId, object: 1, action: 0 },
        encodeValue('(IIL)', [serviceId, action.stepped, BigInt(each)]),
      ),
    );
  await link.answer(10_009);
  await target.step('greedy', 1);
  await link.cut();
  const page = createObject({ show: method('(s)', 'v', () => {}) });
  for (let round = 0; round < 10; round += 1) await Promise.all(Array.from({ length: 1000 }, () => target.keep(page)));
  const things = await Promise.all(Array.from({ length: 1000 }, () => target.thing()));
  expect(await agent.metric('qiway_session_objects')).toBe(1000);
  expect(things).toHaveLength(1000);
  await robot.close();
  await service.ask('drop');
  await expect.poll(() => service.counts(), { timeout: 5000 }).toMatchObject({ things: 0, kept: 0 });
  await other.more(20);
  await memoryIsBack();
});

test('1000 services of one page come, and go with it', async () => {
  const robot = await connect(agent.url);
  await Promise.all(Array.from({ length: 1000 }, (_, index) => robot.host(`Many${index}`, { ask: () => index })));
  expect(await other.robot.services()).toHaveLength(1002);
  await robot.close();
  await expect.poll(async () => (await other.robot.services()).length, { timeout: 5000 }).toBe(2);
});

test.each([
  ['200 MB', 200_000_000],
  ['4 GiB', 0xffff_ffff],
])('an argument of %s is refused before it comes', async (_, size) => {
  const link = await rawSession(agent);
  const begin = new Uint8Array(65_540);
  new DataView(begin.buffer).setUint32(0, size, true);
  link.send(
    frame({ type: MessageType.call, flags: 0x80, stream: 1, id: 1, service: serviceId, object: 1, action: 100 }, begin),
  );
  expect(await link.closed).toBe(4413);
});

test('promises of large messages take no memory', async () => {
  const links = await Promise.all(Array.from({ length: 8 }, () => rawSession(agent)));
  const begin = new Uint8Array(65_540);
  new DataView(begin.buffer).setUint32(0, 127 * MEBIBYTE, true);
  for (const link of links)
    link.send(
      frame(
        { type: MessageType.call, flags: 0x80, stream: 1, id: 1, service: serviceId, object: 1, action: 100 },
        begin,
      ),
    );
  await other.more(20);
  expect(await agent.memory()).toBeLessThan(before + 64 * MEBIBYTE);
  await Promise.all(links.map((link) => link.cut()));
});

/** A dynamic: a signature, and bytes behind it. */
function dynamic(signature: string, ...bytes: number[]): Uint8Array {
  return Buffer.concat([encodeValue('s', signature), new Uint8Array(bytes)]);
}

const HUGE = [255, 255, 255, 255];
const BOMBS: readonly [string, Uint8Array][] = [
  ['a list of 4 billion', dynamic('[i]', ...HUGE)],
  ['lists of nothings in lists', dynamic('[[()]]', 255, 255, 0, 0, ...HUGE)],
  ['a map of 4 billion', dynamic('{ss}', ...HUGE)],
  ['many dynamics of nothing', dynamic('[m]', ...HUGE, 1, 0, 0, 0, 0x76)],
  ['a string of 4 GiB', dynamic('s', ...HUGE)],
  ['a raw of 4 GiB', dynamic('r', ...HUGE)],
  ['an open signature', dynamic('('.repeat(16_000))],
  ['a signature deeper than the stack', dynamic(`${'['.repeat(8000)}m${']'.repeat(8000)}`, 0, 0, 0, 0)],
  ['a signature of many members', dynamic(`(${'m'.repeat(16_000)})`)],
  ['a signature of 100 kB', dynamic(`(${'i'.repeat(100_000)})`)],
  ['a signature that is none', dynamic('q')],
  ['optionals in optionals', dynamic(`${'+'.repeat(10_000)}m`, ...Array(10_000).fill(1))],
  ['dynamics in dynamics', Buffer.concat(Array.from({ length: 20_000 }, () => encodeValue('s', 'm')))],
  ['lists in dynamics in lists', Buffer.concat(Array.from({ length: 5000 }, () => dynamic('[m]', 1, 0, 0, 0)))],
  ['an object without end', dynamic('o', ...HUGE)],
  ['a metaobject of 4 billion methods', dynamic('o', 1, ...HUGE)],
];

test.each(BOMBS)('a dynamic with %s gets an error, and fast', async (_, bytes) => {
  const link = await rawSession(agent);
  const beganMs = performance.now();
  link.send(call(5, 'dynamic', bytes));
  const { header, body } = await link.answer(5);
  expect(performance.now() - beganMs).toBeLessThan(2000);
  expect(header.type).toBe(MessageType.error);
  expect(codeOf(body)).toMatch(/^(wire-invalid|limit-exceeded|invalid-argument)$/);
  await link.cut();
});

test.each(['[()]', '{()()}'])('billions of nothings (%s) take no room and pass', async (signature) => {
  const link = await rawSession(agent);
  const bytes = dynamic(signature, ...HUGE);
  link.send(call(5, 'dynamic', bytes));
  expect(Buffer.from((await link.answer(5)).body).equals(bytes)).toBe(true);
  await link.cut();
  // Whoever wants to see them is protected by the decoder.
  expect(() => decodeValue('m', bytes)).toThrow('limit-exceeded');
});

test('after all that the others have lost nothing', async () => {
  await other.finish();
  await expect.poll(() => agent.metric('qiway_sessions')).toBe(0);
  await memoryIsBack();
  expect([agent.isAlive, service.isAlive]).toEqual([true, true]);
});

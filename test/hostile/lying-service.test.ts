// A program on the robot's bus that breaks every promise: those who call it get typed errors, the others nothing at all.
import { connect, isQiwayError, type RemoteObject, type Robot, type Signal } from '@qiway/sdk';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { MessageType } from '../../protocol/wire/message.ts';
import { encodeValue } from '../../protocol/wire/value.ts';
import { createObject, Dynamic, method, signal } from '../../robot-agent/qi/index.ts';
import { type RawClient, type Received, rawClient } from '../qi/raw-client.ts';
import { type Bystander, bystander } from './bystander.ts';
import { type AgentProcess, type ServiceProcess, startAgent, startService } from './processes.ts';

interface Liar {
  number(): number;
  text(): string;
  list(): string[];
  object(): RemoteObject<{ touch(): number }>;
  nothing(): void;
  readonly said: Signal<[string]>;
}

const INFO = '(sIsI[s]ss)<ServiceInfo,name,serviceId,machineId,processId,endpoints,sessionId,objectUid>';
const YES = new Dynamic('b', true);
const CAPABILITIES = { RemoteCancelableCalls: YES, ObjectPtrUID: YES, MessageFlags: YES };
const MEMBERS = createObject({
  number: method('()', 'i', () => 0),
  text: method('()', 's', () => ''),
  list: method('()', '[s]', () => []),
  object: method('()', 'o', () => null),
  nothing: method('()', 'v', () => {}),
  said: signal('(s)'),
}).metaObject;
const said = [...MEMBERS.signals.values()].find(({ name }) => name === 'said')?.uid ?? -1;

let agent: AgentProcess;
let service: ServiceProcess;
let other: Bystander;
beforeAll(async () => {
  agent = await startAgent();
  service = await startService(agent.busUrl);
  other = await bystander(agent.url);
});
afterAll(async () => {
  await other.finish();
  await service.end();
  await agent.end();
});

let raw: RawClient;
let robot: Robot<{ Liar: Liar }>;
let serviceId: number;
/** What the SDK could not tell anybody. */
const reported: unknown[] = [];
beforeEach(async () => {
  raw = await rawClient(agent.busUrl);
  await call(0, 8, encodeValue('{sm}', CAPABILITIES), 0);
  const info = {
    serviceId: 0,
    machineId: '',
    processId: 1,
    endpoints: [agent.busUrl],
    sessionId: 'liar',
    objectUid: '',
  };
  const { payload } = await call(1, 102, encodeValue(`(${INFO})`, [{ ...info, name: 'Liar' }]));
  serviceId = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
  await call(1, 104, encodeValue('(I)', [serviceId]));
  robot = await connect<{ Liar: Liar }>(agent.url, { onError: (error) => reported.push(error) });
});
afterEach(async () => {
  await robot.close();
  await raw.close();
  await expect.poll(async () => (await other.robot.services()).map(({ name }) => name)).not.toContain('Liar');
  await other.more(10);
});

let nextId = 2;

function call(of: number, action: number, payload?: Uint8Array, object = 1): Promise<Received> {
  const id = nextId++;
  raw.send({ id, type: MessageType.call, service: of, object, action }, payload);
  return raw.take(({ header }) => header.id === id && header.type !== MessageType.call && header.service === of);
}

function answer({ header }: Received, payload?: Uint8Array, type: number = MessageType.reply): void {
  raw.send({ ...header, type, flags: 0 }, payload);
}

/** The next call of the service's main object. */
function asked(action?: number): Promise<Received> {
  return raw.take(
    ({ header }) =>
      header.type === MessageType.call && header.service === serviceId && (action ?? header.action) === header.action,
  );
}

/** The service as a page sees it; its metaobject is the one promise that is kept. */
async function liar(): Promise<RemoteObject<Liar>> {
  const found = robot.service('Liar');
  answer(await asked(2), MEMBERS.bytes);
  return found;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const failure = await promise.then(
    (value) => new Error(`it gave ${String(value)}`),
    (error: unknown) => error,
  );
  return isQiwayError(failure) ? failure.code : String(failure);
}

function event(payload: Uint8Array, action: number = said): void {
  raw.send({ id: 1, type: MessageType.event, service: serviceId, object: 1, action }, payload);
}

test('answers that do not fit their signature', async () => {
  const object = await liar();
  const nonsense = [
    new Uint8Array(0),
    new Uint8Array([255, 255, 255, 255]),
    new Uint8Array(3),
    new Uint8Array(5000).fill(255),
  ];
  for (const bytes of nonsense)
    for (const name of ['number', 'text', 'list', 'object'] as const) {
      const outcome = (object[name] as () => Promise<unknown>)();
      answer(await asked(), bytes);
      if (name === 'number' && bytes.length >= 4) await outcome.catch(() => {});
      else expect([name, bytes.length, await codeOf(outcome)]).toEqual([name, bytes.length, 'wire-invalid']);
    }
  const errors = [new Uint8Array(0), new Uint8Array(9).fill(255), encodeValue('s', 'm')];
  for (const bytes of errors) {
    const outcome = object.nothing();
    answer(await asked(), bytes, MessageType.error);
    expect(await codeOf(outcome)).toBe('call-failed');
  }
});

test('answers twice, answers what was not asked, answers after a cancel', async () => {
  const object = await liar();
  const first = object.number();
  const call1 = await asked();
  answer(call1, encodeValue('i', 1));
  answer(call1, encodeValue('i', 2));
  answer(call1, encodeValue('m', 'late'), MessageType.error);
  expect(await first).toBe(1);
  const stop = new AbortController();
  const cancelled = object.number.with({ signal: stop.signal })();
  const call2 = await asked();
  stop.abort();
  expect(await codeOf(cancelled)).toBe('canceled');
  await raw.take(({ header }) => header.type === MessageType.cancel);
  answer(call2, encodeValue('i', 3));
  answer(call2, undefined, MessageType.canceled);
  for (let id = 0; id < 5000; id += 1)
    raw.send({ id, type: MessageType.reply, service: serviceId, object: 1, action: 100 }, encodeValue('i', 666));
  // The directory answers in order, so all of them have been read.
  await call(1, 108);
  const last = object.number();
  answer(await asked(), encodeValue('i', 4));
  expect(await last).toBe(4);
});

test('events that were not asked for, do not fit, or never end', async () => {
  const object = await liar();
  event(encodeValue('(s)', ['too early']));
  const before = object.number();
  answer(await asked(), encodeValue('i', 1));
  await before;
  const heard: string[] = [];
  const connecting = object.said.connect((text) => heard.push(text));
  answer(await asked(0), encodeValue('L', 1n));
  await connecting;
  for (const bytes of [new Uint8Array(0), new Uint8Array(4).fill(255), new Uint8Array(2)]) event(bytes);
  event(encodeValue('(s)', ['other signal']), said + 1);
  for (let count = 0; count < 50_000; count += 1) event(encodeValue('(s)', [`${count}`]));
  const last = object.number();
  answer(await asked(), encodeValue('i', 1));
  expect(await last).toBe(1);
  expect(heard).toHaveLength(50_000);
  expect(reported.splice(0)).toMatchObject([
    { code: 'wire-invalid' },
    { code: 'wire-invalid' },
    { code: 'wire-invalid' },
  ]);
  expect(heard.at(-1)).toBe('49999');
});

test('objects that end as soon as they are given, or are nobody', async () => {
  const object = await liar();
  const THING = createObject({ touch: method('()', 'i', () => 1) }).metaObject;
  const reference = (of: number, id: number): Uint8Array => {
    const tail = new Uint8Array(28);
    new DataView(tail.buffer).setUint32(0, of, true);
    new DataView(tail.buffer).setUint32(4, id, true);
    return Buffer.concat([THING.bytes, tail]);
  };
  const given = object.object();
  answer(await asked(), reference(serviceId, 77));
  const thing = await given;
  const touching = thing.touch();
  const touched = await raw.take(({ header }) => header.object === 77 && header.type === MessageType.call);
  answer(touched, encodeValue('m', 'The call request could not be handled.'), MessageType.error);
  expect(await codeOf(touching)).toMatch(/^(object-gone|call-failed|wire-invalid)$/);
  // An address of the directory, or of another program, is still one on this socket.
  for (const [of, id] of [
    [1, 1],
    [2, 1],
    [0, 5],
    [0xffff_ffff, 0xffff_ffff],
  ] as const) {
    const outcome = object.object().then((one) => one.touch.with({ timeoutMs: 200 })());
    answer(await asked(), reference(of, id));
    expect(await codeOf(outcome)).toMatch(/^[a-z]+(-[a-z]+)*$/);
  }
  const last = object.object();
  answer(await asked(), reference(serviceId, 78));
  const lost = await last;
  raw.socket.destroy();
  await expect.poll(() => codeOf(lost.touch())).toMatch(/^(object-gone|service-gone)$/);
});

test('dies in mid-call: at once, honestly, and for its callers alone', async () => {
  const object = await liar();
  const calls = Array.from({ length: 1000 }, () => object.number());
  const codes = calls.map(codeOf);
  await asked();
  raw.socket.resetAndDestroy();
  expect(new Set(await Promise.all(codes))).toEqual(new Set(['service-gone']));
  await expect(calls[0]).rejects.toMatchObject({ maybeExecuted: true });
  expect(await codeOf(object.number())).toBe('service-gone');
});

test('says what no message of qi says: its socket is closed, and it is gone', async () => {
  const object = await liar();
  const pending = codeOf(object.number());
  raw.socket.write(new Uint8Array(100).fill(1));
  await raw.closed;
  expect(await pending).toMatch(/^(service-gone|wire-invalid)$/);
});

test('after all that nothing is left of it', async () => {
  await expect.poll(() => agent.metric('qiway_session_objects')).toBe(0);
  expect([agent.isAlive, service.isAlive]).toEqual([true, true]);
});

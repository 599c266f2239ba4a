// What a call must be to be allowed to wait, and what the queue is given of it. Without a queue, sockets or time.
import { beforeEach, expect, test } from 'vitest';
import { NO_OBJECTS, type Payload } from '../../protocol/bus/bus.ts';
import { createObject, method } from '../../protocol/objects/hosted-object.ts';
import type { Enqueue, QueuedCall } from '../../protocol/objects/remote.ts';
import { createRemoteObjects } from '../../protocol/objects/remote-objects.ts';
import type { OfflinePolicy, RemoteObject } from '../../protocol/objects/remote-types.ts';
import { encodePayload, plainObjects } from '../../protocol/objects/values.ts';
import { virtualClock } from '../support/virtual-clock.ts';

interface Lamp {
  blink(times: number): string;
  watch(listener: object): void;
  set(value: unknown): void;
  add(a: number): number;
  add(a: string): string;
}

const later: OfflinePolicy = { kind: 'queue', ttlMs: 1000 };
let queued: QueuedCall[];
let ran: number;
let enqueue: Enqueue;

beforeEach(() => {
  queued = [];
  ran = 0;
  enqueue = (call) => {
    queued.push(call);
    return Promise.resolve(encodePayload('s', 'done', plainObjects));
  };
});

function lamp(service?: string, hasQueue = true): RemoteObject<Lamp> {
  const count = (): void => {
    ran += 1;
  };
  const object = createObject({
    blink: method('(i)', 's', count),
    watch: method('(o)', 'v', count),
    set: method('(m)', 'v', count),
    add: [method('(i)', 'i', count), method('(s)', 's', count)],
  });
  return createRemoteObjects({
    clock: virtualClock(),
    report: () => {},
    classOf: (name, member) =>
      name !== 'Lamp' ? 'motion' : member === 'blink' ? 'once' : member === 'set' ? 'idempotent' : undefined,
    ...(hasQueue && { enqueue }),
  }).wrap<Lamp>(object, service);
}

test('the queue gets the full name, the bytes and the class; the answer is decoded', async () => {
  await expect(lamp('Lamp').blink.with({ offline: later, timeoutMs: 70 })(3)).resolves.toBe('done');
  const payload: Payload = { signature: '(i)', bytes: Uint8Array.of(3, 0, 0, 0), objects: NO_OBJECTS };
  expect(queued).toEqual([
    { service: 'Lamp', method: 'blink::(i)', payload, args: [3], memberClass: 'once', policy: later, timeoutMs: 70 },
  ]);
  expect(ran).toBe(0);
});

test('of overloads the one that is meant is queued, by its full name', async () => {
  await lamp('Lamp').add.with({ offline: later })('x');
  expect(queued.map((call) => [call.method, call.memberClass, call.timeoutMs])).toEqual([
    ['add::(s)', undefined, 30_000],
  ]);
});

test('what moves the robot is refused at once, queue or no queue', async () => {
  for (const robot of [lamp('ALMotion'), lamp('ALMotion', false)])
    await expect(robot.blink.with({ offline: later })(3)).rejects.toMatchObject({
      code: 'forbidden',
      data: { reason: 'motion' },
    });
  expect([queued, ran]).toEqual([[], 0]);
});

test('arguments that do not fit are refused at once', async () => {
  await expect(lamp('Lamp').blink.with({ offline: later })('x' as never)).rejects.toMatchObject({
    code: 'invalid-argument',
  });
  await expect(lamp('Lamp').blink.with({ offline: later })(...([1, 2] as unknown as [never]))).rejects.toMatchObject({
    code: 'argument-mismatch',
  });
  expect(queued).toEqual([]);
});

test('objects and functions cannot wait; null, and values without objects, can', async () => {
  const { watch, set } = lamp('Lamp');
  for (const argument of [{ hear: () => {} }, () => {}])
    await expect(watch.with({ offline: later })(argument)).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('end with this page'),
    });
  await set.with({ offline: later })({ colour: 'red' });
  await watch.with({ offline: later })(null as never);
  expect(queued.map((call) => call.method)).toEqual(['set::(m)', 'watch::(o)']);
});

test('objects that are no services have no calls that wait', async () => {
  await expect(lamp().blink.with({ offline: later })(3)).rejects.toMatchObject({ code: 'invalid-argument' });
});

test('without a queue the call says so, and does not run', async () => {
  await expect(lamp('Lamp', false).blink.with({ offline: later })(3)).rejects.toMatchObject({ code: 'unsupported' });
  expect(ran).toBe(0);
});

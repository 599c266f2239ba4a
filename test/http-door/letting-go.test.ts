// What the door holds of the bus for a request it lets go of when nobody waits for it any more. As plain data: no sockets.
import { beforeEach, describe, expect, test } from 'vitest';
import type { BusObject, EventSink, Subscription } from '../../protocol/bus/bus.ts';
import { QiwayError } from '../../protocol/errors.ts';
import { createDoor, type Door } from '../../protocol/http-door/door.ts';
import type { DoorResponse } from '../../protocol/http-door/door-types.ts';
import { frameStream } from '../../protocol/http-door/frame-stream.ts';
import { createObject, method, signal } from '../../protocol/objects/hosted-object.ts';
import { classOfTester, type DoorRobot, doorRobot } from '../support/door-robot.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

const TESTER = '/robot/services/Tester';
const KEEP_MS = 120_000;
const decoder = new TextDecoder();

let robot: DoorRobot;
let clock: VirtualClock;
let door: Door;
/** What is held of the service that is watched. */
let held: { references: number; subscriptions: number; subscribed: number; sinks: EventSink[] };

/** Counts what others take of `object` from now on. */
function watch(object: BusObject): typeof held {
  const counts: typeof held = { references: 0, subscriptions: 0, subscribed: 0, sinks: [] };
  const { retain, release, subscribe } = object;
  Object.assign(object, {
    retain: () => {
      counts.references += 1;
      retain.call(object);
    },
    release: () => {
      counts.references -= 1;
      release.call(object);
    },
    subscribe: (action: number, sink: EventSink): Subscription => {
      const subscription = subscribe.call(object, action, sink);
      counts.subscriptions += 1;
      counts.subscribed += 1;
      counts.sinks.push(sink);
      return {
        ready: subscription.ready,
        close: () => {
          counts.subscriptions -= 1;
          return subscription.close();
        },
      };
    },
  });
  return counts;
}

beforeEach(async () => {
  robot = await doorRobot();
  clock = virtualClock();
  let epochs = 0;
  door = createDoor(robot.bus, { clock, newEpoch: () => `e${++epochs}`, classOf: classOfTester });
  held = watch(robot.tester);
});

function send(method: string, path: string, headers: Record<string, string> = {}): Promise<DoorResponse> {
  return door.handle({ method, path: `${TESTER}/${path}`, headers, body: new Uint8Array(0) });
}

const EVENTS = { accept: 'text/event-stream' };

async function listen(path: string, more: Record<string, string> = {}): Promise<AsyncIterator<Uint8Array>> {
  const { body } = await send('GET', path, { ...EVENTS, ...more });
  return (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
}

async function textOf(reader: AsyncIterator<Uint8Array>): Promise<string | undefined> {
  const { done, value } = await reader.next();
  return done === true ? undefined : decoder.decode(value);
}

describe('what is held of a service', () => {
  test.each([
    ['GET', 'getSum?args=[1,2]'],
    ['POST', 'add'],
    ['GET', 'volume'],
    ['HEAD', 'volume'],
    ['GET', 'nothing-like-it'],
    ['OPTIONS', 'add'],
  ])('%s %s: nothing afterwards', async (verb, path) => {
    await send(verb, path);
    expect(held).toMatchObject({ references: 0, subscriptions: 0 });
  });

  test('for one reader and for two: one subscription, which ends two minutes after the last', async () => {
    const [one, other] = [await listen('wordSaid'), await listen('wordSaid')];
    expect(held).toMatchObject({ subscriptions: 1, subscribed: 1, references: 1 });
    await one.return?.();
    await one.return?.();
    await clock.advance(KEEP_MS);
    expect(held.subscriptions).toBe(1);
    await other.return?.();
    await clock.advance(KEEP_MS - 1);
    expect(held.subscriptions).toBe(1);
    await clock.advance(1);
    expect(held).toMatchObject({ subscriptions: 0, references: 0 });
  });

  test('who comes back in time keeps hearing, however long', async () => {
    await (await listen('wordSaid')).return?.();
    await clock.advance(KEEP_MS - 1);
    const reader = await listen('wordSaid');
    await textOf(reader);
    await clock.advance(10_000);
    robot.tester.emit('wordSaid', 'still');
    expect(await textOf(reader)).toBe('id: e1-1\ndata: ["still"]\n\n');
    await reader.return?.();
  });

  test('HEAD of a signal: nothing after two minutes', async () => {
    await send('HEAD', 'wordSaid', EVENTS);
    await clock.advance(KEEP_MS);
    expect(held).toMatchObject({ subscriptions: 0, references: 0 });
  });

  test('by pictures one after the other: the service, until the reader stops', async () => {
    const { body } = await send('GET', 'getPicture?args=[0]&as=mjpeg');
    expect(held.references).toBe(1);
    const reader = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    await reader.return?.();
    await reader.return?.();
    expect(held.references).toBe(0);
  });

  test('pictures that nobody looks at any more are told of their end once', async () => {
    let ends = 0;
    const take = async (): Promise<undefined> => undefined;
    const stream = frameStream({ clock, framesPerSecond: 10, take, ended: () => (ends += 1) });
    const next = stream.next();
    await stream.return?.();
    expect([(await next).done, (await stream.next()).done, ends]).toEqual([true, true, 1]);
  });
});

test('objects in an answer are given up: who asks over HTTP cannot use them', async () => {
  const made = createObject({ ping: method('()', 'v', () => undefined) });
  const counts = watch(made);
  await robot.bus.host('Maker', createObject({ make: method('()', 'o', () => made) }));
  const path = '/robot/services/Maker/make';
  const { status } = await door.handle({ method: 'POST', path, headers: {}, body: new Uint8Array(0) });
  expect([status, counts.references]).toEqual([200, 0]);
});

describe('a door that closes', () => {
  test('tells its readers, and leaves no subscription', async () => {
    const reader = await listen('wordSaid');
    await textOf(reader);
    const next = textOf(reader);
    door.close();
    expect(await next).toMatch(/^event: gone\ndata: \{.*"code":"closed".*\}\n\n$/);
    expect(await textOf(reader)).toBeUndefined();
    expect(held).toMatchObject({ subscriptions: 0, references: 0 });
  });

  test('listens to the bus no more', () => {
    let listeners = 0;
    const bus = {
      services: () => robot.bus.services(),
      service: (name: string) => robot.bus.service(name),
      listen: () => {
        listeners += 1;
        return () => {
          listeners -= 1;
        };
      },
    };
    const other = createDoor(bus, { clock, newEpoch: () => 'e' });
    expect(listeners).toBe(1);
    other.close();
    expect(listeners).toBe(0);
  });
});

test('an object that ends tells its readers why', async () => {
  const reader = await listen('wordSaid');
  await textOf(reader);
  robot.tester.emit('wordSaid', 'last');
  for (const sink of held.sinks) sink.gone(new QiwayError('object-gone', 'Its host ended.'));
  expect(await textOf(reader)).toMatch(/^id: e1-1\ndata: \["last"\]\n\nevent: gone\ndata: \{.*"code":"object-gone"/);
  expect(await textOf(reader)).toBeUndefined();
});

describe('the events that are kept', () => {
  test('of 64 signals that nobody reads: the one that was left longest ago goes', async () => {
    const names = Array.from({ length: 66 }, (_, index) => `signal${index}`);
    const many = createObject(Object.fromEntries(names.map((name) => [name, signal('(i)')])));
    await robot.bus.host('Many', many);
    const counts = watch(many);
    const read = async (name: string): Promise<AsyncIterator<Uint8Array>> => {
      const path = `/robot/services/Many/${name}`;
      const { body } = await door.handle({ method: 'GET', path, headers: EVENTS, body: new Uint8Array(0) });
      return (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    };
    const first = await read('signal0');
    for (const name of names.slice(1, 65)) await (await read(name)).return?.();
    expect(counts.subscriptions).toBe(65);
    await first.return?.();
    expect(counts.subscriptions).toBe(64);
    counts.subscribed = 0;
    await (await read('signal0')).return?.();
    expect(counts.subscribed).toBe(0);
    await (await read('signal1')).return?.();
    expect([counts.subscribed, counts.subscriptions]).toEqual([1, 64]);
  });

  test('the newest, however large it is', async () => {
    await (await listen('wordSaid')).return?.();
    robot.tester.emit('wordSaid', 'small');
    robot.tester.emit('wordSaid', 'x'.repeat(5_000_000));
    const reader = await listen('wordSaid', { 'last-event-id': 'e1-0' });
    const text = (await textOf(reader)) ?? '';
    expect(text).toContain('event: gap\ndata: {"missed":1}\n\nid: e1-2\ndata: ["xxx');
    await reader.return?.();
  });

  test('go out in pieces that a slow reader can take', async () => {
    const reader = await listen('wordSaid');
    await textOf(reader);
    for (let count = 0; count < 500; count++) robot.tester.emit('wordSaid', 'x'.repeat(1000));
    const first = (await textOf(reader)) ?? '';
    expect(first.length).toBeGreaterThan(60_000);
    expect(first.length).toBeLessThan(70_000);
    await reader.return?.();
  });
});

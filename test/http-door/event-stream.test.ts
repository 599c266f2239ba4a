// Signals as server-sent events, on a virtual clock: no sockets.
import { beforeEach, describe, expect, test } from 'vitest';
import type { EventSink, Subscription } from '../../protocol/bus/bus.ts';
import { createDoor, type Door } from '../../protocol/http-door/door.ts';
import type { DoorResponse } from '../../protocol/http-door/door-types.ts';
import { type DoorRobot, doorRobot } from '../support/door-robot.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

let robot: DoorRobot;
let clock: VirtualClock;
let door: Door;

beforeEach(async () => {
  robot = await doorRobot();
  clock = virtualClock();
  let epochs = 0;
  door = createDoor(robot.bus, { clock, newEpoch: () => `e${++epochs}` });
});

const tester = '/robot/services/Tester';
const decoder = new TextDecoder();

function listen(name: string, lastEventId?: string): Promise<DoorResponse> {
  const headers = {
    accept: 'text/event-stream',
    ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
  };
  return door.handle({ method: 'GET', path: `${tester}/${name}`, headers, body: new Uint8Array(0) });
}

/** Reads chunks of text; `rest` joins all that is there until nothing comes without more time. */
class Reader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  constructor({ body }: DoorResponse) {
    this.#chunks = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  }
  async next(): Promise<string | undefined> {
    const { done, value } = await this.#chunks.next();
    return done === true ? undefined : decoder.decode(value);
  }
  async stop(): Promise<void> {
    await this.#chunks.return?.();
  }
}

async function open(name: string, lastEventId?: string): Promise<{ reader: Reader; first: string }> {
  const reader = new Reader(await listen(name, lastEventId));
  return { reader, first: (await reader.next()) ?? '' };
}

describe('a signal as server-sent events', () => {
  test('that the service does not confirm is given up, and can be asked for again', async () => {
    const silent = { subscribe: (): Subscription => ({ ready: new Promise(() => {}), close: async () => {} }) };
    Object.assign(robot.tester, silent);
    const waiting = listen('wordSaid');
    await clock.advance(30_000);
    expect(await waiting).toMatchObject({ status: 504 });
    Reflect.deleteProperty(robot.tester, 'subscribe');
    expect(await listen('wordSaid')).toMatchObject({ status: 200 });
  });

  test('begins at once, then one event for each emission', async () => {
    const response = await listen('wordSaid');
    expect(response.status).toBe(200);
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    const reader = new Reader(response);
    expect(await reader.next()).toBe('retry: 2000\n: live\n\n');
    robot.tester.emit('wordSaid', 'hello\n\nid: 9');
    expect(await reader.next()).toBe('id: e1-1\ndata: ["hello\\n\\nid: 9"]\n\n');
    robot.tester.emit('wordSaid', 'a');
    robot.tester.emit('wordSaid', 'b');
    expect(await reader.next()).toBe('id: e1-2\ndata: ["a"]\n\nid: e1-3\ndata: ["b"]\n\n');
    await reader.stop();
    expect(await reader.next()).toBeUndefined();
  });

  test('a property tells its changes', async () => {
    const { reader } = await open('volume');
    robot.tester.set('volume', 60);
    expect(await reader.next()).toBe('id: e1-1\ndata: {"value":60}\n\n');
    await reader.stop();
  });

  test('a comment every 15 s while nothing happens', async () => {
    const { reader } = await open('wordSaid');
    for (let beat = 0; beat < 2; beat++) {
      const next = reader.next();
      let hasCome = false;
      void next.then(() => (hasCome = true));
      await clock.advance(14_999);
      expect(hasCome).toBe(false);
      await clock.advance(1);
      expect(await next).toBe(': still here\n\n');
    }
    await reader.stop();
  });

  test('ends with the service, saying so', async () => {
    const { reader } = await open('wordSaid');
    const next = reader.next();
    await robot.service.close();
    expect(await next).toMatch(/^event: gone\ndata: \{.*"code":"service-gone".*\}\n\n$/);
    expect(await reader.next()).toBeUndefined();
  });

  test('says when events were missed on the way here, and goes on', async () => {
    const sinks: EventSink[] = [];
    const subscribe = robot.tester.subscribe.bind(robot.tester);
    Object.assign(robot.tester, {
      subscribe: (action: number, sink: EventSink): Subscription => {
        sinks.push(sink);
        return subscribe(action, sink);
      },
    });
    const { reader } = await open('wordSaid');
    robot.tester.emit('wordSaid', 'before');
    sinks[0]?.gap?.(undefined);
    sinks[0]?.gap?.(4);
    robot.tester.emit('wordSaid', 'after');
    const gaps =
      'id: e1-2\nevent: gap\ndata: {"missed":null}\n\nid: e1-3\nevent: gap\ndata: {"missed":4}\n\nid: e1-4\ndata: ["after"]\n\n';
    expect(await reader.next()).toBe(`id: e1-1\ndata: ["before"]\n\n${gaps}`);
    await reader.stop();
    const { first, reader: again } = await open('wordSaid', 'e1-1');
    expect(first).toBe(`retry: 2000\n: resumed\n\n${gaps}`);
    await again.stop();
  });

  test('stopping while it waits ends it', async () => {
    const { reader } = await open('wordSaid');
    const next = reader.next();
    await reader.stop();
    expect(await next).toBeUndefined();
  });
});

describe('resuming with Last-Event-ID', () => {
  test('gets what was missed, once', async () => {
    const { reader } = await open('wordSaid');
    robot.tester.emit('wordSaid', 'one');
    await reader.next();
    await reader.stop();
    robot.tester.emit('wordSaid', 'two');
    robot.tester.emit('wordSaid', 'three');
    const { first, reader: again } = await open('wordSaid', 'e1-1');
    expect(first).toBe('retry: 2000\n: resumed\n\nid: e1-2\ndata: ["two"]\n\nid: e1-3\ndata: ["three"]\n\n');
    await again.stop();
  });

  test('says how many are lost beyond the buffer', async () => {
    const { reader } = await open('wordSaid');
    robot.tester.emit('wordSaid', 'first');
    await reader.next();
    await reader.stop();
    for (let word = 0; word < 1034; word++) robot.tester.emit('wordSaid', String(word));
    const { first, reader: again } = await open('wordSaid', 'e1-1');
    expect(first).toContain('id: e1-11\nevent: gap\ndata: {"missed":10}\n\nid: e1-12\ndata: ["10"]\n\n');
    await again.stop();
  });

  test('a reader that is too slow is told the same', async () => {
    const { reader } = await open('wordSaid');
    for (let word = 0; word < 1025; word++) robot.tester.emit('wordSaid', String(word));
    expect(await reader.next()).toMatch(/^id: e1-1\nevent: gap\ndata: \{"missed":1\}\n\nid: e1-2\n/);
    await reader.stop();
  });

  test.each(['e9-1', 'e1-99', 'nonsense', '-', 'e1-1e3'])('says that the number is not known after %s', async (id) => {
    const { first, reader } = await open('wordSaid', id);
    expect(first).toBe('retry: 2000\n: not resumed\n\nid: e1-0\nevent: gap\ndata: {"missed":null}\n\n');
    robot.tester.emit('wordSaid', 'next');
    expect(await reader.next()).toBe('id: e1-1\ndata: ["next"]\n\n');
    await reader.stop();
  });

  test('works for two minutes after the last reader left, then begins anew', async () => {
    const { reader } = await open('wordSaid');
    await reader.stop();
    await clock.advance(119_999);
    robot.tester.emit('wordSaid', 'kept');
    const { first, reader: second } = await open('wordSaid', 'e1-0');
    expect(first).toContain(': resumed\n\nid: e1-1\n');
    await second.stop();
    await clock.advance(120_000);
    const { first: late, reader: third } = await open('wordSaid', 'e1-1');
    expect(late).toContain('id: e2-0\nevent: gap');
    await third.stop();
  });
});

test('large events make the buffer short, not the memory full', async () => {
  const { reader } = await open('wordSaid');
  await reader.stop();
  const word = 'x'.repeat(1_000_000);
  for (let count = 0; count < 10; count++) robot.tester.emit('wordSaid', word);
  const { first, reader: again } = await open('wordSaid', 'e1-0');
  expect(first).toContain('event: gap\ndata: {"missed":6}');
  await again.stop();
});

test('HEAD holds nothing open', async () => {
  const response = await door.handle({
    method: 'HEAD',
    path: `${tester}/wordSaid`,
    headers: { accept: 'text/event-stream' },
    body: new Uint8Array(0),
  });
  expect(response).toMatchObject({ status: 200, body: new Uint8Array(0) });
});

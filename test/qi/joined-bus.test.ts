// A program on the bus while the directory is absent, comes, goes and comes back.
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { BusState } from '../../protocol/bus/bus.ts';
import {
  type BusListenerHandle,
  createObject,
  EmbeddedBus,
  type JoinBusOptions,
  type JoinedBus,
  joinBus,
  listenBus,
  method,
} from '../../robot-agent/qi/index.ts';
import { Collected, callMethod, failureOf, startCall } from '../contract/calls.ts';
import { createEchoService } from '../support/echo-service.ts';
import { handClock } from './hand-clock.ts';

interface Directory extends BusListenerHandle {
  readonly bus: EmbeddedBus;
}

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function directory(url = 'tcp://127.0.0.1:0'): Promise<Directory> {
  const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
  const handle = await listenBus(bus, url);
  const close = async (): Promise<void> => {
    await handle.close();
    await bus.close();
  };
  endings.push(close);
  return { bus, url: handle.url, endpoints: handle.endpoints, socketCount: 0, close };
}

/** The URL of a port where nothing listens. */
async function freeUrl(): Promise<string> {
  const { url, close } = await directory();
  await close();
  return url;
}

async function join(url: string, options: JoinBusOptions = {}): Promise<JoinedBus> {
  const bus = await joinBus(url, options);
  endings.push(() => bus.close());
  return bus;
}

function statesOf(bus: JoinedBus): Collected<BusState> {
  const states = new Collected<BusState>();
  bus.listen({ stateChanged: (state) => states.add(state) });
  return states;
}

const answering = () => createObject({ answer: method('()', 'i', () => 42) });

/** A server that takes sockets and lets a test do with them what it likes. */
async function plainServer(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).resume();
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endings.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return `tcp://127.0.0.1:${(server.address() as { port: number }).port}`;
}

describe('joining once', () => {
  test('fails with the URL and what to check when nothing answers there', async () => {
    const url = await freeUrl();
    const error = await failureOf(joinBus(url));
    expect(error.code).toBe('bus-down');
    expect(error.message).toContain(url);
    expect(error.message).toMatch(/Check that/);
    expect(error.data).toEqual({ url });
  });

  test.each(['127.0.0.1', 'http://robot', 'tcp://robot:x'])(
    'fails at once for the URL "%s", also if it were to be tried for ever',
    async (url) => {
      expect((await failureOf(joinBus(url, { keepTrying: true }))).code).toBe('invalid-argument');
    },
  );

  test('fails at once for a listening URL that is none', async () => {
    const { url } = await directory();
    expect((await failureOf(joinBus(url, { listen: ['tcp://'] }))).code).toBe('invalid-argument');
  });

  test('gives up a server that says nothing', async () => {
    const asked = new Collected<Buffer>();
    const url = await plainServer((socket) => socket.on('data', (bytes) => asked.add(bytes)));
    const clock = handClock();
    const failure = failureOf(joinBus(url, { clock, timeoutMs: 500 }));
    await asked.count(1);
    await clock.fire(500);
    expect((await failure).code).toBe('timeout');
  });

  test.each([
    [
      'answers something else',
      (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      'it begins with "HTTP/1.1 400"',
    ],
    [
      'greets with less than a header, and waits',
      (socket: Socket) => socket.write('SSH-2.0-x\r\n'),
      'it begins with "SSH-2.0-x',
    ],
    ['closes', (socket: Socket) => socket.end(), 'it may speak something else than qi'],
  ])('says at once that a server which %s is no qi program', async (_how, onSocket, expected) => {
    const error = await failureOf(joinBus(await plainServer(onSocket), { clock: handClock() }));
    expect(error.code).toBe('bus-down');
    expect(error.message).toContain(expected);
  });

  test('the loss of the directory is the end of it, and says whether a call may have run', async () => {
    const { url, bus: embedded, close } = await directory();
    await embedded.host('Echo', createEchoService().object);
    const bus = await join(url);
    const hosted = await bus.host('Mine', answering());
    const states = statesOf(bus);
    const echo = await bus.service('Echo');
    const { outcome } = startCall(echo, 'slow', 60_000);
    await callMethod(echo, 'doNothing');
    await close();
    expect(await failureOf(outcome)).toMatchObject({ code: 'link-lost', maybeExecuted: true });
    expect(await states.count(1)).toEqual(['closed']);
    expect(bus.state).toBe('closed');
    expect((await failureOf(bus.services())).message).toContain('went away');
    expect((await hosted.closed)?.code).toBe('closed');
    expect(echo.goneWith).toBeDefined();
  });
});

describe('joining for ever', () => {
  test('resolves at once when the directory is absent, and attaches when it comes', async () => {
    const url = await freeUrl();
    const clock = handClock();
    const bus = await join(url, { keepTrying: true, clock });
    const states = statesOf(bus);
    expect(bus.state).toBe('down');
    const error = await failureOf(bus.services());
    expect(error.code).toBe('bus-down');
    expect(error.data).toEqual({ url });
    const refused = answering();
    expect((await failureOf(bus.host('Mine', refused))).code).toBe('bus-down');
    expect(refused.goneWith).toBeDefined();
    await directory(url);
    await clock.fire(1000);
    expect(await states.count(1)).toEqual(['up']);
    expect((await bus.services()).map(({ name }) => name)).toEqual(['ServiceDirectory']);
    expect(bus.machineId).toBe('machine');
  });

  test('waits longer between attempts, up to five seconds', async () => {
    const clock = handClock();
    await join(await freeUrl(), { keepTrying: true, clock });
    for (const delayMs of [1000, 2000, 4000, 5000, 5000]) await clock.fire(delayMs);
  });

  test('a service stays hosted across restarts of the directory, under the same handle', async () => {
    const first = await directory();
    const clock = handClock();
    const bus = await join(first.url, { keepTrying: true, clock });
    const states = statesOf(bus);
    if (bus.state !== 'up') await states.count(1);
    const object = answering();
    const hosted = await bus.host('Mine', object);
    const firstId = hosted.serviceId;
    await first.close();
    await states.until((all) => all.at(-1) === 'down');
    expect(bus.state).toBe('down');
    expect(object.goneWith).toBeUndefined();

    const second = await directory(first.url);
    // Another number than before.
    const filler = await second.bus.host('Filler', answering());
    const added = new Collected<string>();
    second.bus.listen({ serviceAdded: ({ name }) => added.add(name) });
    await clock.fire(1000);
    await states.until((all) => all.at(-1) === 'up');
    await added.count(1);
    expect(added.all).toEqual(['Mine']);
    // Its answer comes behind that of the registration.
    await bus.services();
    expect(hosted.serviceId).not.toBe(firstId);
    expect(hosted.serviceId).toBeGreaterThan(filler.serviceId);
    const other = await join(first.url);
    const mine = await other.service('Mine');
    expect(await callMethod(mine, 'answer')).toBe(42);

    const removed = new Collected<string>();
    other.listen({ serviceRemoved: ({ name }) => removed.add(name) });
    await hosted.close();
    expect(await removed.count(1)).toEqual(['Mine']);
    expect(await hosted.closed).toBeUndefined();
    expect(object.goneWith).toBeDefined();
  });

  test('a name taken meanwhile is tried for until it is free', async () => {
    const first = await directory();
    const clock = handClock();
    const bus = await join(first.url, { keepTrying: true, clock });
    const states = statesOf(bus);
    if (bus.state !== 'up') await states.count(1);
    await bus.host('Mine', answering());
    await first.close();
    const second = await directory(first.url);
    const squatter = await second.bus.host('Mine', answering());
    await states.until((all) => all.at(-1) === 'down');
    await clock.fire(1000);
    await states.until((all) => all.at(-1) === 'up');
    const added = new Collected<number>();
    second.bus.listen({ serviceAdded: ({ serviceId }) => added.add(serviceId) });
    await clock.fire(1000);
    // Behind the answer to the second attempt.
    await bus.services();
    // No timer is needed: the directory says that the name is free.
    await squatter.close();
    const [again] = await added.count(1);
    expect(again).toBeGreaterThan(squatter.serviceId);
  });

  test('can be closed while it waits: nothing is tried again', async () => {
    const clock = handClock();
    const bus = await join(await freeUrl(), { keepTrying: true, clock });
    const states = statesOf(bus);
    await clock.fire(1000);
    await bus.close();
    expect(bus.state).toBe('closed');
    expect(states.all).toEqual(['closed']);
    expect((await failureOf(bus.services())).code).toBe('closed');
    expect(clock.delays.filter((delayMs) => delayMs <= 5000)).toEqual([]);
  });

  test('can be closed while the directory has not answered: its socket is closed', async () => {
    const sockets = new Collected<Socket>();
    const url = await plainServer((socket) => sockets.add(socket));
    const bus = await join(url, { keepTrying: true });
    const [socket] = await sockets.count(1);
    const closed = new Promise((resolve) => socket?.once('close', resolve));
    await bus.close();
    await closed;
    expect(bus.state).toBe('closed');
  });
});

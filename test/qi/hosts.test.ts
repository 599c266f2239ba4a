// Services on sockets of their own: how they are reached, and what is left when a program dies.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import type { BusObject } from '../../protocol/bus/bus.ts';
import { type BusClient, joinDirectory } from '../../protocol/directory/bus-client.ts';
import { explainError } from '../../protocol/directory/explain-error.ts';
import { serveBus } from '../../protocol/directory/serve-bus.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import {
  type BusListenerHandle,
  createObject,
  EmbeddedBus,
  type JoinBusOptions,
  type JoinedBus,
  joinBus,
  listenBus,
  method,
  QiwayError,
} from '../../robot-agent/qi/index.ts';
import { listenAt } from '../../robot-agent/qi/listener.ts';
import { Collected, callMethod, failureOf, startCall, watch } from '../contract/calls.ts';
import { seen } from '../contract/contract-state.ts';
import { createEchoService } from '../support/echo-service.ts';
import { peerPair } from '../support/peer-pair.ts';
import { handClock } from './hand-clock.ts';

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function directory(): Promise<{ readonly bus: EmbeddedBus; readonly listener: BusListenerHandle }> {
  const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
  const listener = await listenBus(bus, 'tcp://127.0.0.1:0');
  endings.push(
    () => bus.close(),
    () => listener.close(),
  );
  return { bus, listener };
}

async function join(url: string, options: JoinBusOptions = {}): Promise<JoinedBus> {
  const bus = await joinBus(url, options);
  endings.push(() => bus.close());
  return bus;
}

const answering = () => createObject({ answer: method('()', 'i', () => 42) });

/** An address of this machine that other machines can reach, as far as it has one. */
const outside = Object.values(networkInterfaces())
  .flatMap((entries) => entries ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

/** A program that hosts a service; resolves when it is on the bus. */
async function program(url: string, name: string): Promise<{ kill(): Promise<unknown> }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./echo-host.ts', import.meta.url)), url, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const kill = (): Promise<unknown> => {
    child.kill('SIGKILL');
    return exited;
  };
  endings.push(kill);
  await once(child.stdout, 'data');
  return { kill };
}

describe('reaching the host of a service', () => {
  test('services in the directory are reached by its own socket', async () => {
    const { bus: embedded, listener } = await directory();
    await embedded.host('Echo', createEchoService().object);
    const bus = await join(listener.url);
    expect(await callMethod(await bus.service('Echo'), 'echoInt32', 1)).toBe(1);
    expect(listener.socketCount).toBe(1);
  });

  test('services of one host are reached by one socket, also when asked for at once', async () => {
    const { listener } = await directory();
    const host = await join(listener.url);
    await Promise.all([host.host('One', answering()), host.host('Two', answering())]);
    const infos = (await host.services()).filter(({ name }) => name !== 'ServiceDirectory');
    expect(new Set(infos.flatMap(({ endpoints }) => endpoints)).size).toBe(3);
    const bus = await join(listener.url);
    const objects = await Promise.all(['One', 'Two', 'One', 'Two'].map((name) => bus.service(name)));
    for (const object of objects) expect(await callMethod(object, 'answer')).toBe(42);
    expect(objects[0]).toBe(objects[2]);
    const directorySockets = 2;
    expect(listener.socketCount).toBe(directorySockets);
  });

  test('a program listens only once it hosts', async () => {
    const { listener } = await directory();
    const host = await join(listener.url);
    expect(host.endpoints).toEqual([]);
    await host.host('One', answering());
    expect(host.endpoints).toEqual([expect.stringMatching(/^tcp:\/\/127\.0\.0\.1:\d+$/)]);
  });

  test('a program on the directory’s machine counts as being there', async () => {
    const { listener } = await directory();
    const host = await join(listener.url);
    await host.host('One', answering());
    expect((await host.serviceInfo('One')).machineId).toBe('machine');
  });

  test('a client on another machine cannot reach a host on loopback, and is told why', async () => {
    const { listener } = await directory();
    const host = await join(listener.url);
    await host.host('One', answering());
    const elsewhere = await join(listener.url, { machineId: 'another machine' });
    const error = await failureOf(elsewhere.service('One'));
    expect(error.code).toBe('endpoint-unreachable');
    expect(error.message).toContain('No reachable endpoint was found');
  });

  test('a client that comes through a tunnel still reaches what is in the directory', async () => {
    const { bus: embedded, listener } = await directory();
    await embedded.host('Echo', createEchoService().object);
    const elsewhere = await join(listener.url, { machineId: 'another machine' });
    expect(await callMethod(await elsewhere.service('Echo'), 'echoInt32', 1)).toBe(1);
  });

  test('a host that does not answer any more is an error that names its endpoints', async () => {
    const { bus: embedded, listener } = await directory();
    const closed = await listenAt('tcp://127.0.0.1:0', {
      clock: systemClock,
      timeoutMs: 1000,
      services: () => undefined,
    });
    await closed.close(new QiwayError('closed', 'It ended.'));
    const id = embedded.registerSource('Dead', answering(), { info: { endpoints: closed.endpoints } });
    embedded.registry.ready(id);
    const bus = await join(listener.url);
    const error = await failureOf(bus.service('Dead'));
    expect(error.code).toBe('endpoint-unreachable');
    expect(error.message).toContain('Dead');
    expect(error.data).toEqual({ endpoints: closed.endpoints });
  });

  test('a host that closes in the handshake was not reached, with the reason', async () => {
    const { bus: embedded, listener } = await directory();
    const rude = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve));
    const endpoints = [`tcp://127.0.0.1:${(rude.address() as AddressInfo).port}`];
    embedded.registry.ready(embedded.registerSource('Rude', answering(), { info: { endpoints } }));
    const bus = await join(listener.url);
    const error = await failureOf(bus.service('Rude'));
    expect(error).toMatchObject({ code: 'endpoint-unreachable', data: { endpoints }, maybeExecuted: false });
    expect(error.message).toContain('Rude');
    expect(error.cause).toMatchObject({ code: 'link-lost' });
    await new Promise((resolve) => rude.close(resolve));
  });

  test('a name that moves to another host is found there', async () => {
    const { listener } = await directory();
    const named = (answer: string) => createObject({ where: method('()', 's', () => answer) });
    const [first, second] = await Promise.all([join(listener.url), join(listener.url)]);
    await first.host('Staying', named('first'));
    const moving = await first.host('Moving', named('first'));
    const bus = await join(listener.url);
    // Their socket is known by both names from now on.
    expect(await callMethod(await bus.service('Staying'), 'where')).toBe('first');
    const removed = new Collected<string>();
    bus.listen({ serviceRemoved: ({ name }) => removed.add(name) });
    await moving.close();
    await removed.count(1);
    await second.host('Moving', named('second'));
    expect(await callMethod(await bus.service('Moving'), 'where')).toBe('second');
    expect(await callMethod(await bus.service('Staying'), 'where')).toBe('first');
  });

  test('a service hosted over a link to the directory is reached by the directory’s socket', async () => {
    const { bus: embedded, listener } = await directory();
    let page: BusClient | undefined;
    const pair = peerPair({ services: (id) => embedded.objectOf(id), clientServices: (id) => page?.ownService(id) });
    const end = serveBus(embedded, {
      peer: pair.server,
      clock: systemClock,
      hasRelativeEndpoints: true,
      place: 'outside',
    });
    endings.push(async () => {
      pair.cut();
      end();
    });
    const identity = { machineId: 'a tablet', processId: 0, sessionId: 'page', endpoints: () => [] };
    page = await joinDirectory({
      peer: pair.client,
      clock: systemClock,
      timeoutMs: 10_000,
      identity,
      explain: explainError,
    });
    await page.host('TabletUi', answering());
    const robot = await join(listener.url);
    expect(await callMethod(await robot.service('TabletUi'), 'answer')).toBe(42);
    expect(listener.socketCount).toBe(1);
  });

  test('one registration per signal goes over the socket, however many listen', async () => {
    const { bus: embedded, listener } = await directory();
    const echo = createEchoService();
    await embedded.host('Echo', echo.object);
    const bus = await join(listener.url);
    const remote = await bus.service('Echo');
    let registered = 0;
    const subscribe = echo.object.subscribe.bind(echo.object);
    echo.object.subscribe = (...args) => {
      registered += 1;
      return subscribe(...args);
    };
    const watches = Array.from({ length: 10 }, () => watch(remote, 'onTick'));
    await Promise.all(watches.map(({ ready }) => ready));
    await callMethod(remote, 'burst', 3);
    for (const { events } of watches) expect(await events.count(3)).toEqual([[0], [1], [2]]);
    expect(registered).toBe(1);
  });
});

describe('where services hosted here are offered', () => {
  test('on loopback, to a directory of this machine', async () => {
    const { listener } = await directory();
    const bus = await join(listener.url);
    await bus.host('Here', answering());
    expect(bus.endpoints).toEqual([expect.stringMatching(/^tcp:\/\/127\.0\.0\.1:\d+$/)]);
  });

  test.skipIf(outside === undefined)(
    'on the address that faces the directory, to programs of other machines',
    async () => {
      const robot = new EmbeddedBus({ machineId: 'robot', processId: 1, sessionId: 'session' });
      const listener = await listenBus(robot, `tcp://${outside}:0`);
      endings.push(
        () => robot.close(),
        () => listener.close(),
      );
      const agent = await join(listener.url, { machineId: 'agent' });
      await agent.host('Page', answering());
      expect(agent.endpoints.map((endpoint) => new URL(endpoint).hostname)).toEqual([outside]);
      const program = await join(listener.url, { machineId: 'another computer of the robot' });
      expect(await callMethod(await program.service('Page'), 'answer')).toBe(42);
    },
  );
});

describe('a program that dies', () => {
  test('takes its services with it: calls fail, the name is free again', async () => {
    const { bus: embedded, listener } = await directory();
    const { kill } = await program(listener.url, 'Mortal');
    const bus = await join(listener.url);
    await seen(bus, 'Mortal');
    const [fromClient, fromDirectory] = [await bus.service('Mortal'), await embedded.service('Mortal')];
    const removed = new Collected<string>();
    bus.listen({ serviceRemoved: ({ name }) => removed.add(name) });
    const underWay = [startCall(fromClient, 'slow', 60_000), startCall(fromDirectory, 'slow', 60_000)];
    await Promise.all([callMethod(fromClient, 'doNothing'), callMethod(fromDirectory, 'doNothing')]);
    await kill();
    const [ofClient, ofDirectory] = await Promise.all(underWay.map(({ outcome }) => failureOf(outcome)));
    expect(['link-lost', 'service-gone']).toContain(ofClient?.code);
    if (ofClient?.code === 'link-lost') expect(ofClient.maybeExecuted).toBe(true);
    // The directory's side has no link that could be lost.
    expect(ofDirectory).toMatchObject({ code: 'service-gone', maybeExecuted: true });
    expect(await removed.count(1)).toEqual(['Mortal']);
    expect(fromClient.goneWith).toBeDefined();
    expect(fromDirectory.goneWith).toBeDefined();
    expect((await failureOf(bus.service('Mortal'))).code).toBe('service-not-found');
    await bus.host('Mortal', answering());
    const again = await embedded.service('Mortal');
    expect(await callMethod(again, 'answer')).toBe(42);
  });

  test('is a client that vanished: its calls are cancelled, what it held is released', async () => {
    const { bus: embedded, listener } = await directory();
    const clock = handClock();
    const echo = createEchoService(clock);
    await embedded.host('Echo', echo.object);
    const host = await join(listener.url);
    const released = new Collected<string>();
    const given = createObject(
      { onCallback: method('(i)', 'i', (value: number) => value) },
      { onUnused: () => released.add('given') },
    );
    const remote = await host.service('Echo');
    const counter = (await callMethod(remote, 'makeCounter', 1)) as BusObject;
    await watch(counter, 'changed').ready;
    await callMethod(remote, 'keepObject', given);
    startCall(remote, 'slow', 60_000);
    await callMethod(remote, 'doNothing');
    expect(clock.delays).toEqual([60_000]);
    expect(echo.liveCounters()).toBe(1);
    await host.close();
    await released.count(1);
    const other = await join(listener.url);
    // The directory has seen the socket close before it answers one that was opened later, or soon after.
    const object = await other.service('Echo');
    while ((await callMethod(object, 'liveObjects')) !== 0);
    expect(clock.delays).toEqual([]);
    expect((await failureOf(callMethod(object, 'callKept', 'onCallback', 1))).message).toBeDefined();
  });
});

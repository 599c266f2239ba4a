// Signals through the gateway: who hears what how often, and what is registered on the robot for it.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bus, BusObject } from '../../protocol/bus/bus.ts';
import { createObject, Dynamic, type HostedObject, method, property, signal } from '../../robot-agent/qi/index.ts';
import { callMethod, getProperty, setProperty, watch } from '../contract/calls.ts';
import { serviceSeen } from '../contract/contract-state.ts';
import { type Gateway, openGateway } from './gateway.ts';
import { WAYS } from './ways.ts';

let gateway: Gateway;
beforeEach(async () => {
  gateway = await openGateway();
});
afterEach(() => gateway.close());

interface Clock {
  readonly object: HostedObject;
  /** Registrations now, and ever. */
  readonly registrations: { now: number; ever: number };
}

/** A service with a signal and a property, which counts who listens. */
function createTicker(): Clock {
  const registrations = { now: 0, ever: 0 };
  const object: HostedObject = createObject({
    emit: method('(i)', 'v', (value: number) => object.emit('tick', value)),
    tick: signal('(i)'),
    level: property('i', 1),
  });
  const subscribe = object.subscribe.bind(object);
  object.subscribe = (id, sink) => {
    const { ready, close } = subscribe(id, sink);
    registrations.now += 1;
    registrations.ever += 1;
    let isOpen = true;
    const end = (): Promise<void> => {
      if (isOpen) registrations.now -= 1;
      isOpen = false;
      return close();
    };
    return { ready, close: end };
  };
  return { object, registrations };
}

/** Three qi programs and two pages. */
function fiveClients(): Promise<Bus[]> {
  const qi = [gateway.outside(), gateway.outside(), gateway.outside()];
  return Promise.all<Bus>([...qi, gateway.session(), gateway.session()]);
}

describe.each([
  ['the robot', (): Promise<Bus> => gateway.inside()],
  ['a qi program outside', (): Promise<Bus> => gateway.outside()],
  ['a page', (): Promise<Bus> => gateway.session()],
])('five clients of a service of %s', (_where, host) => {
  test('hear one emission once each, over one registration at the service', async () => {
    const ticker = createTicker();
    await (await host()).host('Ticker', ticker.object);
    const remotes = await Promise.all((await fiveClients()).map((bus) => serviceSeen(bus, 'Ticker')));
    const watches = remotes.map((remote) => watch(remote, 'tick'));
    await Promise.all(watches.map(({ ready }) => ready));
    ticker.object.emit('tick', 1);
    await Promise.all(watches.map(({ events }) => events.count(1)));
    // Whatever came twice is there before the answer of a call made later.
    await Promise.all(remotes.map((remote) => callMethod(remote, 'emit', 2)));
    const heard = watches.map(({ events }) => events.all.flat());
    for (const each of heard) {
      expect(each.filter((value) => value === 1)).toEqual([1]);
      expect(each.filter((value) => value === 2).length).toBeLessThanOrEqual(5);
    }
    expect(ticker.registrations).toEqual({ now: 1, ever: 1 });
  });

  test('unsubscribe one by one: exactly that one stops, and the last ends the registration', async () => {
    const ticker = createTicker();
    await (await host()).host('Ticker', ticker.object);
    const remotes = await Promise.all((await fiveClients()).map((bus) => serviceSeen(bus, 'Ticker')));
    const watches = remotes.map((remote) => watch(remote, 'tick'));
    await Promise.all(watches.map(({ ready }) => ready));
    for (const [index, leaving] of watches.entries()) {
      ticker.object.emit('tick', index);
      const expected = Array.from({ length: index + 1 }, (_, each) => [each]);
      for (const staying of watches.slice(index)) expect(await staying.events.count(index + 1)).toEqual(expected);
      await leaving.close();
    }
    expect(watches.map(({ events }) => events.all.length)).toEqual([1, 2, 3, 4, 5]);
    expect(ticker.registrations).toEqual({ now: 0, ever: 1 });
    const again = watch(remotes[0] as BusObject, 'tick');
    await again.ready;
    ticker.object.emit('tick', 9);
    expect(await again.events.count(1)).toEqual([[9]]);
    expect(ticker.registrations).toEqual({ now: 1, ever: 2 });
  });
});

test.each([
  ['qi program', (): Promise<Bus> => gateway.outside()],
  ['page', (): Promise<Bus> => gateway.session()],
])('a %s that leaves and returns hears each event once', async (_who, join) => {
  const ticker = createTicker();
  await (await gateway.inside()).host('Ticker', ticker.object);
  const staying = watch(await serviceSeen(await gateway.outside(), 'Ticker'), 'tick');
  await staying.ready;
  for (let round = 0; round < 3; round += 1) {
    const bus = await join();
    const heard = watch(await serviceSeen(bus, 'Ticker'), 'tick');
    await heard.ready;
    ticker.object.emit('tick', round);
    expect(await heard.events.count(1)).toEqual([[round]]);
    await bus.close();
    expect(heard.events.all).toEqual([[round]]);
  }
  expect(await staying.events.count(3)).toEqual([[0], [1], [2]]);
  expect(ticker.registrations.now).toBe(1);
});

test('two subscribers of one client hear each event once each; the one that leaves leaves the other', async () => {
  const ticker = createTicker();
  await (await gateway.inside()).host('Ticker', ticker.object);
  const remote = await serviceSeen(await gateway.outside(), 'Ticker');
  const [one, other] = [watch(remote, 'tick'), watch(remote, 'tick')];
  await Promise.all([one.ready, other.ready]);
  await callMethod(remote, 'emit', 1);
  expect([await one.events.count(1), await other.events.count(1)]).toEqual([[[1]], [[1]]]);
  await one.close();
  await callMethod(remote, 'emit', 2);
  expect(await other.events.count(2)).toEqual([[1], [2]]);
  expect(one.events.all).toEqual([[1]]);
});

describe.each(WAYS)('between $name', ({ client, host }) => {
  test('signals are heard, and properties are read, set and watched', async () => {
    const ticker = createTicker();
    await (await host(gateway)).host('Ticker', ticker.object);
    const remote = await serviceSeen(await client(gateway), 'Ticker');
    const [ticks, levels] = [watch(remote, 'tick'), watch(remote, 'level')];
    await Promise.all([ticks.ready, levels.ready]);
    ticker.object.emit('tick', 5);
    expect(await ticks.events.count(1)).toEqual([[5]]);
    expect(await getProperty(remote, 'level')).toBe(1);
    await setProperty(remote, 'level', new Dynamic('i', 2));
    expect(ticker.object.get('level')).toBe(2);
    ticker.object.set('level', 3);
    expect(await levels.events.count(2)).toEqual([[2], [3]]);
    expect(await getProperty(remote, 'level')).toBe(3);
  });
});

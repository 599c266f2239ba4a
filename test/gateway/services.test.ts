// Services through the gateway: they come, are used from both sides, leave, and come again under their name.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bus } from '../../protocol/bus/bus.ts';
import { createObject, Dynamic, type HostedObject, method, property, signal } from '../../robot-agent/qi/index.ts';
import { Collected, callMethod, failureOf, getProperty, setProperty, startCall, watch } from '../contract/calls.ts';
import { seen, serviceSeen } from '../contract/contract-state.ts';
import { type Gateway, openGateway } from './gateway.ts';
import { WAYS } from './ways.ts';

let gateway: Gateway;
beforeEach(async () => {
  gateway = await openGateway();
});
afterEach(() => gateway.close());

const named = (name: string): HostedObject =>
  createObject({
    name: method('()', 's', () => name),
    never: method('()', 'v', () => new Promise(() => {})),
    tick: signal('(i)'),
  });

describe.each(WAYS)('between $name', ({ client, host }) => {
  test('an unregistered service fails its old proxies, and the same name again gives a new one', async () => {
    const hostBus = await host(gateway);
    const bus = await client(gateway);
    const first = await hostBus.host('Again', named('first'));
    const old = await serviceSeen(bus, 'Again');
    const ticks = watch(old, 'tick');
    await ticks.ready;
    const { outcome } = startCall(old, 'never');
    expect(await callMethod(old, 'name')).toBe('first');
    const oldId = (await bus.serviceInfo('Again')).serviceId;
    const told = new Collected<string>();
    bus.listen({
      serviceRemoved: ({ name }) => told.add(`-${name}`),
      serviceAdded: ({ name }) => told.add(`+${name}`),
    });
    await first.close();
    await told.count(1);
    expect((await failureOf(outcome)).code).toBe('service-gone');
    expect((await failureOf(callMethod(old, 'name'))).code).toBe('service-gone');
    expect((await ticks.gone).code).toBe('service-gone');
    const again = named('second');
    await hostBus.host('Again', again);
    await told.count(2);
    expect(told.all).toEqual(['-Again', '+Again']);
    const fresh = await bus.service('Again');
    expect(await callMethod(fresh, 'name')).toBe('second');
    expect((await bus.serviceInfo('Again')).serviceId).toBeGreaterThan(oldId);
    again.emit('tick', 1);
    expect(await callMethod(fresh, 'name')).toBe('second');
    expect(ticks.events.all).toEqual([]);
    expect((await failureOf(callMethod(old, 'name'))).code).toBe('service-gone');
  });

  test('a service leaves with the program that hosts it', async () => {
    const hostBus = await host(gateway);
    const bus = await client(gateway);
    await hostBus.host('Mortal', named('mortal'));
    const remote = await serviceSeen(bus, 'Mortal');
    const removed = new Collected<string>();
    bus.listen({ serviceRemoved: ({ name }) => removed.add(name) });
    await hostBus.close();
    expect(await removed.count(1)).toEqual(['Mortal']);
    expect((await failureOf(callMethod(remote, 'name'))).code).toBe('service-gone');
    expect((await failureOf(bus.service('Mortal'))).code).toBe('service-not-found');
  });

  test('a setter that takes its time holds up no other call', async () => {
    let accept = (): void => {};
    const asked = new Collected<number>();
    const slow = createObject({
      name: method('()', 's', () => 'slow'),
      level: property('i', 0, {
        set: (value: number) =>
          new Promise((resolve) => {
            accept = () => resolve(value);
            asked.add(value);
          }),
      }),
      other: property('i', 5),
    });
    await (await host(gateway)).host('Slow', slow);
    const remote = await serviceSeen(await client(gateway), 'Slow');
    let isSet = false;
    const setting = setProperty(remote, 'level', new Dynamic('i', 7)).then(() => {
      isSet = true;
    });
    await asked.count(1);
    expect(await callMethod(remote, 'name')).toBe('slow');
    expect(await getProperty(remote, 'level')).toBe(0);
    await setProperty(remote, 'other', new Dynamic('i', 6));
    expect(await getProperty(remote, 'other')).toBe(6);
    expect(isSet).toBe(false);
    accept();
    await setting;
    expect(await getProperty(remote, 'level')).toBe(7);
  });

  test.each([0, 1, 1023, 8191, 8193, 65_537, 1_048_576, 5_000_001])(
    'a raw buffer of %i bytes passes both ways',
    async (length) => {
      const echo = createObject({ echo: method('(r)', 'r', (bytes: Uint8Array) => bytes) });
      await (await host(gateway)).host('Bulk', echo);
      const remote = await serviceSeen(await client(gateway), 'Bulk');
      const bytes = Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) & 255);
      expect(Buffer.compare((await callMethod(remote, 'echo', bytes)) as Uint8Array, bytes)).toBe(0);
    },
  );
});

test('a service registered outside is called from the robot, from outside and from pages alike', async () => {
  const outside = await gateway.outside();
  const hosted = await outside.host('Outer', named('outer'));
  const buses: Bus[] = [await gateway.inside(), await gateway.outside(), await gateway.session(), outside];
  for (const bus of buses) expect(await callMethod(await serviceSeen(bus, 'Outer'), 'name')).toBe('outer');
  const page = await gateway.page<{ Outer: { name(): string } }>();
  expect(await (await page.service('Outer')).name()).toBe('outer');
  const removed = new Collected<string>();
  for (const bus of buses) bus.listen({ serviceRemoved: ({ name }) => removed.add(name) });
  await hosted.close();
  expect(await removed.count(4)).toEqual(['Outer', 'Outer', 'Outer', 'Outer']);
});

test('a page hosts a service that programs on the robot and qi programs outside use like any other', async () => {
  const page = await gateway.page();
  const hosted = await page.host('TabletUi', { show: (text: string) => `shown: ${text}` });
  const buses: Bus[] = [await gateway.inside(), await gateway.outside()];
  for (const bus of buses) {
    const remote = await serviceSeen(bus, 'TabletUi');
    expect(await callMethod(remote, 'show', 'hello')).toBe('shown: hello');
    expect((await bus.services()).map(({ name }) => name)).toContain('TabletUi');
    expect((await bus.serviceInfo('TabletUi')).endpoints).not.toEqual([]);
  }
  await hosted.close();
});

test('outside every service is told to be at the door, relative endpoints first and sorted', async () => {
  const inside = await gateway.inside();
  await Promise.all(['Zeta', 'Alpha', 'Mid'].map((name) => inside.host(name, named(name))));
  const bus = await gateway.outside();
  await Promise.all(['Zeta', 'Alpha', 'Mid'].map((name) => seen(bus, name)));
  const endpoints = ['qi:ServiceDirectory', 'qi:Alpha', 'qi:Mid', 'qi:Zeta', gateway.qiUrl];
  for (const info of await bus.services()) {
    expect(info.endpoints).toEqual(endpoints);
    expect(info.machineId).toBe(bus.machineId);
  }
  const plain = await gateway.outside({ capabilities: { ...PLAIN } });
  for (const info of await plain.services()) expect(info.endpoints).toEqual([gateway.qiUrl]);
});

test('inside, relative endpoints name those whose endpoints are a subset, and no others', async () => {
  const [one, other] = await Promise.all([gateway.inside(), gateway.inside()]);
  await one.host('B', named('B'));
  await one.host('A', named('A'));
  await other.host('C', named('C'));
  const at = async (name: string): Promise<readonly string[]> => (await one.serviceInfo(name)).endpoints;
  expect(await at('ServiceDirectory')).toEqual(['qi:ServiceDirectory', gateway.busUrl]);
  expect(await at('A')).toEqual(['qi:A', 'qi:B', ...one.endpoints]);
  expect(await at('B')).toEqual(await at('A'));
  expect(await at('C')).toEqual(['qi:C', ...other.endpoints]);
});

const PLAIN = {
  ClientServerSocket: false,
  MessageFlags: false,
  MetaObjectCache: false,
  ObjectPtrUID: false,
  RelativeEndpointURI: false,
  RemoteCancelableCalls: false,
};

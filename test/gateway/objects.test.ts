// Objects that cross the gateway: inside values of every kind, both ways, handed on, let go of.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bus, BusObject } from '../../protocol/bus/bus.ts';
import { Dynamic } from '../../robot-agent/qi/index.ts';
import { Collected, callMethod, failureOf, getProperty, setProperty, watch } from '../contract/calls.ts';
import { serviceSeen } from '../contract/contract-state.ts';
import { type Carrier, CONTAINERS, createCarrier, hex, noneIsOut, objectsIn } from './carrier.ts';
import { type Gateway, openGateway } from './gateway.ts';
import { WAYS } from './ways.ts';

let gateway: Gateway;
beforeEach(async () => {
  gateway = await openGateway();
});
afterEach(() => gateway.close());

async function offer(host: Bus, name: string): Promise<Carrier> {
  const carrier = createCarrier();
  await host.host(name, carrier.object);
  return carrier;
}

describe.each(WAYS)('between $name', ({ client, host }) => {
  let bus: Bus;
  let carrier: Carrier;
  let remote: BusObject;
  beforeEach(async () => {
    carrier = await offer(await host(gateway), 'Carrier');
    bus = await client(gateway);
    remote = await serviceSeen(bus, 'Carrier');
  });

  test.each(Object.keys(CONTAINERS))('objects in an argument (%s) are called, and let go of', async (name) => {
    const own = createCarrier();
    const given = CONTAINERS[name]?.of(own.thing(20), own.thing(22));
    expect(await callMethod(remote, `take_${name}`, given)).toBe(42);
    await own.out.until(noneIsOut);
  });

  test.each(Object.keys(CONTAINERS))('objects in an answer (%s) are called, and let go of', async (name) => {
    const objects = objectsIn(await callMethod(remote, `give_${name}`));
    expect(objects).toHaveLength(2);
    expect(await Promise.all(objects.map((each) => callMethod(each, 'add', 10)))).toEqual([11, 12]);
    for (const each of objects) each.release();
    await carrier.out.until(noneIsOut);
  });

  test.each(Object.keys(CONTAINERS))(
    'objects in an event (%s) reach each subscriber with a life of their own',
    async (name) => {
      const [one, other] = [watch(remote, `on_${name}`), watch(remote, `on_${name}`)];
      await Promise.all([one.ready, other.ready]);
      await callMethod(remote, `emit_${name}`);
      const first = objectsIn(await one.events.count(1));
      const second = objectsIn(await other.events.count(1));
      for (const each of first) each.release();
      expect(await Promise.all(second.map((each) => callMethod(each, 'value')))).toEqual([1, 2]);
      expect(carrier.out.all.at(-1)).toBe(2);
      for (const each of second) each.release();
      await carrier.out.until(noneIsOut);
    },
  );

  test('an object in a property is read, called, replaced by one of the client, and let go of', async () => {
    carrier.object.set('held', carrier.thing(5));
    const held = (await getProperty(remote, 'held')) as BusObject;
    expect(await callMethod(held, 'value')).toBe(5);
    const own = createCarrier();
    const mine = own.thing(6);
    const told = watch(remote, 'held');
    await told.ready;
    await setProperty(remote, 'held', new Dynamic('o', mine));
    held.release();
    await carrier.out.until(noneIsOut);
    const back = (await getProperty(remote, 'held')) as BusObject;
    expect(hex(back.uid)).toBe(hex(mine.uid));
    expect(await callMethod(back, 'value')).toBe(6);
    back.release();
    for (const each of objectsIn(await told.events.count(1))) each.release();
    carrier.object.set('held', null);
    await own.out.until(noneIsOut);
  });

  test('null stands among objects, both ways', async () => {
    const own = createCarrier();
    expect(await callMethod(remote, 'listLength', [null, own.thing(1), null])).toBe(2);
    await own.out.until(noneIsOut);
    expect(await callMethod(remote, 'kept')).toBeNull();
    expect(await getProperty(remote, 'held')).toBeNull();
  });

  test('a returned object is called, subscribed to, unsubscribed, subscribed to again, and released', async () => {
    const thing = (await callMethod(remote, 'give', 1)) as BusObject;
    const first = watch(thing, 'added');
    await first.ready;
    expect(await callMethod(thing, 'add', 2)).toBe(3);
    expect(await first.events.count(1)).toEqual([[2]]);
    await first.close();
    expect(await callMethod(thing, 'add', 3)).toBe(6);
    const second = watch(thing, 'added');
    await second.ready;
    expect(await callMethod(thing, 'add', 4)).toBe(10);
    expect(await second.events.count(1)).toEqual([[4]]);
    expect(first.events.all).toEqual([[2]]);
    await setProperty(thing, 'amount', new Dynamic('i', 7));
    expect(await getProperty(thing, 'amount')).toBe(7);
    thing.release();
    await carrier.out.until(noneIsOut);
    expect((await failureOf(callMethod(thing, 'value'))).code).toBe('object-gone');
    expect((await second.gone).code).toBe('object-gone');
  });

  test('an object of the client is called, heard, and known by its uid, until the service drops it', async () => {
    const own = createCarrier();
    const mine = own.thing(1);
    expect(await callMethod(remote, 'keep', mine)).toBe(hex(mine.uid));
    expect(await callMethod(remote, 'callKept')).toBe(1);
    await callMethod(remote, 'hearKept');
    mine.emit('added', 8);
    mine.emit('added', 9);
    // Behind the events on the same way.
    await callMethod(remote, 'callKept');
    expect(await callMethod(remote, 'heard')).toEqual([8, 9]);
    const back = (await callMethod(remote, 'kept')) as BusObject;
    expect(hex(back.uid)).toBe(hex(mine.uid));
    expect(await callMethod(back, 'add', 1)).toBe(2);
    back.release();
    await callMethod(remote, 'drop');
    await own.out.until(noneIsOut);
  });

  test('two hundred returned objects are destroyed when the client closes', async () => {
    const objects = (await callMethod(remote, 'giveMany', 200)) as BusObject[];
    expect(await callMethod(objects[199] as BusObject, 'value')).toBe(199);
    expect(carrier.out.all.at(-1)).toBe(200);
    await bus.close();
    await carrier.out.until(noneIsOut);
  });

  test('objects of a client that closes are let go of, and calls of them fail for the service that kept them', async () => {
    const own = createCarrier();
    await callMethod(remote, 'keep', own.thing(1));
    await callMethod(remote, 'keep', own.thing(2));
    await bus.close();
    await own.out.until(noneIsOut);
    const again = await serviceSeen(await client(gateway), 'Carrier');
    expect((await failureOf(callMethod(again, 'callKept'))).message).toMatch(
      /\[object-gone\] (There is no such object|The object ended with its service)/,
    );
  });

  test('the uid of a service is the same on both sides', async () => {
    expect(hex((await bus.serviceInfo('Carrier')).objectUid)).toBe(hex(carrier.object.uid));
    expect(hex(remote.uid)).toBe(hex(carrier.object.uid));
  });
});

describe('an object handed on by a client', () => {
  const hosts = [
    ['both services on the robot, in two programs', (g: Gateway) => g.inside(), (g: Gateway) => g.inside()],
    ['from the robot to a page', (g: Gateway) => g.inside(), (g: Gateway) => g.session()],
    ['from a page to a qi program outside', (g: Gateway) => g.session(), (g: Gateway) => g.outside()],
    ['from a qi program outside to the robot', (g: Gateway) => g.outside(), (g: Gateway) => g.inside()],
  ] as const;
  const clients = [
    ['a qi program outside', (g: Gateway): Promise<Bus> => g.outside()],
    ['a page', (g: Gateway): Promise<Bus> => g.session()],
    ['a program of the robot', (g: Gateway): Promise<Bus> => g.inside()],
  ] as const;

  test.each(
    clients.flatMap(([who, client]) => hosts.map(([where, one, other]) => ({ who, where, client, one, other }))),
  )('($who: $where) works at its new holder under its uid, and lives as long as one of them holds it', async (way) => {
    const giver = await offer(await way.one(gateway), 'Giver');
    const taker = await offer(await way.other(gateway), 'Taker');
    const bus = await way.client(gateway);
    const [from, to] = [await serviceSeen(bus, 'Giver'), await serviceSeen(bus, 'Taker')];
    const thing = (await callMethod(from, 'give', 7)) as BusObject;
    expect(await callMethod(to, 'keep', thing)).toBe(hex(thing.uid));
    thing.release();
    expect(await callMethod(to, 'callKept')).toBe(7);
    await callMethod(to, 'hearKept');
    const back = (await callMethod(to, 'kept')) as BusObject;
    expect(hex(back.uid)).toBe(hex(thing.uid));
    expect(await callMethod(back, 'add', 3)).toBe(10);
    // Back to where it came from: the giver calls its own object, by way of everybody.
    expect(await callMethod(from, 'keep', back)).toBe(hex(thing.uid));
    expect(await callMethod(from, 'callKept')).toBe(10);
    await callMethod(from, 'drop');
    back.release();
    expect(await callMethod(to, 'heard')).toEqual([3]);
    expect(giver.out.all.at(-1)).toBe(1);
    await callMethod(to, 'drop');
    await giver.out.until(noneIsOut);
    expect(taker.out.all).toEqual([]);
  });
});

test('objects of many calls at once each go back to the session that holds them', async () => {
  const carrier = await offer(await gateway.inside(), 'Carrier');
  const buses = await Promise.all([gateway.outside(), gateway.outside(), gateway.session(), gateway.session()]);
  const results = new Collected<number>();
  await Promise.all(
    buses.map(async (bus, index) => {
      const remote = await serviceSeen(bus, 'Carrier');
      const things = await Promise.all(
        Array.from({ length: 100 }, (_, each) => callMethod(remote, 'give', index * 100 + each)),
      );
      for (const thing of things as BusObject[]) {
        results.add((await callMethod(thing, 'value')) as number);
        thing.release();
      }
    }),
  );
  expect([...results.all].sort((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, each) => each));
  await carrier.out.until(noneIsOut);
});

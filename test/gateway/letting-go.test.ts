// Objects under way when somebody leaves or changes its mind: whatever happens, who made them is told that nobody holds them.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bus, BusObject } from '../../protocol/bus/bus.ts';
import { createObject, type HostedObject, method } from '../../robot-agent/qi/index.ts';
import { Collected, callMethod, failureOf, startCall, watch } from '../contract/calls.ts';
import { serviceSeen } from '../contract/contract-state.ts';
import { type Carrier, createCarrier, noneIsOut } from './carrier.ts';
import { type Gateway, openGateway } from './gateway.ts';
import { WAYS } from './ways.ts';

let gateway: Gateway;
beforeEach(async () => {
  gateway = await openGateway();
});
afterEach(() => gateway.close());

describe.each(WAYS)('between $name', ({ client, host }) => {
  let bus: Bus;
  let hostBus: Bus;
  let carrier: Carrier;
  let remote: BusObject;
  beforeEach(async () => {
    carrier = createCarrier();
    hostBus = await host(gateway);
    await hostBus.host('Carrier', carrier.object);
    bus = await client(gateway);
    remote = await serviceSeen(bus, 'Carrier');
  });

  test('objects in events that come after the subscription was closed are let go of', async () => {
    const heard = watch(remote, 'on_list');
    await heard.ready;
    const emitted = callMethod(remote, 'emit_list');
    await Promise.all([emitted, heard.close()]);
    for (const event of heard.events.all) for (const each of (event as [BusObject[]])[0]) each.release();
    await carrier.out.until(noneIsOut);
  });

  test('an object in an answer that comes when the caller has left is let go of', async () => {
    const wanted = new Collected<(object: HostedObject) => void>();
    const late = createObject({ give: method('()', 'o', () => new Promise((resolve) => wanted.add(resolve))) });
    await hostBus.host('Late', late);
    const { outcome } = startCall(await serviceSeen(bus, 'Late'), 'give');
    const [answer] = await wanted.count(1);
    await bus.close();
    await failureOf(outcome);
    answer?.(carrier.thing(1));
    await carrier.out.until(noneIsOut);
  });

  test('an object in an answer that comes although its caller has cancelled is the caller’s', async () => {
    const wanted = new Collected<(object: HostedObject) => void>();
    const late = createObject({ give: method('()', 'o', () => new Promise((resolve) => wanted.add(resolve))) });
    await hostBus.host('Late', late);
    const { outcome, handle } = startCall(await serviceSeen(bus, 'Late'), 'give');
    const [answer] = await wanted.count(1);
    handle.cancel();
    answer?.(carrier.thing(1));
    ((await outcome) as BusObject).release();
    await carrier.out.until(noneIsOut);
  });

  test('an object given to a service that leaves without dropping it is let go of', async () => {
    const own = createCarrier();
    const keeper = createCarrier();
    const hosted = await hostBus.host('Keeper', keeper.object);
    await callMethod(await serviceSeen(bus, 'Keeper'), 'keep', own.thing(1));
    await hosted.close();
    await own.out.until(noneIsOut);
  });

  test('objects of a service that leaves are gone for those who hold them', async () => {
    const leaving = createCarrier();
    const hosted = await hostBus.host('Leaving', leaving.object);
    const thing = (await callMethod(await serviceSeen(bus, 'Leaving'), 'give', 1)) as BusObject;
    expect(await callMethod(thing, 'value')).toBe(1);
    const gone = new Promise((resolve) => thing.onGone(resolve));
    await hosted.close();
    await gone;
    await failureOf(callMethod(thing, 'value'));
    await leaving.out.until(noneIsOut);
  });

  test('what a client held is let go of when the agent ends, and what it gave', async () => {
    await callMethod(remote, 'giveMany', 10);
    const own = createCarrier();
    await callMethod(remote, 'keep', own.thing(1));
    await gateway.agent.close();
    await Promise.all([carrier.out.until(noneIsOut), own.out.until(noneIsOut)]);
  });
});

// Pages through the gateway, as the SDK shows it: functions and objects as arguments, cancelling, hosting for qi programs.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bus, BusObject } from '../../protocol/bus/bus.ts';
import { asDynamic, encodePayload, plainObjects } from '../../protocol/objects/values.ts';
import { createObject, method, signal } from '../../robot-agent/qi/index.ts';
import type { ObjectArgument, RemoteObject, Signal } from '../../sdk/index.ts';
import { Collected, callMethod, methodOf, start, watch } from '../contract/calls.ts';
import { seen } from '../contract/contract-state.ts';
import { createCarrier } from './carrier.ts';
import { type Gateway, openGateway } from './gateway.ts';

let gateway: Gateway;
beforeEach(async () => {
  gateway = await openGateway();
});
afterEach(() => gateway.close());

interface Thing {
  value(): number;
  add(by: number): number;
  readonly added: Signal<[number]>;
}

interface Services {
  Caller: { call(callback: ObjectArgument, text: string): string };
  Carrier: {
    give(value: number): RemoteObject<Thing>;
    keep(given: ObjectArgument): string;
    callKept(): number;
    drop(): void;
  };
  Endless: { wait(): void };
}

/** Hosts a service and waits until pages see it. */
async function offer(bus: Bus, name: string, object: BusObject): Promise<void> {
  await bus.host(name, object);
  await seen(await gateway.session(), name);
}

describe.each([
  ['the robot', (): Promise<Bus> => gateway.inside()],
  ['a qi program outside', (): Promise<Bus> => gateway.outside()],
  ['another page', (): Promise<Bus> => gateway.session()],
])('a page and a service of %s', (_where, host) => {
  test('a function of the page is called back with arguments, and its result returned', async () => {
    const caller = createObject({
      call: method('(os)', 's', async (callback: BusObject, text: string) => {
        const payload = asDynamic(encodePayload('(s)', [text], plainObjects));
        const { outcome } = start(callback, { action: methodOf(callback, 'call').uid, payload });
        return String(await outcome.finally(() => callback.release()));
      }),
    });
    await offer(await host(), 'Caller', caller);
    const service = await (await gateway.page<Services>()).service('Caller');
    expect(await service.call((text: string) => `the page heard ${text}`, 'this')).toBe('the page heard this');
    await expect(
      service.call(() => {
        throw new Error('not today');
      }, 'this'),
    ).rejects.toThrow('not today');
  });

  test('an object of the page is kept and called, one of the service used and released', async () => {
    const carrier = createCarrier();
    await offer(await host(), 'Carrier', carrier.object);
    const service = await (await gateway.page<Services>()).service('Carrier');
    const own = createCarrier();
    await service.keep(own.thing(9));
    expect(await service.callKept()).toBe(9);
    await service.drop();
    await own.out.until((all) => all.at(-1) === 0);
    const thing = await service.give(1);
    const heard = new Collected<number>();
    const off = await thing.added.connect((by) => heard.add(by));
    expect(await thing.add(4)).toBe(5);
    expect(await heard.count(1)).toEqual([4]);
    await off();
    thing.release();
    await carrier.out.until((all) => all.at(-1) === 0);
  });

  test('aborting a call stops it where it runs', async () => {
    const log = new Collected<string>();
    const endless = createObject({
      wait: method('()', 'v', (context: { onCancel(stop: () => void): void }) => {
        log.add('began');
        return new Promise(() => context.onCancel(() => log.add('stopped')));
      }),
    });
    await offer(await host(), 'Endless', endless);
    const service = await (await gateway.page<Services>()).service('Endless');
    const abort = new AbortController();
    const waiting = service.wait.with({ signal: abort.signal })();
    await log.count(1);
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'canceled' });
    expect(await log.count(2)).toEqual(['began', 'stopped']);
  });
});

test.each([
  ['a program on the robot', (): Promise<Bus> => gateway.inside()],
  ['a qi program outside', (): Promise<Bus> => gateway.outside()],
])('a page that hosts uses the objects that %s gives it, and lets go of them', async (_who, join) => {
  const page = await gateway.page();
  const heard = new Collected<number>();
  await page.host('Ui', {
    async show(thing: RemoteObject<Thing>): Promise<number> {
      const off = await thing.added.connect((by) => heard.add(by));
      const value = await thing.add(5);
      await off();
      thing.release();
      return value;
    },
  });
  const bus = await join();
  await seen(bus, 'Ui');
  const own = createCarrier();
  expect(await callMethod(await bus.service('Ui'), 'show', own.thing(2))).toBe(7);
  expect(await heard.count(1)).toEqual([5]);
  await own.out.until((all) => all.at(-1) === 0);
});

test('signals that a page emits reach programs on both sides', async () => {
  const page = await gateway.page();
  const button = createObject({ pressed: signal('(is)') });
  await page.host('Button', button);
  const buses: Bus[] = [await gateway.inside(), await gateway.outside(), await gateway.session()];
  const watches = await Promise.all(
    buses.map(async (bus) => {
      await seen(bus, 'Button');
      const watched = watch(await bus.service('Button'), 'pressed');
      await watched.ready;
      return watched;
    }),
  );
  for (let press = 0; press < 100; press += 1) button.emit('pressed', press, 'left');
  for (const { events } of watches)
    expect(await events.count(100)).toEqual(Array.from({ length: 100 }, (_, press) => [press, 'left']));
});

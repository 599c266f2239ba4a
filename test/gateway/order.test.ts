// What arrives in order leaves in order: events and answers of one service, at clients of both kinds, each with a counter
// that its maker put in.
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Bus, BusObject } from '../../protocol/bus/bus.ts';
import { decodePayload, encodePayload, plainObjects } from '../../protocol/objects/values.ts';
import { createObject, type HostedObject, method, signal } from '../../robot-agent/qi/index.ts';
import { methodOf, signalOf } from '../contract/calls.ts';
import { seen } from '../contract/contract-state.ts';
import { type Gateway, openGateway } from './gateway.ts';

const EVENTS = 10_000;
/** Events of one turn of the service. */
const BURST = 100;

let gateway: Gateway;
beforeEach(async () => {
  gateway = await openGateway();
});
afterEach(() => gateway.close());

/** Counts what it emits and answers in one row: the position of every answer among the events is known. */
function createCounter(): HostedObject {
  let emitted = 0;
  const object: HostedObject = createObject({
    burst: method('(i)', 'i', (count: number) => {
      for (let each = 0; each < count; each += 1) object.emit('counted', emitted++, 'x'.repeat(emitted % 97));
      return emitted;
    }),
    position: method('()', 'i', () => emitted),
    counted: signal('(is)'),
  });
  return object;
}

interface Listener {
  /** Numbers of the events, as they came. */
  readonly heard: number[];
  /** Answers that came at another place among the events than the service gave them. */
  readonly misplaced: string[];
  call(name: string, ...args: unknown[]): Promise<number>;
  readonly complete: Promise<void>;
}

async function listen(bus: Bus, total: number): Promise<Listener> {
  await seen(bus, 'Counter');
  const remote: BusObject = await bus.service('Counter');
  const heard: number[] = [];
  const misplaced: string[] = [];
  let done = (): void => {};
  const complete = new Promise<void>((resolve) => {
    done = resolve;
  });
  await remote.subscribe(signalOf(remote, 'counted'), {
    event: (payload) => {
      heard.push((decodePayload(payload, plainObjects) as [number])[0]);
      if (heard.length >= total) done();
    },
    gone: () => {},
  }).ready;
  const call = (name: string, ...args: unknown[]): Promise<number> =>
    new Promise((resolve, reject) => {
      const { uid, parametersSignature } = methodOf(remote, name);
      remote.call(
        { action: uid, payload: encodePayload(parametersSignature, args, plainObjects) },
        {
          reply: (payload) => {
            const position = decodePayload(payload, plainObjects) as number;
            if (heard.length !== position) misplaced.push(`${name}: ${position} after ${heard.length} events`);
            resolve(position);
          },
          error: reject,
          canceled: () => reject(new Error('canceled')),
        },
      );
    });
  return { heard, misplaced, call, complete };
}

test.each([
  ['the robot', (): Promise<Bus> => gateway.inside()],
  ['a page', (): Promise<Bus> => gateway.session()],
  ['a qi program outside', (): Promise<Bus> => gateway.outside()],
])(
  '10,000 events of a service of %s reach five clients in order, with answers at their place among them',
  async (_where, host) => {
    await (await host()).host('Counter', createCounter());
    const buses: Bus[] = await Promise.all<Bus>([
      gateway.outside(),
      gateway.outside(),
      gateway.outside(),
      gateway.session(),
      gateway.session(),
    ]);
    const listeners = await Promise.all(buses.map((bus) => listen(bus, EVENTS)));
    const [first] = listeners as [Listener];
    const calls: Promise<number>[] = [];
    for (let sent = 0; sent < EVENTS; sent += BURST) {
      calls.push(first.call('burst', BURST));
      // The others ask all the while; every tenth burst all answers are waited for, so that turns differ.
      for (const listener of listeners) calls.push(listener.call('position'), listener.call('position'));
      if (sent % (10 * BURST) === 0) await Promise.all(calls.splice(0));
    }
    await Promise.all(calls);
    await Promise.all(listeners.map(({ complete }) => complete));
    const expected = Array.from({ length: EVENTS }, (_, index) => index);
    for (const { heard, misplaced } of listeners) {
      expect(heard).toEqual(expected);
      expect(misplaced).toEqual([]);
    }
  },
);

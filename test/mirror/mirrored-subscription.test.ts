// A subscription over the comings and goings of its service: what each order of events, gaps and confirmations comes to.
import { expect, test } from 'vitest';
import { type BusObject, type EventSink, NO_OBJECTS, type Payload } from '../../protocol/bus/bus.ts';
import { QiwayError } from '../../protocol/errors.ts';
import { MirroredSubscription } from '../../robot-agent/mirror/mirrored-subscription.ts';
import { embeddedBus } from '../support/memory-session.ts';
import { virtualClock } from '../support/virtual-clock.ts';

const SIGNAL = 100;
const AWAY = new QiwayError('bus-down', 'The bus is down.');
const event = (byte: number): Payload => ({ signature: '(C)', bytes: Uint8Array.of(byte), objects: NO_OBJECTS });

/** An object that confirms subscriptions when the test says so. */
function slowObject(): { readonly object: BusObject; readonly sink: () => EventSink; confirm(): Promise<void> } {
  let confirm = (): void => {};
  let sink: EventSink | undefined;
  const object: BusObject = Object.assign(Object.create(embeddedBus().directory) as BusObject, {
    subscribe: (_signal: number, given: EventSink) => {
      sink = given;
      const ready = new Promise<void>((resolve) => {
        confirm = resolve;
      });
      return { ready, close: async () => {} };
    },
  });
  return {
    object,
    sink: () => {
      if (sink === undefined) throw new Error('nobody subscribed');
      return sink;
    },
    confirm: async () => {
      confirm();
      await Promise.resolve();
    },
  };
}

function subscription(): { readonly mirrored: MirroredSubscription; readonly seen: unknown[] } {
  const seen: unknown[] = [];
  const sink: EventSink = {
    event: ({ bytes }) => seen.push(bytes[0]),
    gap: (missed) => seen.push(['gap', missed]),
    gone: (error) => seen.push(['gone', error.code]),
  };
  return { mirrored: new MirroredSubscription(SIGNAL, sink, { clock: virtualClock(), onClosed: () => {} }), seen };
}

test('an event that comes before the new subscription is confirmed comes after the gap all the same', async () => {
  const { mirrored, seen } = subscription();
  const first = slowObject();
  mirrored.begin(first.object);
  await first.confirm();
  first.sink().event(event(1));
  mirrored.wait(AWAY);
  const second = slowObject();
  mirrored.begin(second.object);
  second.sink().event(event(2));
  await second.confirm();
  second.sink().event(event(3));
  expect(seen).toEqual([1, ['gap', undefined], 2, 3]);
});

test('a gap that the service tells of itself is passed on', async () => {
  const { mirrored, seen } = subscription();
  const { object, sink, confirm } = slowObject();
  mirrored.begin(object);
  await confirm();
  sink().gap?.(5);
  sink().event(event(1));
  expect(seen).toEqual([['gap', 5], 1]);
});

test('what the former object still says is not heard', async () => {
  const { mirrored, seen } = subscription();
  const first = slowObject();
  mirrored.begin(first.object);
  await first.confirm();
  mirrored.wait(AWAY);
  const second = slowObject();
  mirrored.begin(second.object);
  await second.confirm();
  first.sink().event(event(1));
  second.sink().event(event(2));
  expect(seen).toEqual([['gap', undefined], 2]);
});

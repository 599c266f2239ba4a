// Gaps on a link: a message of their own, in order with the events, for those only who said that they know it.
import { expect, test } from 'vitest';
import type { BusObject, EventSink } from '../../protocol/bus/bus.ts';
import { FULL_AGREEMENT } from '../../protocol/bus/peer.ts';
import { createObject, type HostedObject, signal } from '../../protocol/objects/hosted-object.ts';
import { MessageType } from '../../protocol/wire/message.ts';
import { decodeValue } from '../../protocol/wire/value.ts';
import { memoryDoor } from '../support/memory-session.ts';
import { peerPair } from '../support/peer-pair.ts';
import { settled } from '../support/virtual-clock.ts';

interface Gappy {
  readonly object: HostedObject;
  gap(missed: number | undefined): void;
}

/** A lamp that can tell its subscribers of gaps. */
function gappy(): Gappy {
  const sinks = new Set<EventSink>();
  const object = createObject({ blinked: signal('(i)') });
  const subscribe = object.subscribe.bind(object);
  Object.assign(object, {
    subscribe: (action: number, sink: EventSink) => {
      sinks.add(sink);
      return subscribe(action, sink);
    },
  });
  return {
    object,
    gap: (missed) => {
      for (const sink of sinks) sink.gap?.(missed);
    },
  };
}

function blinkedOf(object: BusObject): number {
  return [...object.metaObject.signals.values()].find(({ name }) => name === 'blinked')?.uid ?? -1;
}

function listen(object: BusObject): { readonly heard: unknown[]; readonly ready: Promise<void> } {
  const heard: unknown[] = [];
  const { ready } = object.subscribe(blinkedOf(object), {
    event: ({ signature, bytes }) => heard.push(...(decodeValue(signature, bytes) as unknown[])),
    gap: (missed) => heard.push({ missed }),
    gone: () => heard.push('gone'),
  });
  return { heard, ready };
}

test('each subscriber of a client hears of a gap once, between the events', async () => {
  const door = memoryDoor();
  const lamp = gappy();
  await door.bus.host('Lamp', lamp.object);
  const session = await door.open();
  const object = await session.service('Lamp');
  const listeners = [listen(object), listen(object)];
  await Promise.all(listeners.map(({ ready }) => ready));
  lamp.object.emit('blinked', 1);
  lamp.gap(undefined);
  lamp.object.emit('blinked', 2);
  lamp.gap(7);
  lamp.gap(0);
  await settled();
  for (const { heard } of listeners) expect(heard).toEqual([1, { missed: undefined }, 2, { missed: 7 }, { missed: 0 }]);
});

test('a gap waits behind a large event of its object', async () => {
  const door = memoryDoor();
  const sinks: EventSink[] = [];
  const object = createObject({ blinked: signal('(r)') });
  const subscribe = object.subscribe.bind(object);
  Object.assign(object, {
    subscribe: (action: number, sink: EventSink) => {
      sinks.push(sink);
      return subscribe(action, sink);
    },
  });
  await door.bus.host('Lamp', object);
  const session = await door.open();
  const lamp = await session.service('Lamp');
  const { heard, ready } = listen(lamp);
  await ready;
  object.emit('blinked', new Uint8Array(4_000_000));
  sinks[0]?.gap?.(1);
  await door.clock.advance(1000);
  expect(heard.map((one) => (one instanceof Uint8Array ? one.length : one))).toEqual([4_000_000, { missed: 1 }]);
});

test('a qi peer neither sends gaps nor takes them', async () => {
  const lamp = gappy();
  const pair = peerPair({
    services: (id) => (id === 5 ? lamp.object : undefined),
    agreement: () => ({ ...FULL_AGREEMENT, tellsLosses: false }),
  });
  const { metaObject } = lamp.object;
  const object = pair.client.remoteObject(5, 1, { metaObject: metaObject.bytes });
  const { heard, ready } = listen(object);
  await ready;
  lamp.gap(3);
  const header = { id: 9, size: 4, version: 0, type: MessageType.gap, flags: 0, service: 5, object: 1 };
  pair.client.receive({ ...header, action: blinkedOf(object) }, new Uint8Array(4));
  lamp.object.emit('blinked', 1);
  await settled();
  expect(heard).toEqual([1]);
  expect(pair.sent.server.map((message) => message.header.type)).not.toContain(MessageType.gap);
  pair.client.agree(FULL_AGREEMENT);
  pair.client.receive({ ...header, action: blinkedOf(object) }, new Uint8Array(4));
  pair.client.receive({ ...header, action: blinkedOf(object) }, new Uint8Array([255, 255, 255, 255]));
  pair.client.receive({ ...header, action: blinkedOf(object), service: 6 }, new Uint8Array(4));
  expect(heard).toEqual([1, { missed: 0 }, { missed: undefined }]);
});

// Objects that were handed over a link and end at their host: whoever holds them is told at once, and once.
import { expect, test } from 'vitest';
import type { Bus, BusObject } from '../../protocol/bus/bus.ts';
import { encodeError } from '../../protocol/bus/encode-error.ts';
import { FULL_AGREEMENT } from '../../protocol/bus/peer.ts';
import { QiwayError } from '../../protocol/errors.ts';
import { createObject, type HostedObject, method, signal } from '../../protocol/objects/hosted-object.ts';
import { MessageType } from '../../protocol/wire/message.ts';
import { decodeValue } from '../../protocol/wire/value.ts';
import { callMethod, failureOf } from '../contract/calls.ts';
import { memoryDoor } from '../support/memory-session.ts';
import { peerPair } from '../support/peer-pair.ts';
import { settled } from '../support/virtual-clock.ts';

interface Shop {
  readonly object: HostedObject;
  /** What was made by `make`. */
  readonly made: HostedObject[];
}

function shop(): Shop {
  const made: HostedObject[] = [];
  const lamp = (): HostedObject => {
    const object = createObject({ ping: method('()', 's', () => 'pong'), blinked: signal('(r)') });
    object.retain(); // ours
    made.push(object);
    return object;
  };
  const object = createObject({
    make: method('()', 'o', lamp),
    makeEnded: method('()', 'o', () => {
      const ended = lamp();
      end(ended);
      return ended;
    }),
  });
  return { object, made };
}

function end(object: HostedObject | undefined): void {
  while (object !== undefined && object.goneWith === undefined) object.release();
}

function blinkedOf(object: BusObject): number {
  return [...object.metaObject.signals.values()].find(({ name }) => name === 'blinked')?.uid ?? -1;
}

function listen(object: BusObject): { readonly heard: unknown[]; readonly ready: Promise<void> } {
  const heard: unknown[] = [];
  const { ready } = object.subscribe(blinkedOf(object), {
    event: ({ signature, bytes }) => heard.push((decodeValue(signature, bytes) as [Uint8Array])[0].length),
    gone: ({ code }) => heard.push(code),
  });
  object.onGone(({ code }) => heard.push(`listener: ${code}`));
  return { heard, ready };
}

async function lampOf(bus: Bus, name = 'Shop'): Promise<BusObject> {
  return (await callMethod(await bus.service(name), 'make')) as BusObject;
}

test('whoever holds an object that ends hears of it once, after its events, and calls fail without being sent', async () => {
  const door = memoryDoor();
  const { object, made } = shop();
  await door.bus.host('Shop', object);
  const session = await door.open();
  const lamp = await lampOf(session);
  const { heard, ready } = listen(lamp);
  await ready;
  const underWay = callMethod(lamp, 'ping');
  made[0]?.emit('blinked', new Uint8Array(3));
  end(made[0]);
  expect(await failureOf(underWay)).toMatchObject({ code: 'object-gone', maybeExecuted: false }); // it came too late
  await settled();
  expect(heard).toEqual([3, 'object-gone', 'listener: object-gone']);
  expect(lamp.goneWith).toMatchObject({ code: 'object-gone', maybeExecuted: false });
  expect(await failureOf(callMethod(lamp, 'ping'))).toBe(lamp.goneWith);
  expect(door.serverSessions[0]?.counts).toMatchObject({ servedObjects: 0, subscriptions: 2, incomingCalls: 0 }); // those on the directory
  expect(session.counts.remoteObjects).toBe(2); // the directory and the shop
  lamp.release();
  await settled();
  expect(heard).toHaveLength(3);
});

test('it is told behind a large event that is still on its way', async () => {
  const door = memoryDoor();
  const { object, made } = shop();
  await door.bus.host('Shop', object);
  const lamp = await lampOf(await door.open());
  const { heard, ready } = listen(lamp);
  await ready;
  made[0]?.emit('blinked', new Uint8Array(4_000_000));
  end(made[0]);
  await door.clock.advance(1000);
  expect(heard).toEqual([4_000_000, 'object-gone', 'listener: object-gone']);
});

test('an object that had ended before it was handed over is told of as well', async () => {
  const door = memoryDoor();
  await door.bus.host('Shop', shop().object);
  const session = await door.open();
  const lamp = (await callMethod(await session.service('Shop'), 'makeEnded')) as BusObject;
  await settled();
  expect(lamp.goneWith).toMatchObject({ code: 'object-gone' });
  expect(door.serverSessions[0]?.counts.servedObjects).toBe(0);
});

test('one that was released before it ended is not told of', async () => {
  const { object, made } = shop();
  const pair = peerPair({ services: () => object });
  const remote = pair.client.remoteObject(5, 1, { metaObject: object.metaObject.bytes });
  const lamp = (await callMethod(remote, 'make')) as BusObject;
  lamp.release();
  await settled();
  end(made[0]);
  await settled();
  expect(pair.sent.server.map(({ header }) => header.type)).not.toContain(MessageType.gone);
});

test('a client’s own objects are told of to the agent, and by it to another client that holds them', async () => {
  const door = memoryDoor();
  const { object, made } = shop();
  const [a, b] = [await door.open(), await door.open()];
  await b.host('Shop', object);
  const first = listen(await lampOf(a));
  const second = listen(await lampOf(a));
  await Promise.all([first.ready, second.ready]);
  end(made[0]);
  await settled();
  expect(first.heard).toEqual(['object-gone', 'listener: object-gone']);
  expect(second.heard).toEqual([]);
  await b.close();
  await settled();
  expect(second.heard).toEqual(['object-gone', 'listener: object-gone']);
});

test('a service that leaves takes along what it handed out', async () => {
  const door = memoryDoor();
  const { object } = shop();
  const [a, b] = [await door.open(), await door.open()];
  const hosted = await b.host('Shop', object);
  const { heard, ready } = listen(await lampOf(a));
  await ready;
  await hosted.close();
  await settled();
  expect(heard).toEqual(['object-gone', 'listener: object-gone']);
});

test('a service is not ended by it, nor an object that is not held, nor anything by a qi peer', async () => {
  const { object } = shop();
  const pair = peerPair({ services: () => object });
  const remote = pair.client.remoteObject(5, 1, { metaObject: object.metaObject.bytes });
  const lamp = (await callMethod(remote, 'make')) as BusObject & { readonly object: number };
  const body = encodeError(new QiwayError('object-gone', 'It ended.'), 'record');
  const header = { id: 9, size: body.length, version: 0, type: MessageType.gone, flags: 0, service: 5, action: 0 };
  pair.client.receive({ ...header, object: 1 }, body);
  pair.client.receive({ ...header, object: lamp.object + 1 }, body);
  pair.client.agree({ ...FULL_AGREEMENT, tellsLosses: false });
  pair.client.receive({ ...header, object: lamp.object }, body);
  expect([remote.goneWith, lamp.goneWith]).toEqual([undefined, undefined]);
  pair.client.agree(FULL_AGREEMENT);
  pair.client.receive({ ...header, object: lamp.object }, new Uint8Array([1, 2, 3]));
  expect(lamp.goneWith).toBeInstanceOf(QiwayError); // the words cannot be read; that it ended can
});

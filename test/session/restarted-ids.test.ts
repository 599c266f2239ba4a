// A session that goes on with an agent that was started again: its services come back one after another, and have each other's ids.
import type { BusObject } from '@qiway/protocol/bus/bus';
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import type { ClientSession } from '@qiway/protocol/session/client-session';
import { SessionHost } from '@qiway/protocol/session/session-host';
import { expect, test } from 'vitest';
import { callMethod } from '../contract/calls.ts';
import { embeddedBus, type MemoryDoor, memoryDoor } from '../support/memory-session.ts';

const named = (name: string) => createObject({ name: method('()', 's', () => name) });

interface Restarted {
  readonly door: MemoryDoor;
  readonly session: ClientSession;
  /** By name, as the session had them before. */
  readonly held: Readonly<Record<'Arm' | 'Leg', BusObject>>;
  /** Of the service that took Arm's id. */
  readonly legId: number;
  readonly appears: (name: string) => Promise<number>;
}

/** Arm was registered before Leg; now Leg is back, under the id that Arm had, and Arm is not. */
async function restarted(): Promise<Restarted> {
  const door = memoryDoor();
  const armId = (await door.bus.host('Arm', named('Arm'))).serviceId;
  await door.bus.host('Leg', named('Leg'));
  let cut = (): void => {};
  door.onDial = (transport) => {
    cut = () => transport.close(1000, 'cut');
    return transport;
  };
  const session = await door.open();
  const held = { Arm: await session.service('Arm'), Leg: await session.service('Leg') };
  const bus = embeddedBus();
  const appears = async (name: string): Promise<number> => (await bus.host(name, named(name))).serviceId;
  const legId = await appears('Leg');
  expect(legId).toBe(armId);
  door.host = new SessionHost({ ...door.hostOptions, bus, epoch: 'next' });
  cut();
  await door.clock.advance(5_000);
  expect(session.sessionState).toBe('online');
  return { door, session, held, legId, appears };
}

test('what is asked for by id is the service of now, although one that is awaited had that id', async () => {
  const { session, held, legId } = await restarted();
  const found = await session.bus.object(legId);
  expect(found).toBe(held.Leg);
  expect(await callMethod(found, 'name')).toBe('Leg');
  expect(session.bus.now?.nameOf(legId)).toBe('Leg');
});

test('one that comes back later is the same object, by name and by its new id', async () => {
  const { session, held, door, legId, appears } = await restarted();
  const id = await appears('Arm');
  expect(id).not.toBe(legId);
  await door.clock.advance(0);
  expect(await session.bus.object(id)).toBe(held.Arm);
  expect(await callMethod(held.Arm, 'name')).toBe('Arm');
  expect(await session.service('Arm')).toBe(held.Arm);
});

test('one that is asked for by id in the moment in which it comes back is that one as well', async () => {
  const { session, held, door, appears } = await restarted();
  const asked: Promise<BusObject>[] = [];
  session.bus.now?.listen({ serviceAdded: ({ serviceId }) => asked.push(session.bus.object(serviceId)) });
  await appears('Arm');
  await door.clock.advance(0);
  expect(asked).toHaveLength(1);
  expect(await asked[0]).toBe(held.Arm);
});

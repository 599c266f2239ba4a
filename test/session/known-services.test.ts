// What connecting costs a client that knows the 25 services of its robot from before, and one that does not.
import { createObject, type Members, method, property, signal } from '@qiway/protocol/objects/hosted-object';
import type { ClientSession } from '@qiway/protocol/session/client-session';
import type { Transport } from '@qiway/protocol/session/transport';
import { expect, test } from 'vitest';
import { describedMembers } from '../../robot-agent/session/described-members.ts';
import { createSessionObject } from '../../robot-agent/session/session-object.ts';
import { type Remembered, rememberedServices } from '../support/known-services.ts';
import { type MemoryDoor, memoryDoor } from '../support/memory-session.ts';

const SERVICES = 25;
/** As a service of NAOqi has: some 7 kB of metaobject. */
const MEMBERS = 40;

interface Cost {
  /** That came over the link. */
  readonly bytes: number;
  /** Batches that the client sent, each after it had read the answers to the one before. */
  readonly turns: number;
}

function robot(): MemoryDoor {
  const door: MemoryDoor = memoryDoor({
    ownObject: (session) => createSessionObject(session, [describedMembers(door.bus, door.clock)]),
  });
  return door;
}

function members(index: number): Members {
  const all: Record<string, Members[string]> = { volume: property('i', 50), changed: signal('(ifs)') };
  for (let each = 0; each < MEMBERS; each += 1)
    all[`setParameterOf${index}Number${each}`] = method('(sfb)', 'i', () => each, {
      description: `Sets a parameter of the service, and answers with what it was before, number ${each}.`,
      parameters: ['name', 'value', 'isLasting'],
    });
  return all;
}

function counted(door: MemoryDoor): { cost(): Cost } {
  let [bytes, turns, isAnswered] = [0, 0, true];
  door.onDial = (transport): Transport => ({
    get route() {
      return transport.route;
    },
    get bufferedBytes() {
      return transport.bufferedBytes;
    },
    listen: (listener) =>
      transport.listen({
        message: (message) => {
          bytes += message.length;
          isAnswered = true;
          listener.message(message);
        },
        drain: () => listener.drain(),
        close: (reason, code) => listener.close(reason, code),
      }),
    send: (message, rest) => {
      if (isAnswered) turns += 1;
      isAnswered = false;
      return transport.send(message, rest);
    },
    close: (code, reason) => transport.close(code, reason),
  });
  return { cost: () => ({ bytes, turns }) };
}

async function askForAll(session: ClientSession): Promise<void> {
  for (let index = 0; index < SERVICES; index += 1) await session.service(`Service${index}`);
}

async function costOf(door: MemoryDoor, known: Remembered | undefined): Promise<Cost> {
  const counter = counted(door);
  const session = await door.open(known === undefined ? {} : { known });
  await askForAll(session);
  const cost = counter.cost();
  await session.close();
  return cost;
}

test('services that are known cost their hashes, and no round trip of their own', async () => {
  const door = robot();
  for (let index = 0; index < SERVICES; index += 1)
    await door.bus.host(`Service${index}`, createObject(members(index)));
  const known = rememberedServices();
  const without = await costOf(door, undefined);
  await costOf(door, known);
  const cost = await costOf(door, known);
  expect(known.fetched).toHaveLength(SERVICES);
  expect(without.bytes).toBeGreaterThan(SERVICES * 5_000);
  expect(cost.bytes).toBeLessThan(10_000);
  expect(cost.turns).toBeLessThan(without.turns - 2 * SERVICES + 3);
});

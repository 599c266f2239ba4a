// A session of a client that knows its robot from before: what is not fetched again, what it answers without a link, and what
// is checked before anything goes out.
import { createObject, type HostedObject, method, signal } from '@qiway/protocol/objects/hosted-object';
import { createRemoteObjects } from '@qiway/protocol/objects/remote-objects';
import type { LooseMembers } from '@qiway/protocol/objects/remote-types';
import type { ClientSessionOptions } from '@qiway/protocol/session/client-session';
import { SessionHost } from '@qiway/protocol/session/session-host';
import { beforeEach, describe, expect, test } from 'vitest';
import { describedMembers } from '../../robot-agent/session/described-members.ts';
import { createSessionObject } from '../../robot-agent/session/session-object.ts';
import { callMethod, failureOf } from '../contract/calls.ts';
import { type Remembered, rememberedServices } from '../support/known-services.ts';
import { embeddedBus, type MemoryDoor, memoryDoor } from '../support/memory-session.ts';
import { settled } from '../support/virtual-clock.ts';

/** Agents that describe all services at once, and those before them. */
type Kind = 'describes' | 'does not';

let known: Remembered;

function openDoor(kind: Kind): MemoryDoor {
  const door: MemoryDoor = memoryDoor({
    ...(kind === 'describes' && {
      ownObject: (session) => createSessionObject(session, [describedMembers(door.bus, door.clock)]),
    }),
    told: () => ({ bus: 'up', classes: [['Arm.*', 'motion']] }),
  });
  return door;
}

function lamp(): HostedObject {
  return createObject({ blink: method('(i)', 'i', (times: number) => times + 1), blinked: signal('(i)') });
}

/** The agent is started anew, with the services as they are then. */
async function restart(door: MemoryDoor, services: Readonly<Record<string, HostedObject>>, kind: Kind): Promise<void> {
  const bus = embeddedBus();
  // Ids are others now.
  await bus.host('Before all', createObject({}));
  for (const [name, object] of Object.entries(services)) await bus.host(name, object);
  const ownObject: NonNullable<typeof door.hostOptions.ownObject> = (session) =>
    createSessionObject(session, [describedMembers(bus, door.clock)]);
  const { ownObject: _, ...rest } = door.hostOptions;
  door.host = new SessionHost({ ...rest, bus, epoch: 'next', ...(kind === 'describes' && { ownObject }) });
}

const offline = (door: MemoryDoor, isOff: () => boolean): Partial<ClientSessionOptions> => ({
  known,
  startsOffline: { robotId: 'robot', afterMs: 1000 },
  dial: async (request) => {
    if (isOff()) throw Object.assign(new Error('nothing listens'), { code: 'dial-failed' });
    return door.dialAs('client')(request);
  },
});

beforeEach(() => {
  known = rememberedServices();
});

describe.each<Kind>(['describes', 'does not'])('with an agent that %s its services', (kind) => {
  test('a metaobject is fetched once, and again only when it is another one', async () => {
    const door = openDoor(kind);
    await door.bus.host('Lamp', lamp());
    const first = await door.open({ known });
    expect(await callMethod(await first.service('Lamp'), 'blink', 1)).toBe(2);
    await first.close();
    expect(known.fetched).toEqual(['Lamp']);
    const second = await door.open({ known });
    expect(await callMethod(await second.service('Lamp'), 'blink', 2)).toBe(3);
    expect(known.fetched).toEqual(kind === 'describes' ? ['Lamp'] : ['Lamp', 'Lamp']);
    await second.close();
    await restart(door, { Lamp: createObject({ dim: method('(i)', 'i', (level: number) => -level) }) }, kind);
    const third = await door.open({ known });
    expect(await callMethod(await third.service('Lamp'), 'dim', 3)).toBe(-3);
    expect(known.fetched.at(-1)).toBe('Lamp');
    expect(known.metaObjects.get('Lamp')).toEqual((await third.service('Lamp')).metaObject.bytes);
  });

  test('a session begins offline, answers what it knows, and goes on with the same objects', async () => {
    const door = openDoor(kind);
    const object = lamp();
    await door.bus.host('Lamp', object);
    const before = await door.open({ known });
    await before.service('Lamp');
    await before.services();
    await before.close();
    let isOff = true;
    const session = await door.open(offline(door, () => isOff));
    expect(session).toMatchObject({ sessionState: 'offline', robotId: 'robot' });
    expect(session.classes.classOf('Arm', 'move')).toBe('motion');
    expect((await session.services()).map(({ name }) => name)).toContain('Lamp');
    const service = await session.service('Lamp');
    expect([...service.metaObject.methods.values()].map(({ name }) => name)).toContain('blink');
    expect((await failureOf(callMethod(service, 'blink', 1))).code).toBe('offline');
    const events: unknown[] = [];
    const [blinked] = [...service.metaObject.signals.values()].filter(({ name }) => name === 'blinked');
    const subscription = service.subscribe(blinked?.uid ?? 0, { event: (event) => events.push(event), gone: () => {} });
    isOff = false;
    await door.clock.advance(5_000);
    expect(session.sessionState).toBe('online');
    await subscription.ready;
    expect(await callMethod(service, 'blink', 1)).toBe(2);
    expect(await session.service('Lamp')).toBe(service);
    object.emit('blinked', 7);
    await settled();
    expect(events).toHaveLength(1);
  });

  test('a service that is another one by now is ended, and nothing reaches it by the old ids', async () => {
    const door = openDoor(kind);
    await door.bus.host('Lamp', lamp());
    const before = await door.open({ known });
    await before.service('Lamp');
    await before.services();
    await before.close();
    const calls: string[] = [];
    const other = createObject({
      explode: method('(i)', 'i', () => calls.push('explode')),
      blink: method('(i)', 'i', () => calls.push('blink')),
    });
    await restart(door, { Lamp: other }, kind);
    let isOff = true;
    const session = await door.open(offline(door, () => isOff));
    const old = await session.service('Lamp');
    isOff = false;
    await door.clock.advance(5_000);
    expect((await failureOf(callMethod(old, 'blink', 1))).code).toBe('service-gone');
    expect(calls).toEqual([]);
    expect(await callMethod(await session.service('Lamp'), 'explode', 1)).toBe(1);
  });

  test('a service that is not there any more is waited for, and then ended', async () => {
    const door = openDoor(kind);
    await door.bus.host('Lamp', lamp());
    const before = await door.open({ known });
    await before.service('Lamp');
    await before.services();
    await before.close();
    await restart(door, {}, kind);
    let isOff = true;
    const session = await door.open(offline(door, () => isOff));
    const old = await session.service('Lamp');
    isOff = false;
    await door.clock.advance(5_000);
    expect((await failureOf(callMethod(old, 'blink', 1))).code).toBe('bus-down');
    await door.clock.advance(120_000);
    expect((await failureOf(callMethod(old, 'blink', 1))).code).toBe('service-gone');
  });
});

describe('a session that may begin offline', () => {
  test('waits a second for a robot that does not answer, and goes on dialling', async () => {
    const door = openDoor('describes');
    await door.bus.host('Lamp', lamp());
    known.listed(await door.bus.services());
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const opening = door.open({
      ...offline(door, () => false),
      dial: async (request) => {
        await answered;
        return door.dialAs('client')(request);
      },
    });
    await door.clock.advance(1_000);
    const session = await opening;
    expect(session.sessionState).toBe('offline');
    expect((await failureOf(session.service('Lamp'))).code).toBe('offline'); // its metaobject is not known
    answer();
    await settled();
    expect(session.sessionState).toBe('online');
    expect(await callMethod(await session.service('Lamp'), 'blink', 1)).toBe(2);
  });

  test('ends when it is refused for good', async () => {
    const door = openDoor('describes');
    const opening = door.open({ ...offline(door, () => false), token: 'wrong' });
    expect((await failureOf(opening)).code).toBe('unauthorized');
  });

  test('is online at once where the robot answers', async () => {
    const door = openDoor('describes');
    expect((await door.open(offline(door, () => false))).sessionState).toBe('online');
  });
});

test('a subscription waits for a robot that is away for an hour', async () => {
  const door = openDoor('describes');
  const object = lamp();
  await door.bus.host('Lamp', object);
  const before = await door.open({ known });
  await before.service('Lamp');
  await before.close();
  let isOff = true;
  const session = await door.open(offline(door, () => isOff));
  const objects = createRemoteObjects({ clock: door.clock, report: () => {} });
  const service = objects.wrap<LooseMembers>(await session.service('Lamp'), 'Lamp');
  const heard: unknown[] = [];
  const connecting = service['blinked']?.connect((times) => heard.push(times));
  await door.clock.advance(3_600_000);
  isOff = false;
  await door.clock.advance(5_000);
  await connecting;
  object.emit('blinked', 7);
  await settled();
  expect(heard).toEqual([7]);
});

describe('while the link is lost', () => {
  test('a service that was not used yet is answered from what is known, and its list too', async () => {
    const door = openDoor('describes');
    await door.bus.host('Lamp', lamp());
    const before = await door.open({ known });
    await before.service('Lamp');
    await before.close();
    let isOff = false;
    const { startsOffline: _, ...options } = offline(door, () => isOff);
    const session = await door.open(options);
    isOff = true;
    session.link?.transport.close(4408, 'cut');
    await settled();
    expect(session.sessionState).toBe('offline');
    const service = await session.service('Lamp');
    expect((await failureOf(callMethod(service, 'blink', 1))).code).toBe('offline');
    expect((await session.services()).map(({ name }) => name)).toContain('Lamp');
    isOff = false;
    await door.clock.advance(5_000);
    expect(await callMethod(service, 'blink', 1)).toBe(2);
    expect(known.fetched).toEqual(['Lamp']);
  });
});

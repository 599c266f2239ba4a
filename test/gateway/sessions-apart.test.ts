// What one session holds no other can reach: not objects, not services, not registrations, whatever ids it guesses.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MessageType } from '../../protocol/wire/message.ts';
import { encodeValue } from '../../protocol/wire/value.ts';
import { createObject, Dynamic, type JoinedBus, method } from '../../robot-agent/qi/index.ts';
import { callMethod, methodOf, signalOf, watch } from '../contract/calls.ts';
import { seen } from '../contract/contract-state.ts';
import { type Carrier, createCarrier } from './carrier.ts';
import { type Gateway, openGateway } from './gateway.ts';
import { errorOf, objectAddress, type RawSession, rawSession, replyOf } from './raw-session.ts';

const NOBODY = 'The call request could not be handled.';
const FIRST_ARGUMENT_OBJECT = 0x8000_0000;
const STANDARD_ACTIONS = [0, 1, 2, 3, 5, 6, 7, 8, 80, 81, 82, 83, 84, 85];

let gateway: Gateway;
let carrier: Carrier;
let inside: JoinedBus;
const sessions: RawSession[] = [];
beforeEach(async () => {
  gateway = await openGateway();
  carrier = createCarrier();
  inside = await gateway.inside();
  await inside.host('Carrier', carrier.object);
  const bus = await gateway.outside();
  await seen(bus, 'Carrier');
});
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
  await gateway.close();
});

async function raw(): Promise<RawSession> {
  const session = await rawSession(gateway.qiUrl);
  sessions.push(session);
  return session;
}

/** The id that the service has outside. */
function idOf(name: string): number {
  return gateway.agent.bus.registry.byName(name)?.info.serviceId ?? 0;
}

async function give(
  session: RawSession,
  value: number,
): Promise<{ readonly service: number; readonly object: number }> {
  const action = methodOf(carrier.object, 'give').uid;
  return objectAddress(
    await session.call({ service: idOf('Carrier'), object: 1, action }, encodeValue('(i)', [value])),
  );
}

describe('objects of another session', () => {
  test('cannot be addressed: not called, not described, not subscribed to, not set, not ended', async () => {
    const [owner, stranger] = await Promise.all([raw(), raw()]);
    const { service, object } = await give(owner, 5);
    const thing = carrier.thing(0);
    const { uid: value } = methodOf(thing, 'value');
    const actions = [...STANDARD_ACTIONS, value, methodOf(thing, 'add').uid, signalOf(thing, 'added')];
    const payloads = new Map([
      [0, encodeValue('(IIL)', [service, signalOf(thing, 'added'), 1n])],
      [1, encodeValue('(IIL)', [service, signalOf(thing, 'added'), 1n])],
      [5, encodeValue('(m)', [new Dynamic('s', 'amount')])],
      [6, encodeValue('(mm)', [new Dynamic('s', 'amount'), new Dynamic('i', 99)])],
      [8, encodeValue('(IILs)', [service, signalOf(thing, 'added'), 1n, '(i)'])],
    ]);
    const guesses = [object, object + 1, 2, 3, FIRST_ARGUMENT_OBJECT, FIRST_ARGUMENT_OBJECT + 1];
    const answers = await Promise.all(
      guesses.flatMap((guess) =>
        actions.map((action) =>
          stranger.call({ service, object: guess, action }, payloads.get(action) ?? encodeValue('(I)', [service])),
        ),
      ),
    );
    expect(new Set(answers.map(errorOf))).toEqual(new Set([NOBODY]));
    stranger.post({ service, object, action: 3 }, encodeValue('(I)', [service]));
    stranger.post({ service, object, action: methodOf(thing, 'add').uid }, encodeValue('(i)', [1]));
    await stranger.settled();
    expect(replyOf(await owner.call({ service, object, action: value }), 'i')).toBe(5);
    thing.release();
  });

  test('nor those under services that are not there, nor what was terminated', async () => {
    const owner = await raw();
    const { service, object } = await give(owner, 5);
    for (const guess of [999, 0xffff_ffff])
      expect(errorOf(await owner.call({ service: guess, object, action: 2 }, encodeValue('(I)', [0])))).toBe(NOBODY);
    owner.post({ service, object, action: 3 }, encodeValue('(I)', [service]));
    expect(errorOf(await owner.call({ service, object, action: 2 }, encodeValue('(I)', [0])))).toBe(NOBODY);
    await carrier.out.until((all) => all.at(-1) === 0);
  });

  test('do not collide when two programs give theirs the same id: each is asked on its own socket', async () => {
    const programs = await Promise.all([raw(), raw()]);
    const own = createObject({ value: method('()', 'i', () => 0) });
    const action = methodOf(own, 'value').uid;
    const service = idOf('Carrier');
    const argument = new Uint8Array([
      ...encodeValue('(I)', [1]),
      ...own.metaObject.bytes,
      ...encodeValue('(II)', [service, FIRST_ARGUMENT_OBJECT]),
    ]);
    const take = { service, object: 1, action: methodOf(carrier.object, 'take_list').uid };
    const results = await Promise.all(
      programs.map(async (session, index) => {
        const answer = session.call(take, argument);
        const asked = await session.take(({ header }) => header.type === MessageType.call);
        expect(asked.header).toMatchObject({ service, object: FIRST_ARGUMENT_OBJECT, action });
        session.send({ ...asked.header, type: MessageType.reply }, encodeValue('(i)', [10 + index]));
        const sum = replyOf(await answer, 'i');
        const ended = await session.take(({ header }) => header.type === MessageType.post);
        expect(ended.header).toMatchObject({ service, object: FIRST_ARGUMENT_OBJECT, action: 3 });
        return sum;
      }),
    );
    expect(results).toEqual([10, 11]);
    own.release();
  });
});

describe('services of another session', () => {
  test('cannot be taken off the bus, changed, or declared ready', async () => {
    const owner = await gateway.outside();
    const { serviceId } = await owner.host('Mine', createObject({ value: method('()', 'i', () => 42) }));
    const stranger = await raw();
    const id = encodeValue('(I)', [serviceId]);
    const info = {
      name: 'Mine',
      serviceId,
      machineId: 'x',
      processId: 1,
      endpoints: [],
      sessionId: 'x',
      objectUid: '',
    };
    const infoBytes = encodeValue(
      '((sIsI[s]ss)<ServiceInfo,name,serviceId,machineId,processId,endpoints,sessionId,objectUid>)',
      [info],
    );
    for (const [action, payload] of [
      [103, id],
      [104, id],
      [105, infoBytes],
    ] as const) {
      expect(errorOf(await stranger.call({ service: 1, object: 1, action }, payload))).toContain('by somebody else');
      stranger.post({ service: 1, object: 1, action }, payload);
    }
    // Nor does it help to say to everybody that the service left.
    stranger.post({ service: 1, object: 1, action: 107 }, encodeValue('(Is)', [serviceId, 'Mine']));
    await stranger.settled();
    const mine = await owner.service('Mine');
    expect(await callMethod(mine, 'value')).toBe(42);
    const fromRobot = await gateway.agent.bus.service('Carrier');
    expect(await callMethod(fromRobot, 'out')).toBe(0);
    const other = await gateway.outside();
    expect(await callMethod(await other.service('Mine'), 'value')).toBe(42);
  });

  test('nor can those of the robot', async () => {
    const stranger = await raw();
    const payload = encodeValue('(I)', [idOf('Carrier')]);
    expect(errorOf(await stranger.call({ service: 1, object: 1, action: 103 }, payload))).toContain('by somebody else');
    expect(await callMethod(await inside.service('Carrier'), 'out')).toBe(0);
  });
});

describe('the main object of a service', () => {
  test('is not ended by a terminate, posted or called', async () => {
    const session = await raw();
    const address = { service: idOf('Carrier'), object: 1, action: 3 };
    session.post(address, encodeValue('(I)', [address.service]));
    expect(replyOf(await session.call(address, encodeValue('(I)', [address.service])), 'v')).toBeUndefined();
    const { uid: action } = methodOf(carrier.object, 'out');
    expect(replyOf(await session.call({ ...address, action }), 'i')).toBe(0);
    expect(await callMethod(await inside.service('Carrier'), 'out')).toBe(0);
  });

  test('is reached by no id that it had before: ids are not used again', async () => {
    const session = await raw();
    const other = await gateway.inside();
    const first = await other.host('Passing', carrier.thing(1));
    await seen(gateway.agent.bus, 'Passing');
    const before = idOf('Passing');
    const left = new Promise<void>((resolve) => {
      gateway.agent.bus.listen({ serviceRemoved: ({ name }) => name === 'Passing' && resolve() });
    });
    await first.close();
    await left;
    await other.host('Passing', carrier.thing(2));
    await seen(gateway.agent.bus, 'Passing');
    const stale = await session.call({ service: before, object: 1, action: 2 }, encodeValue('(I)', [0]));
    expect(errorOf(stale)).toBe(NOBODY);
    expect(idOf('Passing')).toBeGreaterThan(before);
  });
});

describe('messages nobody asked for', () => {
  test('do not reach others: an answer to another’s call, an event of a service, a cancel of another’s call', async () => {
    const [owner, stranger] = await Promise.all([raw(), raw()]);
    const service = idOf('Carrier');
    const signal = signalOf(carrier.object, 'on_list');
    const listener = await gateway.outside();
    const heard = watch(await listener.service('Carrier'), signal);
    await heard.ready;
    const { object } = await give(owner, 7);
    for (let id = 2; id < 40; id += 1) {
      stranger.send({ id, type: MessageType.reply, service, object, action: 100 }, encodeValue('(i)', [666]));
      stranger.send({ id, type: MessageType.cancel, service, object, action: 0 }, encodeValue('(I)', [id]));
    }
    stranger.send({ id: 50, type: MessageType.event, service, object: 1, action: signal }, encodeValue('(I)', [0]));
    const action = methodOf(carrier.thing(0), 'value').uid;
    expect(replyOf(await owner.call({ service, object, action }), 'i')).toBe(7);
    await stranger.settled();
    await callMethod(await listener.service('Carrier'), 'out');
    expect(heard.events.all).toEqual([]);
  });

  test('an unregistration by another session stops nobody’s subscription', async () => {
    const [owner, stranger] = await Promise.all([raw(), raw()]);
    const address = { service: idOf('Carrier'), object: 1 };
    const signal = signalOf(carrier.object, 'on_optional');
    const registration = encodeValue('(IIL)', [address.service, signal, 77n]);
    expect(errorOf(await owner.call({ ...address, action: 0 }, registration))).toBeUndefined();
    expect(errorOf(await stranger.call({ ...address, action: 1 }, registration))).toContain(
      'Unregister request failed',
    );
    await callMethod(await inside.service('Carrier'), 'emit_optional');
    await owner.take(({ header }) => header.type === MessageType.event && header.action === signal);
    expect(stranger.received.filter(({ header }) => header.type === MessageType.event)).toEqual([]);
  });
});

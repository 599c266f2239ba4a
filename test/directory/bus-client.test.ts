// A bus over a peer, without sockets: the contract, and directories that are older or odd.
import { describe, expect, test } from 'vitest';
import type { Subscription } from '../../protocol/bus/bus.ts';
import { joinDirectory } from '../../protocol/directory/bus-client.ts';
import { EmbeddedBus } from '../../protocol/directory/embedded-bus.ts';
import { explainError } from '../../protocol/directory/explain-error.ts';
import { QiwayError } from '../../protocol/errors.ts';
import { createObject, method, signal } from '../../protocol/objects/hosted-object.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import { busContract } from '../contract/bus-contract.ts';
import { callMethod, failureOf } from '../contract/calls.ts';
import { joinAsMember, MEMBER_IDENTITY } from '../support/bus-member.ts';
import { peerPair } from '../support/peer-pair.ts';
import { virtualClock } from '../support/virtual-clock.ts';

busContract('over peers in memory, both sides on links', async () => {
  const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
  const [one, other] = await Promise.all([joinAsMember(bus), joinAsMember(bus)]);
  const close = async (): Promise<void> => {
    one.leave();
    other.leave();
    await bus.close();
  };
  return { bus: one.client, hostBus: other.client, close };
});

describe('a program that hosts a service', () => {
  test('takes it off the bus for those who hold it as well', async () => {
    const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
    const host = await joinAsMember(bus);
    const hosted = await host.client.host('Mine', createObject({ answer: method('()', 'i', () => 1) }));
    const mine = await bus.service('Mine');
    await hosted.close();
    expect(mine.goneWith?.code).toBe('service-gone');
    expect(host.pair.server.counts.remoteObjects).toBe(0);
  });

  test('does not keep the name when the directory does not take the service in the end', async () => {
    const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
    const host = await joinAsMember(bus);
    const { registry } = bus;
    const ready = registry.ready.bind(registry);
    registry.ready = () => {
      throw new QiwayError('internal', 'not now');
    };
    expect((await failureOf(host.client.host('Mine', createObject({})))).message).toContain('not now');
    registry.ready = ready;
    expect((await host.client.host('Mine', createObject({}))).name).toBe('Mine');
  });
});

describe('a program from outside', () => {
  test('is told that everything is at its door, on the machine of the door', async () => {
    const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
    const inside = await joinAsMember(bus, { place: 'inside' });
    await inside.client.host('Deep', createObject({}));
    const outside = await joinAsMember(bus, { endpoints: () => ['tcp://door:1'] });
    const [told, known] = [await outside.client.serviceInfo('Deep'), await bus.serviceInfo('Deep')];
    expect(told).toMatchObject({
      machineId: 'machine',
      endpoints: ['qi:ServiceDirectory', 'qi:Deep', 'tcp://door:1'],
    });
    expect(known).toMatchObject({ machineId: MEMBER_IDENTITY.machineId, endpoints: MEMBER_IDENTITY.endpoints() });
  });

  test('says of its service where the object is, and not where it is reached', async () => {
    const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
    bus.setEndpoints(['tcp://agent:1']);
    const { client } = await joinAsMember(bus);
    const hosted = await client.host('Mine', createObject({}));
    const directory = await client.service('ServiceDirectory');
    const info = { ...(await client.serviceInfo('Mine')), endpoints: ['tcp://evil:1'], machineId: 'evil' };
    await callMethod(directory, 'updateServiceInfo', { ...info, objectUid: new Uint8Array(20).fill(9) });
    expect(await bus.serviceInfo('Mine')).toMatchObject({
      serviceId: hosted.serviceId,
      endpoints: ['tcp://agent:1'],
      machineId: 'machine',
      objectUid: new Uint8Array(20).fill(9),
    });
  });
});

describe('a program that left without a word', () => {
  test('leaves nothing behind in the directory', async () => {
    const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
    const [gone, staying] = await Promise.all([joinAsMember(bus), joinAsMember(bus)]);
    const hosted = await gone.client.host('Mine', createObject({ answer: method('()', 'i', () => 1) }));
    const mine = await staying.client.service('Mine');
    expect(await callMethod(mine, 'answer')).toBe(1);
    gone.leave();
    expect((await hosted.closed)?.code).toBe('link-lost');
    expect((await staying.client.services()).map(({ name }) => name)).toEqual(['ServiceDirectory']);
    expect(mine.goneWith).toBeDefined();
    expect(gone.client.state).toBe('down');
    expect((await failureOf(gone.client.services())).code).toBe('bus-down');
    expect(gone.pair.server.counts).toMatchObject({ servedObjects: 0, subscriptions: 0, incomingCalls: 0 });
  });
});

describe('an object of the bus', () => {
  test('asked for twice at once is looked up once, and is one object', async () => {
    const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
    const { client, pair } = await joinAsMember(bus);
    await bus.host('Lamp', createObject({ blink: method('()', 'v', () => {}) }));
    const before = pair.sent.client.length;
    const [one, other] = await Promise.all([client.service('Lamp'), client.service('Lamp')]);
    expect(other).toBe(one);
    expect(pair.sent.client.slice(before).map(({ header }) => header.action)).toEqual([100, 2]);
  });

  test('that is not there fails for everybody who asked, and is looked up anew the next time', async () => {
    const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
    const { client } = await joinAsMember(bus);
    const both = await Promise.all([failureOf(client.service('Lamp')), failureOf(client.service('Lamp'))]);
    expect(both.map(({ code }) => code)).toEqual(['service-not-found', 'service-not-found']);
    await bus.host('Lamp', createObject({ answer: method('()', 'i', () => 42) }));
    expect(await callMethod(await client.service('Lamp'), 'answer')).toBe(42);
  });
});

describe('a directory older than libqi 4, or odd', () => {
  const INFO = '(sIsI[s]s)<ServiceInfo,name,serviceId,machineId,processId,endpoints,sessionId>';

  test('has infos of six fields, to read and to write', async () => {
    const registered: unknown[] = [];
    const info = {
      name: 'ServiceDirectory',
      serviceId: 1,
      machineId: 'old',
      processId: 3,
      endpoints: ['tcp://10.0.0.9:9559'],
      sessionId: '0',
    };
    const directory = createObject({
      service: { ...method('(s)', INFO, () => info), uid: 100 },
      services: { ...method('()', `[${INFO}]`, () => [info]), uid: 101 },
      registerService: {
        ...method(`(${INFO})`, 'I', (given: unknown) => {
          registered.push(given);
          return 7;
        }),
        uid: 102,
      },
      unregisterService: { ...method('(I)', 'v', () => {}), uid: 103 },
      serviceReady: { ...method('(I)', 'v', () => {}), uid: 104 },
      machineId: { ...method('()', 's', () => 'old'), uid: 108 },
      serviceAdded: { ...signal('(Is)'), uid: 106 },
      serviceRemoved: { ...signal('(Is)'), uid: 107 },
    });
    const pair = peerPair({ services: (id) => (id === 1 ? directory : undefined) });
    const client = await joinDirectory({
      peer: pair.client,
      clock: systemClock,
      timeoutMs: 10_000,
      identity: MEMBER_IDENTITY,
      explain: explainError,
    });
    expect(await client.services()).toEqual([{ ...info, objectUid: new Uint8Array(0) }]);
    const hosted = await client.host('Mine', createObject({}));
    expect(hosted.serviceId).toBe(7);
    expect(registered).toEqual([
      {
        name: 'Mine',
        serviceId: 0,
        machineId: 'machine of the client',
        processId: 2,
        endpoints: ['tcp://10.0.0.1:1'],
        sessionId: 'client',
      },
    ]);
  });

  test('one that confirms no subscription is given up', async () => {
    const silent = Object.assign(
      createObject({ serviceAdded: { ...signal('(Is)'), uid: 106 }, serviceRemoved: { ...signal('(Is)'), uid: 107 } }),
      {
        subscribe: (): Subscription => ({ ready: new Promise(() => {}), close: async () => {} }),
      },
    );
    const pair = peerPair({ services: (id) => (id === 1 ? silent : undefined) });
    const clock = virtualClock();
    const joining = failureOf(
      joinDirectory({ peer: pair.client, clock, timeoutMs: 1000, identity: MEMBER_IDENTITY, explain: explainError }),
    );
    await clock.advance(1000);
    expect(await joining).toMatchObject({ code: 'timeout', data: { timeoutMs: 1000 } });
  });

  test('a peer that is no directory is refused', async () => {
    const pair = peerPair({});
    const joining = joinDirectory({
      peer: pair.client,
      clock: systemClock,
      timeoutMs: 10_000,
      identity: MEMBER_IDENTITY,
      explain: explainError,
    });
    expect((await failureOf(joining)).code).toBe('object-gone');
  });
});

// Programs of other ages at the gateway: without capabilities, with a metaobject cache, with infos of six fields, with more
// than a message may hold.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bus, BusObject } from '../../protocol/bus/bus.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import { MAX_PAYLOAD_BYTES } from '../../protocol/wire/limits.ts';
import { encodeMessage, HEADER_BYTES, MessageType } from '../../protocol/wire/message.ts';
import { encodeValue } from '../../protocol/wire/value.ts';
import {
  type Capabilities,
  createObject,
  Dynamic,
  EmbeddedBus,
  joinBus,
  listenBus,
  method,
  OWN_CAPABILITIES,
  QiwayError,
  signal,
} from '../../robot-agent/qi/index.ts';
import { listenAt } from '../../robot-agent/qi/listener.ts';
import { busContract } from '../contract/bus-contract.ts';
import { Collected, callMethod, failureOf, getProperty, methodOf, setProperty, watch } from '../contract/calls.ts';
import { serviceSeen } from '../contract/contract-state.ts';
import { createEchoService } from '../support/echo-service.ts';
import { createCarrier, hex } from './carrier.ts';
import { type Gateway, openGateway } from './gateway.ts';
import { rawSession, replyOf } from './raw-session.ts';

const NONE = Object.fromEntries(Object.keys(OWN_CAPABILITIES).map((name) => [name, false])) as unknown as Capabilities;
const CACHE: Capabilities = { ...OWN_CAPABILITIES, MetaObjectCache: true };
const SIX = '(sIsI[s]s)<ServiceInfo,name,serviceId,machineId,processId,endpoints,sessionId>';

busContract(
  'TCP, with a metaobject cache on every socket',
  async () => {
    const directory = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
    const listener = await listenBus(directory, 'tcp://127.0.0.1:0', { capabilities: CACHE });
    const join = (): Promise<Bus> => joinBus(listener.url, { capabilities: CACHE });
    const [bus, hostBus] = await Promise.all([join(), join()]);
    const close = async (): Promise<void> => {
      await Promise.all([bus.close(), hostBus.close()]);
      await listener.close();
      await directory.close();
    };
    return { bus, hostBus, close };
  },
  { isOnBus: true },
);

busContract(
  'gateway: both programs know a metaobject cache, the gateway does not use it',
  async () => {
    const gateway = await openGateway();
    const [bus, hostBus] = await Promise.all([
      gateway.outside({ capabilities: CACHE }),
      gateway.inside({ capabilities: CACHE }),
    ]);
    return { bus, hostBus, close: () => gateway.close() };
  },
  { isMirrored: true },
);

describe('at the gateway', () => {
  let gateway: Gateway;
  beforeEach(async () => {
    gateway = await openGateway();
  });
  afterEach(() => gateway.close());

  test.each([
    ['client', NONE, OWN_CAPABILITIES],
    ['host', OWN_CAPABILITIES, NONE],
    ['client and host', NONE, NONE],
  ])(
    'a %s without any capability does all but cancelling and telling objects apart',
    async (_who, ofClient, ofHost) => {
      const hostBus = await gateway.inside({ capabilities: ofHost });
      const carrier = createCarrier();
      const echo = createEchoService();
      await hostBus.host('Carrier', carrier.object);
      await hostBus.host('Echo', echo.object);
      const bus = await gateway.outside({ capabilities: ofClient });
      const [carry, remote] = [await serviceSeen(bus, 'Carrier'), await serviceSeen(bus, 'Echo')];
      expect(await callMethod(remote, 'echoPoint', { x: 1, y: 2, name: 'p' })).toEqual({ x: 1, y: 2, name: 'p' });
      expect((await failureOf(callMethod(remote, 'fail', 'in words'))).message).toContain('in words');
      const thing = (await callMethod(carry, 'give', 4)) as BusObject;
      const added = watch(thing, 'added');
      await added.ready;
      expect(await callMethod(thing, 'add', 1)).toBe(5);
      expect(await added.events.count(1)).toEqual([[1]]);
      thing.release();
      await carrier.out.until((all) => all.at(-1) === 0);
      const own = createCarrier();
      await callMethod(carry, 'keep', own.thing(6));
      expect(await callMethod(carry, 'callKept')).toBe(6);
      await callMethod(carry, 'drop');
      await own.out.until((all) => all.at(-1) === 0);
      await setProperty(remote, 'label', new Dynamic('s', 'new'));
      expect(await getProperty(remote, 'label')).toBe('new');
    },
  );

  test('a program outside that takes no calls on its own socket cannot register, and is told what is missing', async () => {
    const shy = await gateway.outside({ capabilities: { ...OWN_CAPABILITIES, ClientServerSocket: false } });
    const refused = await failureOf(shy.host('Shy', createObject({ answer: method('()', 'i', () => 42) })));
    expect(refused.message).toContain('ClientServerSocket');
    expect((await shy.services()).map(({ name }) => name)).toEqual(['ServiceDirectory']);
  });

  test('a program that knows six fields of a ServiceInfo registers and asks with those', async () => {
    const raw = await rawSession(gateway.qiUrl, { MessageFlags: true, ClientServerSocket: true });
    const info = {
      name: 'Old',
      serviceId: 0,
      machineId: 'm',
      processId: 1,
      endpoints: ['tcp://127.0.0.1:1'],
      sessionId: 's',
    };
    const directory = { service: 1, object: 1 };
    const registered = await raw.call(
      { ...directory, action: 102 },
      encodeValue('m', new Dynamic(`(${SIX})`, [info])),
      1,
    );
    const serviceId = replyOf(registered, 'I') as number;
    expect(serviceId).toBeGreaterThan(1);
    replyOf(await raw.call({ ...directory, action: 104 }, encodeValue('(I)', [serviceId])), 'v');
    const asked = new Uint8Array([...encodeValue('(s)', ['Old']), ...encodeValue('s', SIX)]);
    const told = await raw.call({ ...directory, action: 100 }, asked, 2);
    expect(told.header.flags).toBe(1);
    expect(replyOf(told, 'm')).toEqual({
      ...info,
      serviceId,
      machineId: expect.any(String),
      processId: expect.any(Number),
      endpoints: [gateway.qiUrl],
    });
    const all = await raw.call({ ...directory, action: 101 }, encodeValue('s', `[${SIX}]`), 2);
    expect((replyOf(all, 'm') as { readonly name: string }[]).map(({ name }) => name)).toEqual([
      'ServiceDirectory',
      'Old',
    ]);
    await raw.close();
  });

  test('a message that is larger than any may be ends its session, and no other', async () => {
    const carrier = createCarrier();
    await (await gateway.inside()).host('Carrier', carrier.object);
    const bystander = await serviceSeen(await gateway.outside(), 'Carrier');
    const raw = await rawSession(gateway.qiUrl);
    const header = encodeMessage(
      { id: 9, type: MessageType.call, service: 2, object: 1, action: 100 },
      new Uint8Array(0),
    );
    new DataView(header.buffer, header.byteOffset).setUint32(8, MAX_PAYLOAD_BYTES + 1, true);
    raw.socket.write(header.subarray(0, HEADER_BYTES));
    await raw.closed;
    expect(await callMethod(bystander, 'out')).toBe(0);
  });

  test('a service that answers with more than a message may hold is let go of; the door stays open', async () => {
    const inside = await gateway.inside();
    const carrier = createCarrier();
    await inside.host('Carrier', carrier.object);
    const huge = createObject({
      grow: method('()', 'r', () => new Uint8Array(MAX_PAYLOAD_BYTES)),
    });
    await (await gateway.inside()).host('Huge', huge);
    const bus = await gateway.outside();
    const [remote, bystander] = [await serviceSeen(bus, 'Huge'), await serviceSeen(bus, 'Carrier')];
    const error = await failureOf(callMethod(remote, 'grow'));
    expect(['limit-exceeded', 'service-gone', 'call-failed']).toContain(error.code);
    expect(await callMethod(bystander, 'out')).toBe(0);
  });
});

test('a program on the robot that does not say that it takes calls on its own socket is asked there all the same', async () => {
  const gateway = await openGateway({ bus: undefined });
  const shy = await gateway.inside({ capabilities: { ...OWN_CAPABILITIES, ClientServerSocket: false } });
  await shy.host('Shy', createObject({ answer: method('()', 'i', () => 42) }));
  expect(await callMethod(await serviceSeen(await gateway.inside(), 'Shy'), 'answer')).toBe(42);
  expect(await callMethod(await serviceSeen(await gateway.session(), 'Shy'), 'answer')).toBe(42);
  expect(await callMethod(await serviceSeen(await gateway.outside(), 'Shy'), 'answer')).toBe(42);
  await gateway.close();
});

test('a directory of six fields, as before libqi 4, is joined, and its services are shown outside', async () => {
  const service = createObject({ answer: method('()', 'i', () => 42) });
  const infos = new Map<number, object>();
  const added = new Collected<number>();
  const directory = createObject({
    service: {
      ...method(`(s)`, SIX, (name: string) => [...infos.values()].find((info) => 'name' in info && info.name === name)),
      uid: 100,
    },
    services: { ...method('()', `[${SIX}]`, () => [...infos.values()]), uid: 101 },
    registerService: {
      ...method(`(${SIX})`, 'I', (info: object) => {
        const serviceId = 10 + infos.size;
        infos.set(serviceId, { ...info, serviceId });
        return serviceId;
      }),
      uid: 102,
    },
    unregisterService: { ...method('(I)', 'v', (id: number) => infos.delete(id)), uid: 103 },
    serviceReady: {
      ...method('(I)', 'v', (id: number) => {
        directory.emit('serviceAdded', id, (infos.get(id) as { readonly name: string }).name);
        added.add(id);
      }),
      uid: 104,
    },
    machineId: { ...method('()', 's', () => 'old robot'), uid: 108 },
    serviceAdded: { ...signal('(Is)'), uid: 106 },
    serviceRemoved: { ...signal('(Is)'), uid: 107 },
  });
  const listener = await listenAt('tcp://127.0.0.1:0', {
    clock: systemClock,
    timeoutMs: 5000,
    services: (id) => (id === 1 ? directory : id === 2 ? service : undefined),
  });
  const info = {
    name: 'Answering',
    serviceId: 2,
    machineId: 'old robot',
    processId: 1,
    endpoints: listener.endpoints,
    sessionId: 's',
  };
  infos.set(2, info);
  const gateway = await openGateway({ bus: listener.url });
  const bus = await gateway.outside();
  const remote = await serviceSeen(bus, 'Answering');
  expect(await callMethod(remote, 'answer')).toBe(42);
  expect(hex(remote.uid)).toMatch(/^[0-9a-f]{40}$/);
  await bus.host('FromOutside', createObject({ answer: method('()', 'i', () => 43) }));
  await added.count(1);
  expect([...infos.values()]).toContainEqual(expect.objectContaining({ name: 'FromOutside', machineId: 'old robot' }));
  expect(methodOf(remote, 'answer').parametersSignature).toBe('()');
  await gateway.close();
  await listener.close(new QiwayError('closed', 'The test is over.'));
});

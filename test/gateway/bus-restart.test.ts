// The robot's directory ends and comes back while a qi program is at the door: its socket, its proxies by name, its
// subscriptions and the service it registered go on, and it never left the agent.
import { afterEach, expect, test } from 'vitest';
import {
  createObject,
  EmbeddedBus,
  type HostedObject,
  listenBus,
  method,
  property,
  signal,
} from '../../robot-agent/qi/index.ts';
import { Collected, callMethod, failureOf, getProperty, startCall, watch } from '../contract/calls.ts';
import { seen, serviceSeen } from '../contract/contract-state.ts';
import { openGateway } from './gateway.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Directory {
  readonly url: string;
  readonly bus: EmbeddedBus;
  end(): Promise<void>;
}

async function directory(url: string): Promise<Directory> {
  const bus = new EmbeddedBus({ machineId: 'robot', processId: 1, sessionId: 'robot' });
  const listening = await listenBus(bus, url);
  const end = async (): Promise<void> => {
    await listening.close();
    await bus.close();
  };
  closers.push(end);
  return { url: listening.url, bus, end };
}

const radio = (name: string): HostedObject =>
  createObject({
    name: method('()', 's', () => name),
    never: method('()', 'v', () => new Promise(() => {})),
    heard: signal('(s)'),
    volume: property('i', 7),
    handOut: method('()', 'o', () => createObject({ touch: method('()', 'i', () => 1) })),
  });

test('a qi program outside goes on after its robot’s directory restarted, without a socket lost', async () => {
  const first = await directory('tcp://127.0.0.1:0');
  const before = radio('before');
  await first.bus.host('Radio', before);
  const gateway = await openGateway({ bus: first.url });
  closers.push(() => gateway.close());
  const bus = await gateway.outside();
  const states = new Collected<string>();
  const left = new Collected<string>();
  bus.listen({ stateChanged: (state) => states.add(state), serviceRemoved: ({ name }) => left.add(name) });
  await bus.host('Tablet', radio('tablet'));
  const robotBus = new Collected<string>();
  (await gateway.session()).listenSession({ robotBusChanged: (state) => robotBus.add(state) });
  const proxy = await serviceSeen(bus, 'Radio');
  const heard = watch(proxy, 'heard');
  await heard.ready;
  before.emit('heard', 'one');
  await heard.events.count(1);
  const cut = startCall(proxy, 'never');
  // Behind the call on the same sockets: when it is answered the call is under way.
  await getProperty(proxy, 'volume');
  const { serviceId } = await bus.serviceInfo('Radio');

  await first.end();
  // In words alone nobody can say which calls had begun.
  const isDown = { code: 'bus-down', maybeExecuted: true };
  expect(await failureOf(cut.outcome)).toMatchObject(isDown);
  expect(await failureOf(callMethod(proxy, 'name'))).toMatchObject(isDown);
  expect(await failureOf(getProperty(proxy, 'volume'))).toMatchObject(isDown);
  expect((await bus.services()).map(({ name }) => name)).toContain('Radio');

  const second = await directory(first.url);
  const after = radio('after');
  await second.bus.host('Radio', after);
  await robotBus.count(2);
  await seen(second.bus, 'Tablet');
  expect(await callMethod(proxy, 'name')).toBe('after');
  expect(await getProperty(proxy, 'volume')).toBe(7);
  expect((await bus.serviceInfo('Radio')).serviceId).toBe(serviceId);
  // Of the subscription that was made again nothing is said to qi programs: the first event that is heard tells.
  after.emit('heard', 'two');
  await heard.events.count(2);
  expect(heard.events.all).toEqual([['one'], ['two']]);
  expect(await callMethod(await second.bus.service('Tablet'), 'name')).toBe('tablet');
  expect([states.all, left.all]).toEqual([[], []]);
});

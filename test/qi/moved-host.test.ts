// A program whose machine is in another network than when its ports were opened, and is found there.
import { afterEach, expect, test } from 'vitest';
import { joinDirectory } from '../../protocol/directory/bus-client.ts';
import { serveBus } from '../../protocol/directory/serve-bus.ts';
import { createObject, EmbeddedBus, method, QiwayError } from '../../robot-agent/qi/index.ts';
import { TcpBus } from '../../robot-agent/qi/joined-bus.ts';
import { type PeerPair, peerPair } from '../support/peer-pair.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

interface Program {
  readonly bus: TcpBus;
  readonly directory: EmbeddedBus;
  readonly clock: VirtualClock;
  /** The directory is lost, and reached again by way of another address of this machine. */
  moveTo(localAddress: string): Promise<void>;
}

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** A program whose sockets are made up; ports are opened for the address that faces the directory. */
async function program(firstAddress: string): Promise<Program> {
  const clock = virtualClock();
  const directory = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
  let localAddress = firstAddress;
  let pair: PeerPair | undefined;
  const bus = new TcpBus({
    url: 'tcp://robot:9559',
    keepTrying: true,
    logger: undefined,
    onAttemptFailed: undefined,
    after: (delayMs, run) => clock.after(delayMs, run),
    updateEndpoints: async () => {},
    attach: async ({ endpoints }) => {
      const made = peerPair({
        services: (serviceId) => directory.objectOf(serviceId),
        clientServices: () => undefined,
      });
      pair = made;
      const leave = serveBus(directory, { peer: made.server, clock, hasRelativeEndpoints: false, place: 'inside' });
      const client = await joinDirectory({
        peer: made.client,
        clock,
        timeoutMs: 10_000,
        identity: { machineId: 'm', processId: 2, sessionId: 's', endpoints },
      });
      client.listen({ stateChanged: leave });
      const closed = Promise.resolve(new QiwayError('closed', 'The test is over.'));
      return { client, localAddress, closed, close: () => client.close() };
    },
    listen: async ({ localAddress: host }) => {
      const url = `tcp://${host}:4711`;
      return [{ url, endpoints: [url], peers: new Set(), close: async () => {} }];
    },
  });
  endings.push(async () => {
    await bus.close();
    await directory.close();
  });
  await bus.begin();
  const moveTo = async (address: string): Promise<void> => {
    localAddress = address;
    const isUp = new Promise<void>((resolve) => {
      const stop = bus.listen({
        stateChanged: (state) => {
          if (state !== 'up') return;
          stop();
          resolve();
        },
      });
    });
    pair?.client.close(new QiwayError('bus-down', 'The network changed.'));
    await clock.advance(1000);
    await isUp;
  };
  return { bus, directory, clock, moveTo };
}

const answering = () => createObject({ answer: method('()', 'i', () => 42) });

test('services that stay are registered at the new address', async () => {
  const { bus, directory, moveTo } = await program('10.0.0.1');
  await bus.host('Stays', answering());
  expect((await directory.serviceInfo('Stays')).endpoints).toEqual(['tcp://10.0.0.1:4711']);
  const isBack = new Promise<void>((resolve) => directory.listen({ serviceAdded: () => resolve() }));
  await moveTo('192.168.1.9');
  await isBack;
  expect((await directory.serviceInfo('Stays')).endpoints).toEqual(['tcp://192.168.1.9:4711']);
});

test('a service that comes after the move is registered at the new address, though no other was there to move', async () => {
  const { bus, directory, moveTo } = await program('10.0.0.1');
  const first = await bus.host('First', answering());
  await first.close();
  await moveTo('192.168.1.9');
  await bus.host('Second', answering());
  expect((await directory.serviceInfo('Second')).endpoints).toEqual(['tcp://192.168.1.9:4711']);
});

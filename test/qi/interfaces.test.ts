// Ports on all addresses of this machine: what they announce, and who hears of a change.
import { afterEach, describe, expect, test } from 'vitest';
import {
  createObject,
  EmbeddedBus,
  type InterfaceAddress,
  type JoinedBus,
  joinBus,
  type ListenBusOptions,
  listenBus,
  method,
} from '../../robot-agent/qi/index.ts';
import { announcedEndpoints, INTERFACES_PERIOD_MS, systemInterfaces } from '../../robot-agent/qi/interfaces.ts';
import { handClock } from './hand-clock.ts';

const LOOPBACK: readonly InterfaceAddress[] = [
  { family: 'IPv4', address: '127.0.0.1' },
  { family: 'IPv6', address: '::1' },
];
const cable = (address: string): InterfaceAddress => ({
  family: address.includes(':') ? 'IPv6' : 'IPv4',
  address,
});

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** A machine whose addresses a test sets. */
function machine(...addresses: string[]) {
  let own = [...LOOPBACK, ...addresses.map(cable)];
  return {
    list: () => own,
    move: (...next: string[]) => {
      own = [...LOOPBACK, ...next.map(cable)];
    },
  };
}

async function listen(url: string, options: ListenBusOptions) {
  const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
  const handle = await listenBus(bus, url, options);
  endings.push(
    () => bus.close(),
    () => handle.close(),
  );
  const told = async (): Promise<readonly string[]> => (await bus.serviceInfo('ServiceDirectory')).endpoints;
  return { bus, handle, told, port: Number(new URL(handle.url).port) };
}

describe('what is announced', () => {
  const own = [...LOOPBACK, cable('10.0.0.1'), cable('10.0.0.1'), cable('fd00::1'), cable('fe80::1')];

  test('an address of its own as it is', () => {
    expect(announcedEndpoints({ scheme: 'tcps', host: '10.1.2.3', port: 7 })).toEqual(['tcps://10.1.2.3:7']);
  });

  test('0.0.0.0 as each IPv4 address, once', () => {
    const endpoints = announcedEndpoints({ scheme: 'tcp', host: '0.0.0.0', port: 7 }, () => own);
    expect(endpoints).toEqual(['tcp://127.0.0.1:7', 'tcp://10.0.0.1:7']);
  });

  test(':: as each IPv6 and IPv4 address, without those of one cable', () => {
    const endpoints = announcedEndpoints({ scheme: 'tcps', host: '::', port: 7 }, () => own);
    expect(endpoints).toEqual(['tcps://127.0.0.1:7', 'tcps://[::1]:7', 'tcps://10.0.0.1:7', 'tcps://[fd00::1]:7']);
  });

  test('this machine has loopback', () => {
    expect(systemInterfaces().map(({ address }) => address)).toContain('127.0.0.1');
  });
});

describe('when this machine moves', () => {
  test('a directory announces its new addresses, and no others', async () => {
    const clock = handClock();
    const { list, move } = machine('10.0.0.1');
    const { told, port, handle } = await listen('tcp://0.0.0.0:0', { clock, interfaces: list });
    expect(await told()).toEqual([`tcp://127.0.0.1:${port}`, `tcp://10.0.0.1:${port}`]);
    await clock.fire(INTERFACES_PERIOD_MS);
    expect(await told()).toHaveLength(2);
    move('192.168.7.7');
    await clock.fire(INTERFACES_PERIOD_MS);
    expect(await told()).toEqual([`tcp://127.0.0.1:${port}`, `tcp://192.168.7.7:${port}`]);
    expect(handle.endpoints).toEqual(await told());
    move();
    await clock.fire(INTERFACES_PERIOD_MS);
    expect(await told()).toEqual([`tcp://127.0.0.1:${port}`]);
  });

  test('what pages host is found at the new addresses, and what another program hosts is left where it is', async () => {
    const clock = handClock();
    const { list, move } = machine('10.0.0.1');
    const { bus, told, port } = await listen('tcp://0.0.0.0:0', { clock, interfaces: list });
    const program = await joinBus(`tcp://127.0.0.1:${port}`);
    endings.push(() => program.close());
    await program.host('OfAProgram', createObject({}));
    const id = bus.registerSource('OfAPage', createObject({}), { owner: {} });
    bus.registry.ready(id);
    const endpointsOf = async (name: string) => (await bus.serviceInfo(name)).endpoints;
    expect(await endpointsOf('OfAPage')).toEqual(await told());
    move('192.168.7.7');
    await clock.fire(INTERFACES_PERIOD_MS);
    expect(await endpointsOf('OfAPage')).toEqual([`tcp://127.0.0.1:${port}`, `tcp://192.168.7.7:${port}`]);
    expect(await endpointsOf('OfAProgram')).toEqual(program.endpoints);
  });

  test('other ports of the same bus keep what they announce', async () => {
    const clock = handClock();
    const { list, move } = machine('10.0.0.1');
    const { bus, told, port } = await listen('tcp://0.0.0.0:0', { clock, interfaces: list });
    const other = await listenBus(bus, 'tcp://127.0.0.1:0', { clock });
    endings.push(() => other.close());
    move('10.0.0.2');
    await clock.fire(INTERFACES_PERIOD_MS);
    expect(new Set(await told())).toEqual(new Set([other.url, `tcp://127.0.0.1:${port}`, `tcp://10.0.0.2:${port}`]));
    await other.close();
    expect(await told()).toEqual([`tcp://127.0.0.1:${port}`, `tcp://10.0.0.2:${port}`]);
  });

  test('a door tells its new addresses to those who came in by it, and to nobody inside', async () => {
    const clock = handClock();
    const { list, move } = machine('10.0.0.1');
    const { told, port } = await listen('tcp://0.0.0.0:0', { clock, interfaces: list, place: 'outside' });
    const program = await joinBus(`tcp://127.0.0.1:${port}`);
    endings.push(() => program.close());
    const seen = async () =>
      (await program.serviceInfo('ServiceDirectory')).endpoints.filter((endpoint) => !endpoint.startsWith('qi:'));
    expect(await seen()).toEqual([`tcp://127.0.0.1:${port}`, `tcp://10.0.0.1:${port}`]);
    move('10.0.0.9');
    await clock.fire(INTERFACES_PERIOD_MS);
    expect(await seen()).toEqual([`tcp://127.0.0.1:${port}`, `tcp://10.0.0.9:${port}`]);
    expect(await told()).toEqual([]);
  });

  test('a program tells the directory where its services are now', async () => {
    const { bus, handle } = await listen('tcp://127.0.0.1:0', {});
    const clock = handClock();
    const { list, move } = machine('10.0.0.1');
    const program: JoinedBus = await joinBus(handle.url, { clock, interfaces: list, listen: ['tcp://0.0.0.0:0'] });
    endings.push(() => program.close());
    const hosted = ['One', 'Two'];
    for (const name of hosted) await program.host(name, createObject({ answer: method('()', 'i', () => 42) }));
    const port = Number(new URL(program.endpoints[0] ?? '').port);
    const told = () => Promise.all(hosted.map(async (name) => (await bus.serviceInfo(name)).endpoints));
    expect(await told()).toEqual(hosted.map(() => [`tcp://127.0.0.1:${port}`, `tcp://10.0.0.1:${port}`]));
    const updated = new Promise<void>((resolve) => {
      let missing = hosted.length;
      const { registry } = bus;
      const update = registry.update.bind(registry);
      registry.update = (info) => {
        update(info);
        missing -= 1;
        if (missing === 0) resolve();
      };
    });
    move('10.0.0.5');
    await clock.fire(INTERFACES_PERIOD_MS);
    await updated;
    expect(await told()).toEqual(hosted.map(() => [`tcp://127.0.0.1:${port}`, `tcp://10.0.0.5:${port}`]));
  });

  test('a closed port does not look any more, nor does one with an address of its own', async () => {
    const clock = handClock();
    const { handle } = await listen('tcp://0.0.0.0:0', { clock, interfaces: machine().list });
    expect(clock.delays).toContain(INTERFACES_PERIOD_MS);
    await handle.close();
    expect(clock.delays).toEqual([]);
    await listen('tcp://127.0.0.1:0', { clock });
    expect(clock.delays).toEqual([]);
  });
});

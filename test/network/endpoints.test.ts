// Which of a service's addresses a program takes, seen from the same computer and from another one.
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { buildNetwork, type Network } from './support/network.ts';
import type { Program } from './support/program.ts';

const HEAD = '10.7.0.1';
/** Sorts before the other: whoever dials one after the other begins here. */
const HEAD_SPARE = '10.6.0.1';
const BODY = '10.7.0.2';
const DIRECTORY = `tcp://${HEAD}:9559`;
/** Whoever waits for an address that is silent waits this long, ms. */
const DIAL_MS = 15_000;

describe.skipIf(inject('whyNoNetwork') !== '')('of the endpoints of a service', () => {
  let network: Network<'head' | 'body'>;
  let onHead: Program;
  let onBody: Program;

  beforeAll(async () => {
    network = buildNetwork({
      head: { inside: HEAD, spare: HEAD_SPARE },
      body: { inside: BODY, spare: '10.6.0.2' },
    });
    const { head, body } = network.hosts;
    await head.run('./robot-program.ts', { directory: DIRECTORY, services: ['InDirectory'] });
    [onHead, onBody] = await Promise.all([head.run('./client-program.ts', {}), body.run('./client-program.ts', {})]);
    await onHead.ask('open', { as: 'head', kind: 'qi', url: DIRECTORY });
    await onBody.ask('open', { as: 'body', kind: 'qi', url: DIRECTORY });
  });
  afterAll(() => network?.close());

  /** A program on the head that offers `service`; its absolute endpoints by host. */
  async function offer(service: string, listen: readonly string[]): Promise<Record<string, string>> {
    const program = await network.hosts.head.run('./robot-program.ts', {
      join: DIRECTORY,
      services: [service],
      listen,
    });
    const endpoints = await program.ask<string[]>('endpoints', service);
    const absolute = endpoints.filter((endpoint) => endpoint.startsWith('tcp://'));
    return Object.fromEntries(absolute.map((endpoint) => [endpoint.replace(/^tcp:\/\/(.*):\d+$/, '$1'), endpoint]));
  }

  function echo(client: string, service: string): Promise<unknown> {
    const program = client === 'head' ? onHead : onBody;
    return program.ask('call', { client, service, method: 'echoInt32', args: [5] });
  }

  const everywhere = (service: string) =>
    offer(service, ['tcp://127.0.0.1:0', `tcp://${HEAD}:0`, `tcp://${HEAD_SPARE}:0`]);

  test('the loopback ones alone are dialled on the same computer', async () => {
    const endpoints = await everywhere('Near');
    expect(await echo('head', 'Near')).toBe(5);
    expect(network.hosts.head.dialled(endpoints['127.0.0.1'] ?? '')).toBe(1);
    for (const host of [HEAD, HEAD_SPARE]) expect(network.hosts.head.dialled(endpoints[host] ?? '')).toBe(0);
  });

  test('all but the loopback ones are dialled from another computer, and one socket stays', async () => {
    const endpoints = await everywhere('Far');
    const port = Number(endpoints['127.0.0.1']?.split(':').at(-1));
    await onBody.ask('openDecoy', { host: '127.0.0.1', port });
    expect(await echo('body', 'Far')).toBe(5);
    expect(await onBody.ask('decoyed')).toBe(0);
    const open = network.hosts.body
      .sockets()
      .filter(({ remote }) => Object.values(endpoints).includes(`tcp://${remote}`));
    expect(open).toHaveLength(1);
  });

  test('a socket is used again for other services of the same program', async () => {
    const program = await network.hosts.head.run('./robot-program.ts', { join: DIRECTORY, services: ['One', 'Two'] });
    const [endpoint = ''] = (await program.ask<string[]>('endpoints', 'One')).filter((each) =>
      each.startsWith('tcp://'),
    );
    expect(await Promise.all([echo('body', 'One'), echo('body', 'Two'), echo('body', 'One')])).toEqual([5, 5, 5]);
    expect(network.hosts.body.dialled(endpoint)).toBe(1);
  });

  test('services in the directory need no socket but the directory’s', async () => {
    const before = network.hosts.body.sockets().length;
    expect(await echo('body', 'InDirectory')).toBe(5);
    expect(network.hosts.body.sockets()).toHaveLength(before);
  });

  test('a listener on all addresses announces each of them, and is reached from both computers', async () => {
    const endpoints = await offer('All', ['tcp://0.0.0.0:0']);
    expect(Object.keys(endpoints).sort()).toEqual([HEAD_SPARE, HEAD, '127.0.0.1']);
    expect([await echo('head', 'All'), await echo('body', 'All')]).toEqual([5, 5]);
  });

  test('loopback ones alone are no way from another computer, and the error says what to do', async () => {
    await offer('Hidden', ['tcp://127.0.0.1:0']);
    expect(await echo('head', 'Hidden')).toBe(5);
    await expect(echo('body', 'Hidden')).rejects.toThrow(
      /\[endpoint-unreachable\].*loopback address of another machine.*network address/,
    );
  });

  test('the first that answers is taken, though another is a black hole', async () => {
    const endpoints = await offer('HalfLost', [`tcp://${HEAD_SPARE}:0`, `tcp://${HEAD}:0`]);
    network.hosts.body.loseAddress('spare', HEAD_SPARE);
    const beganMs = performance.now();
    expect(await echo('body', 'HalfLost')).toBe(5);
    expect(performance.now() - beganMs).toBeLessThan(DIAL_MS / 3);
    expect(network.hosts.body.dialled(endpoints[HEAD] ?? '')).toBe(1);
  });

  test('a black hole alone is given up in time, and holds up nobody else', async () => {
    await offer('Lost', [`tcp://${HEAD_SPARE}:0`]);
    network.hosts.body.loseAddress('spare', HEAD_SPARE);
    await onBody.ask('open', { as: 'hasty', kind: 'qi', url: DIRECTORY, timeoutMs: 1000 });
    const call = { client: 'hasty', method: 'echoInt32', args: [6] };
    const lost = onBody.ask('call', { ...call, service: 'Lost' });
    lost.catch(() => {});
    expect(await onBody.ask('call', { ...call, service: 'InDirectory' })).toBe(6);
    await expect(lost).rejects.toThrow(/\[endpoint-unreachable\].*no answer within 1000 ms/);
  });

  test('an address where nobody is fails in words, and a good one works after it', async () => {
    const open = (url: string) => onBody.ask('open', { as: 'seeker', kind: 'qi', url, timeoutMs: 1000 });
    await expect(open(`tcp://${HEAD_SPARE}:9559`)).rejects.toThrow(/\[bus-down\].*10\.6\.0\.1.*Check/);
    await expect(open('tcp://10.99.0.1:9559')).rejects.toThrow(/\[bus-down\].*10\.99\.0\.1.*Check/);
    await expect(open(`tcp://${HEAD}:9`)).rejects.toThrow(/\[bus-down\].*ECONNREFUSED/);
    await open(DIRECTORY);
    expect(await onBody.ask('call', { client: 'seeker', service: 'InDirectory', method: 'echoInt32', args: [8] })).toBe(
      8,
    );
  });

  test('two connections of one program are apart, and each may be closed twice', async () => {
    const before = network.hosts.body.socketsTo(HEAD);
    const open = (as: string) => onBody.ask('open', { as, kind: 'qi', url: DIRECTORY });
    const call = (client: string) =>
      onBody.ask('call', { client, service: 'InDirectory', method: 'echoInt32', args: [9] });
    await Promise.all([open('first'), open('second')]);
    expect(network.hosts.body.socketsTo(HEAD)).toBe(before + 2);
    await Promise.all([onBody.ask('close', 'first'), onBody.ask('close', 'first')]);
    await onBody.ask('close', 'first');
    await expect(call('first')).rejects.toThrow('[closed]');
    expect(await call('second')).toBe(9);
    await onBody.ask('close', 'second');
    expect(network.hosts.body.socketsTo(HEAD)).toBe(before);
    await open('first');
    expect(await call('first')).toBe(9);
  });
});

// One door before a robot of two computers: clients in other networks, of both kinds, use the services of both.
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type AgentPlace, CLIENT_KINDS, QI_PORT, startAgent, TOKEN } from './support/agent.ts';
import { buildNetwork, type Network } from './support/network.ts';
import type { Program } from './support/program.ts';

const HEAD = '10.7.0.1';
const BODY = '10.7.0.2';
const INNER = '10.7.0.9';
const OUTER = '192.0.2.9';
const DIRECTORY = `tcp://${HEAD}:9559`;

describe.skipIf(inject('whyNoNetwork') !== '')('a robot of two computers behind an agent', () => {
  type Hosts = 'head' | 'body' | 'agent' | 'outside' | 'tunnel';
  let network: Network<Hosts>;
  let agent: AgentPlace;
  let head: Program;
  let body: Program;
  let outside: Program;

  beforeAll(async () => {
    network = buildNetwork({
      head: { inside: HEAD },
      body: { inside: BODY },
      agent: { inside: INNER, outside: OUTER },
      outside: { outside: '192.0.2.20' },
      tunnel: { outside: '192.0.2.30' },
    });
    const { hosts } = network;
    [head, agent, outside] = await Promise.all([
      hosts.head.run('./robot-program.ts', { directory: DIRECTORY, services: ['Head1', 'Head2'] }),
      startAgent(hosts.agent, { bus: DIRECTORY, door: OUTER }),
      hosts.outside.run('./client-program.ts', {}),
    ]);
    body = await hosts.body.run('./robot-program.ts', { join: DIRECTORY, services: ['Body1', 'Body2', 'Body3'] });
    for (const kind of CLIENT_KINDS) {
      await outside.ask('open', { as: kind, kind, url: agent.urls[kind], token: TOKEN });
      await outside.ask('listed', { client: kind, service: 'Body3', isThere: true });
    }
  });
  afterAll(() => network?.close());

  test('the client outside reaches neither of the two by itself', async () => {
    for (const host of [HEAD, BODY]) expect(await outside.ask('dial', { host, port: 9559 })).toBe('ENETUNREACH');
  });

  describe.each(CLIENT_KINDS)('for a %s client outside', (client) => {
    test('the services of both are listed, called and subscribed to', async () => {
      const names = await outside.ask<string[]>('names', client);
      expect(names).toEqual(expect.arrayContaining(['Head1', 'Head2', 'Body1', 'Body2', 'Body3']));
      for (const [service, program] of [
        ['Head1', head],
        ['Body1', body],
      ] as const) {
        const target = { client, service };
        expect(await outside.ask('call', { ...target, method: 'echoString', args: ['hé'] })).toBe('hé');
        await outside.ask('subscribe', { ...target, signal: 'onEcho' });
        await program.ask('emit', { name: service, text: `for ${client}` });
        expect(await outside.ask('events', { ...target, signal: 'onEcho', count: 1 })).toEqual([`for ${client}`]);
      }
    });

    test('an object goes from a service of one computer to one of the other, is called and listened to there, and released', async () => {
      const before = await outside.ask<number>('call', { client, service: 'Body2', method: 'voidCalls', args: [] });
      expect(await outside.ask('handOn', { client, from: 'Head2', to: 'Body2' })).toBe(15);
      const after = await outside.ask<number>('call', { client, service: 'Body2', method: 'voidCalls', args: [] });
      expect(after - before).toBe(1);
      await outside.ask('call', { client, service: 'Body2', method: 'dropObject', args: [] });
      while ((await head.ask('liveObjects', 'Head2')) !== 0);
    });
  });

  test('one connection leads to each computer, and one from each client, however many services and sessions', async () => {
    for (const service of ['Head1', 'Head2', 'Body1', 'Body2', 'Body3'])
      for (const client of CLIENT_KINDS) await outside.ask('call', { client, service, method: 'echoInt32', args: [1] });
    const { hosts } = network;
    expect(hosts.agent.socketsTo(HEAD)).toBe(1);
    expect(hosts.agent.socketsTo(BODY)).toBe(1);
    expect(hosts.outside.socketsTo(OUTER)).toBe(CLIENT_KINDS.length);
    await Promise.all(
      CLIENT_KINDS.flatMap((kind) =>
        [1, 2, 3].map(async (each) => {
          const client = `${kind} ${each}`;
          await outside.ask('open', { as: client, kind, url: agent.urls[kind], token: TOKEN });
          await outside.ask('call', { client, service: 'Body1', method: 'echoInt32', args: [each] });
        }),
      ),
    );
    expect(hosts.outside.socketsTo(OUTER)).toBe(CLIENT_KINDS.length * 4);
    expect(hosts.agent.socketsTo(HEAD)).toBe(1);
    expect(hosts.agent.socketsTo(BODY)).toBe(1);
  });

  test.each(CLIENT_KINDS)(
    'a service that a %s client outside hosts is called by programs of both computers',
    async (kind) => {
      const service = `Outside-${kind}`;
      await outside.ask('host', { client: kind, service });
      for (const host of [network.hosts.head, network.hosts.body]) {
        const inside = await host.run('./client-program.ts', {});
        await inside.ask('open', { as: 'inside', kind: 'qi', url: DIRECTORY });
        await inside.ask('listed', { client: 'inside', service, isThere: true });
        expect(await inside.ask('call', { client: 'inside', service, method: 'echoInt32', args: [7] })).toBe(7);
        await inside.kill();
      }
    },
  );

  test.each([
    ['its loopback', () => agent.localUrl],
    ['its outer', () => agent.urls.qi],
  ])('a program on the agent’s own machine uses every service by %s address, over one socket', async (_, url) => {
    const { host, hostname } = new URL(url().replace('tcp:', 'http:'));
    const before = network.hosts.agent.socketsTo(hostname);
    const local = await network.hosts.agent.run('./client-program.ts', {});
    await local.ask('open', { as: 'local', kind: 'qi', url: url(), token: TOKEN });
    for (const service of ['Head1', 'Head2', 'Body1', 'Body2', 'Body3'])
      expect(await local.ask('call', { client: 'local', service, method: 'echoInt32', args: [2] })).toBe(2);
    expect(network.hosts.agent.sockets().filter(({ remote }) => remote === host)).toHaveLength(1);
    await local.kill();
    while (network.hosts.agent.socketsTo(hostname) > before) await body.ask('names');
  });

  test.each([
    ['its own', undefined],
    ['another', 'another machine'],
  ])(
    'a client behind a tunnel, whose machine id is %s, uses every service over the one socket',
    async (_, machineId) => {
      const tunnelled = await network.hosts.tunnel.run('./client-program.ts', {});
      const near = await tunnelled.ask<number>('openTunnel', { host: OUTER, port: QI_PORT });
      const url = `tcp://127.0.0.1:${near}`;
      await tunnelled.ask('open', { as: 'far', kind: 'qi', url, token: TOKEN, ...(machineId && { machineId }) });
      for (const service of ['Head1', 'Head2', 'Body1', 'Body2', 'Body3'])
        expect(await tunnelled.ask('call', { client: 'far', service, method: 'echoInt32', args: [3] })).toBe(3);
      expect(await tunnelled.ask('handOn', { client: 'far', from: 'Body2', to: 'Head2' })).toBe(15);
      expect(network.hosts.tunnel.socketsTo(OUTER)).toBe(1);
      await tunnelled.kill();
    },
  );

  test('clients come and go without a trace', async () => {
    const { hosts } = network;
    const before = hosts.agent.sockets().length;
    for (let time = 0; time < 3; time += 1) {
      for (const kind of CLIENT_KINDS) {
        await outside.ask('open', { as: 'guest', kind, url: agent.urls[kind], token: TOKEN });
        await outside
          .ask('call', { client: 'guest', service: 'Body1', method: 'makeCounter', args: [0] })
          .catch(() => {});
        await outside.ask('close', 'guest');
      }
    }
    while ((await body.ask('liveObjects', 'Body1')) !== 0);
    while (hosts.agent.sockets().length > before) await body.ask('names');
    expect(hosts.agent.socketsTo(BODY)).toBe(1);
  });
});

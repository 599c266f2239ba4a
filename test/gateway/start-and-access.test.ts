// How an agent with a door for qi programs starts, waits, stops, and whom it lets in.
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import { startAgent } from '../../robot-agent/agent.ts';
import { readConfig } from '../../robot-agent/config.ts';
import { createLogger } from '../../robot-agent/logger.ts';
import {
  type Authenticator,
  createObject,
  EmbeddedBus,
  joinBus,
  listenBus,
  method,
  tokenAuthenticator,
} from '../../robot-agent/qi/index.ts';
import { callMethod, failureOf } from '../contract/calls.ts';
import { seen } from '../contract/contract-state.ts';
import { agentConfig, TOKEN } from '../support/agent-config.ts';
import { type Gateway, openGateway } from './gateway.ts';

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function open(...args: Parameters<typeof openGateway>): Promise<Gateway> {
  const gateway = await openGateway(...args);
  endings.push(() => gateway.close());
  return gateway;
}

const parts = { logger: createLogger(() => {}, 'error'), clock: systemClock };
const answering = () => createObject({ answer: method('()', 'i', () => 42) });

/** A port where nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('URLs', () => {
  const invalid = [
    ['', 'needs a value'],
    ['127.0.0.1:9559', 'scheme'],
    ['http://127.0.0.1:9559', 'scheme is http'],
    ['tcp://', 'host is missing'],
    ['tcp://:9559', 'host is missing'],
    ['tcp://127.0.0.1:', 'port'],
    ['tcp://127.0.0.1:x', 'port'],
    ['tcp://127.0.0.1:70000', 'port'],
    ['tcp://300.1.1.1:9559', 'not an IPv4 address'],
    ['tcp://::1:9559', 'brackets'],
    ['tcp://robot:9559/path', 'port'],
    ['qi:ServiceDirectory', 'scheme'],
  ] as const;
  const options = ['--bus', '--bus-listen', '--qi-listen'];

  test.each(options.flatMap((option) => invalid.map(([url, reason]) => ({ option, url, reason }))))(
    '$option "$url" is refused at once, with the reason ($reason)',
    ({ option, url, reason }) => {
      const read = () => readConfig({ args: [option, url], env: {}, readFile: () => '', newToken: () => TOKEN });
      expect(read).toThrow(reason);
      expect(read).toThrow(option);
    },
  );

  test('a door whose port is taken fails the start, and gives back what was opened before', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    endings.push(() => new Promise((resolve) => taken.close(resolve)));
    const { port } = taken.address() as { port: number };
    const [http, first] = [await freePort(), await freePort()];
    const qiListen = [`tcp://127.0.0.1:${first}`, `tcp://127.0.0.1:${port}`];
    const config = agentConfig({ qiListen, listen: { host: '127.0.0.1', port: http } });
    const error = await failureOf(startAgent(config, parts));
    expect(error.code).toBe('listen-failed');
    expect(error.message).toContain(`tcp://127.0.0.1:${port}`);
    expect(error.message).toContain('in use');
    const agent = await startAgent({ ...config, qiListen: qiListen.slice(0, 1) }, parts);
    expect(agent.qiUrls).toEqual([`tcp://127.0.0.1:${first}`]);
    await agent.close();
  });
});

describe('a directory that is not there', () => {
  test('is waited for: the door is open meanwhile, and shows the robot when it comes', async () => {
    const bus = `tcp://127.0.0.1:${await freePort()}`;
    const gateway = await open({ bus });
    const outside = await gateway.outside();
    expect((await outside.services()).map(({ name }) => name)).toEqual(['ServiceDirectory']);
    await outside.host('Outer', answering());
    const directory = new EmbeddedBus({ machineId: 'robot', processId: 1, sessionId: 'late' });
    const listener = await listenBus(directory, bus);
    endings.push(
      () => directory.close(),
      () => listener.close(),
    );
    await directory.host('Late', answering());
    await seen(outside, 'Late');
    expect(await callMethod(await outside.service('Late'), 'answer')).toBe(42);
    await seen(directory, 'Outer');
    expect(await callMethod(await directory.service('Outer'), 'answer')).toBe(42);
  });

  test('does not keep the agent from ending', async () => {
    const gateway = await openGateway({ bus: `tcp://127.0.0.1:${await freePort()}` });
    const outside = await gateway.outside();
    await gateway.agent.close();
    await gateway.agent.close();
    expect(outside.state).toBe('closed');
    await gateway.close();
  });
});

describe('programs that come and go', () => {
  test('an unreachable address fails, and a good one works after it', async () => {
    const gateway = await open();
    expect((await failureOf(joinBus(`tcp://127.0.0.1:${await freePort()}`))).code).toBe('bus-down');
    const bus = await gateway.outside();
    expect(bus.state).toBe('up');
    await Promise.all([bus.close(), bus.close()]);
    await bus.close();
    expect((await failureOf(bus.services())).code).toBe('closed');
    const again = await gateway.outside();
    expect((await again.services()).length).toBe(1);
  });

  test('a hundred join and leave, and nothing of them stays', async () => {
    const gateway = await open();
    const inside = await gateway.inside();
    await inside.host('Answering', answering());
    for (let round = 0; round < 5; round += 1) {
      const buses = await Promise.all(Array.from({ length: 20 }, () => gateway.outside()));
      for (const bus of buses) await seen(bus, 'Answering');
      const answers = await Promise.all(buses.map(async (bus) => callMethod(await bus.service('Answering'), 'answer')));
      expect(new Set(answers)).toEqual(new Set([42]));
      await Promise.all(buses.map((bus) => bus.close()));
    }
    const last = await gateway.outside();
    const metrics = await fetch(`${gateway.agent.origin}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(await metrics.text()).toContain('\nqiway_qi_sessions 1\n');
    await last.close();
  });
});

describe('who comes in', () => {
  const wrong: Authenticator = tokenAuthenticator({ user: 'nao', token: 'wrong' });

  test.each([
    ['a wrong token', wrong, /token is not the one/],
    ['no token', { begin: () => ({ user: 'nao' }) }, /hold no token/],
    ['a token that is no text', { begin: () => ({ token: 5 }) }, /token/],
  ])('%s is refused within half a second, and told why', async (_what, authenticator, reason) => {
    const gateway = await open();
    const begunMs = performance.now();
    const error = await failureOf(joinBus(gateway.qiUrl, { authenticator }));
    expect(performance.now() - begunMs).toBeLessThan(500);
    expect(error.code).toBe('unauthorized');
    expect(error.message).toMatch(reason);
  });

  test('the agent proves itself to the robot’s directory and to the hosts of its services with the same credentials', async () => {
    const seenBy = { directory: [] as unknown[], host: [] as unknown[] };
    const provider = (list: unknown[]) => (data: Readonly<Record<string, unknown>>) => {
      list.push(data['token']);
      return data['token'] === 'secret'
        ? { state: 'done' as const }
        : { state: 'refused' as const, reason: 'who are you' };
    };
    const directory = new EmbeddedBus({ machineId: 'robot', processId: 1, sessionId: 'robot' });
    const listener = await listenBus(directory, 'tcp://127.0.0.1:0', { authenticate: provider(seenBy.directory) });
    const authenticator = tokenAuthenticator({ user: 'nao', token: 'secret' });
    const host = await joinBus(listener.url, { authenticator, authenticate: provider(seenBy.host) });
    await host.host('Guarded', answering());
    const client = await joinBus(listener.url, { authenticator });
    endings.push(
      () => directory.close(),
      () => listener.close(),
      () => host.close(),
      () => client.close(),
    );
    expect(await callMethod(await client.service('Guarded'), 'answer')).toBe(42);
    expect(seenBy).toEqual({ directory: ['secret', 'secret'], host: ['secret'] });
    expect((await failureOf(joinBus(listener.url))).message).toContain('who are you');
  });
});

// The agent with certificates and credentials: towards a robot's bus that wants them, and at its own door.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import { type Agent, startAgent } from '../../robot-agent/agent.ts';
import type { AgentConfig } from '../../robot-agent/config.ts';
import { createLogger } from '../../robot-agent/logger.ts';
import {
  createObject,
  EmbeddedBus,
  fileAuthenticator,
  fileUsers,
  joinBus,
  type ListenBusOptions,
  listenBus,
  method,
  remoteServices,
  tokenAuthenticator,
} from '../../robot-agent/qi/index.ts';
import { type Authority, authority, type Certified } from '../qi/tls-certificates.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

let folder: string;
let trusted: Authority;
let door: Certified;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qiway-door-'));
  trusted = await authority('robots of the house');
  door = await trusted.certify('127.0.0.1');
});
afterAll(() => rm(folder, { recursive: true }));

async function robot(url: string, options: ListenBusOptions = {}): Promise<string> {
  const bus = new EmbeddedBus({ machineId: 'robot', processId: 1, sessionId: 'inner' });
  const listening = await listenBus(bus, url, options);
  closers.push(() => listening.close());
  await bus.host('Greeter', createObject({ greet: method('(s)', 's', (name: string) => `hello ${name}`) }));
  return listening.url;
}

async function start(changes: Partial<AgentConfig>): Promise<Agent> {
  const agent = await startAgent(
    {
      bus: undefined,
      busListen: 'tcp://127.0.0.1:0',
      listen: { host: '127.0.0.1', port: 0 },
      token: 'right-token',
      allowOrigins: [],
      allowHosts: [],
      web: undefined,
      log: 'silent',
      ...changes,
    },
    { logger: createLogger(() => {}, 'silent'), clock: systemClock },
  );
  closers.push(() => agent.close());
  return agent;
}

async function greeting(agent: Agent, options: Parameters<typeof joinBus>[1]): Promise<unknown> {
  const bus = await joinBus(agent.qiUrls[0] as string, options);
  closers.push(() => bus.close());
  const greeter = await remoteServices(bus).service('Greeter');
  return greeter['greet']?.('you');
}

describe('the agent', () => {
  test('joins a tcps bus that it believes, with credentials, and opens a tcpsm door', async () => {
    const users = join(folder, 'robot-users.json');
    await writeFile(users, JSON.stringify({ users: { nao: { token: 'secret' } } }));
    const bus = await robot('tcps://127.0.0.1:0', {
      tls: await trusted.certify('127.0.0.1'),
      authenticate: fileUsers(users),
    });
    const credentials = join(folder, 'nao.json');
    await writeFile(credentials, JSON.stringify({ user: 'nao', token: 'secret' }));
    const agent = await start({
      bus,
      busCredentials: credentials,
      qiListen: ['tcpsm://127.0.0.1:0'],
      tls: { ...door, ca: trusted.ca },
    });
    const authenticator = tokenAuthenticator({ user: 'lab', token: 'right-token' });
    const client = await trusted.certify('client.example');
    expect(await greeting(agent, { authenticator, tls: { ...client, ca: trusted.ca } })).toBe('hello you');
    await expect(greeting(agent, { authenticator, tls: { ca: trusted.ca } })).rejects.toMatchObject({
      code: 'config-invalid',
    });
  });

  test('pairs a user of its credentials file with the first client that comes under that name', async () => {
    const qiCredentials = join(folder, 'users.json');
    await writeFile(qiCredentials, JSON.stringify({ users: { tablet: {} } }));
    const agent = await start({
      bus: await robot('tcp://127.0.0.1:0'),
      qiListen: ['tcps://127.0.0.1:0'],
      qiCredentials,
      tls: door,
    });
    const own = join(folder, 'tablet.json');
    await writeFile(own, JSON.stringify({ user: 'tablet' }));
    const tls = { ca: trusted.ca };
    expect(await greeting(agent, { authenticator: fileAuthenticator(own), tls })).toBe('hello you');
    const { token } = JSON.parse(await readFile(own, 'utf8')) as { token: string };
    expect(await readFile(qiCredentials, 'utf8')).not.toContain(token);
    expect(await greeting(agent, { authenticator: fileAuthenticator(own), tls })).toBe('hello you');
    const other = tokenAuthenticator({ user: 'tablet', token: 'guessed' });
    await expect(greeting(agent, { authenticator: other, tls })).rejects.toMatchObject({ code: 'unauthorized' });
  });

  test('says what is wrong with a certificate before it opens a port', async () => {
    const expired = await trusted.certify('127.0.0.1', { notAfter: new Date(Date.now() - 1000) });
    await expect(start({ qiListen: ['tcps://127.0.0.1:0'], tls: expired })).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('expired'),
    });
  });
});

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
import { agentConfig } from '../support/agent-config.ts';

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

async function start(changes: Partial<AgentConfig>, log: (line: string) => void = () => {}): Promise<Agent> {
  const agent = await startAgent(agentConfig({ log: 'silent', ...changes }), {
    logger: createLogger(log, 'warn'),
    clock: systemClock,
  });
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
  test('says once why it cannot join the bus, and with which option it could', async () => {
    const secured = await robot('tcps://127.0.0.1:0', { tls: door });
    const closed = await robot('tcp://127.0.0.1:0', { authenticate: () => ({ state: 'refused', reason: 'no token' }) });
    const wrong = join(folder, 'wrong.json');
    await writeFile(wrong, JSON.stringify({ user: 'nao', token: 'not-this' }));
    const cases: [Partial<AgentConfig>, RegExp][] = [
      [
        { bus: secured },
        /sha256:[0-9a-f]{64}\. If it is your robot's, pin this fingerprint\. The option is --bus-fingerprint\./,
      ],
      [
        { bus: secured, busFingerprints: [`sha256:${'0'.repeat(64)}`] },
        /it is another robot, or somebody poses as it\. .* The option is --bus-fingerprint\./,
      ],
      [
        { bus: closed },
        /wants credentials, and none are given here: .*no token.* Give some with --bus-credentials FILE\./,
      ],
      [
        { bus: closed, busCredentials: wrong },
        /refused the credentials: .*no token.* They are those of --bus-credentials\./,
      ],
    ];
    await Promise.all(
      cases.map(async ([config, expected]) => {
        const lines: string[] = [];
        await start(config, (line) => lines.push(line));
        expect(lines).toEqual([expect.stringMatching(/ warn the robot bus is not there yet; waiting for it url=/)]);
        expect(lines[0]).toMatch(expected);
        expect(lines.join()).not.toContain('not-this');
      }),
    );
  });

  test('names the option and the file that are wrong', async () => {
    const other = await trusted.certify('127.0.0.1');
    const paths = { cert: 'c.pem', key: 'k.pem', ca: 'a.pem' };
    const qiListen = ['tcps://127.0.0.1:0'];
    const users = join(folder, 'shapeless.json');
    await writeFile(users, '{"lab": "secret"}');
    const cases: [Partial<AgentConfig>, RegExp][] = [
      [
        { qiListen, tls: { cert: door.cert, key: other.key, paths } },
        /--tls-key k\.pem: The private key does not belong/,
      ],
      [{ qiListen, tls: { cert: door.key, key: door.cert, paths } }, /--tls-cert c\.pem: The certificate is not PEM/],
      [{ qiListen, tls: { cert: '0\ufffd', key: door.key, paths } }, /--tls-cert c\.pem: .* It looks like DER/],
      [{ qiListen, tls: { ...door, ca: door.key, paths } }, /--tls-ca a\.pem: The authority is not PEM/],
      [
        { qiListen, tls: { cert: door.cert, key: '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n', paths } },
        /--tls-key k\.pem: The private key is encrypted: decrypt it with openssl pkey\.$/,
      ],
      [
        { qiListen: ['tcp://127.0.0.1:0'], qiCredentials: users },
        /--qi-credentials: The file .*shapeless\.json .*"users"/,
      ],
      [{ bus: 'tcp://127.0.0.1:9', busCredentials: users }, /--bus-credentials: The file .*shapeless\.json .*"user"/],
      [
        { bus: 'tcp://127.0.0.1:9', busCredentials: 'none.json' },
        /--bus-credentials: .*none\.json .*there is no such file/,
      ],
      [{ busListen: 'tcp://192.0.2.1:0' }, /--bus-listen: Cannot listen at tcp:\/\/192\.0\.2\.1/],
      [{ qiListen: ['tcp://192.0.2.1:0'] }, /--qi-listen: Cannot listen at/],
    ];
    for (const [config, expected] of cases) {
      const failure = start(config);
      await expect(failure).rejects.toThrow(expected);
      await expect(failure).rejects.not.toThrow(/secret/);
    }
  });

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

  test('tells its operator, and not the client, why users cannot be looked up', async () => {
    const qiCredentials = join(folder, 'users-broken-later.json');
    await writeFile(qiCredentials, JSON.stringify({ users: { lab: { token: 'secret' } } }));
    const lines: string[] = [];
    const agent = await start({ qiListen: ['tcp://127.0.0.1:0'], qiCredentials }, (line) => lines.push(line));
    await writeFile(qiCredentials, '{ "users": secret');
    const authenticator = tokenAuthenticator({ user: 'lab', token: 'secret' });
    const refusal = joinBus(agent.qiUrls[0] as string, { authenticator });
    await expect(refusal).rejects.toThrow(/cannot be looked up at the moment/);
    await expect(refusal).rejects.not.toThrow(/users-broken/);
    expect(lines[0]).toMatch(
      / error nobody of --qi-credentials can come in reason=.*users-broken-later\.json.*not JSON/,
    );
    expect(lines.join()).not.toContain('secret');
  });

  test('says what is wrong with a certificate before it opens a port', async () => {
    const expired = await trusted.certify('127.0.0.1', { notAfter: new Date(Date.now() - 1000) });
    await expect(start({ qiListen: ['tcps://127.0.0.1:0'], tls: expired })).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('expired'),
    });
  });
});

// An agent that serves TLS, whole: what it prints, announces, answers over http, and how clients come in.
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Dial } from '../../protocol/session/client-session.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import type { WebSocketClass } from '../../protocol/transport/websocket.ts';
import { type Agent, startAgent } from '../../robot-agent/agent.ts';
import type { AgentConfig } from '../../robot-agent/config.ts';
import { answerPlain } from '../../robot-agent/tls/plain-http.ts';
import { authority } from '../qi/tls-certificates.ts';
import { agentConfig, TOKEN } from '../support/agent-config.ts';
import { checkout } from '../support/checkout-copy.ts';
import { dialAgent, newClient, openAgentSession } from '../support/dial-agent.ts';
import { runProgram } from '../support/run-program.ts';
import { askSecurely, type KeptLog, keptLog } from './lab.ts';

let state: string;
let log: KeptLog;
const closers: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'qiway-tls-agent-'));
  log = keptLog();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(state, { recursive: true });
});

async function start(changes: Partial<AgentConfig> = {}): Promise<Agent> {
  const config = agentConfig({ serveTls: { kind: 'self' }, state, ...changes });
  const agent = await startAgent(config, { logger: log, clock: systemClock });
  closers.push(() => agent.close());
  return agent;
}

const plainOf = ({ origin }: Agent): string => origin.replace('https:', 'http:');

/** As a device downloads it. */
async function authorityOf(agent: Agent): Promise<string> {
  return (await fetch(`${plainOf(agent)}/install/qiway-authority.crt`)).text();
}

/** Believes `ca` alone. */
function trusting(ca: string): WebSocketClass {
  return class extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol, { ca });
    }
  } as unknown as WebSocketClass;
}

const bearer = { authorization: `Bearer ${TOKEN}` };

describe('with an authority of its own', () => {
  test('prints https, and how devices learn to trust it', async () => {
    const agent = await start();
    expect(agent.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/#token=right-token&robot=/);
    const ca = await authorityOf(agent);
    expect(agent.trustText).toContain(`${plainOf(agent)}/install`);
    expect(agent.trustText).toContain(new X509Certificate(ca).fingerprint256);
    expect((await askSecurely(`${agent.origin}/healthz`, { ca })).status).toBe(200);
    const services = await askSecurely(`${agent.origin}/robot/services`, { ca, headers: bearer });
    expect(JSON.parse(services.text)).toMatchObject([{ name: 'ServiceDirectory' }]);
    expect((await askSecurely(`${agent.origin}/robot/services`, { ca })).status).toBe(401);
  });

  test('takes WebSockets over TLS, and tells clients wss addresses before ws', async () => {
    const agent = await start();
    const ca = await authorityOf(agent);
    const client = newClient();
    const dial: Dial = async ({ hello, timeoutMs }) => ({
      ...(await dialAgent(agent.origin, { hello, client, timeoutMs, WebSocket: trusting(ca) })),
      address: '',
    });
    const session = await openAgentSession(agent.origin, { dial });
    closers.push(() => session.close());
    expect((await session.services()).map(({ name }) => name)).toEqual(['ServiceDirectory']);
    const { host } = new URL(agent.origin);
    expect(session.told.addresses).toEqual([`wss://${host}/robot/link`, `ws://${host}/robot/link`]);
  });

  test('a program comes in with the SDK: over wss when it trusts the authority, over ws all the same', async () => {
    const agent = await start();
    const file = join(state, 'ca.pem');
    writeFileSync(file, await authorityOf(agent));
    const info = (url: string, env: Record<string, string> = {}) =>
      runProgram(process.execPath, [join(checkout, 'sdk/cli/main.ts'), '--url', url, 'info'], { env });
    const [trusting, doubting, plain] = await Promise.all([
      info(agent.url, { NODE_EXTRA_CA_CERTS: file }),
      info(agent.url),
      info(agent.url.replace('https:', 'http:')),
    ]);
    expect(trusting.stdout).toContain('ServiceDirectory');
    expect(plain.stdout).toContain('ServiceDirectory');
    expect(doubting.code).not.toBe(0);
    expect(doubting.stderr).toContain('dial-failed');
  });

  test('sends pages from http to https, and answers health and the page of its authority', async () => {
    const web = mkdtempSync(join(tmpdir(), 'qiway-web-'));
    closers.push(async () => rmSync(web, { recursive: true }));
    writeFileSync(join(web, 'index.html'), '<h1>console</h1>');
    const agent = await start({ web });
    const answer = await fetch(`${plainOf(agent)}/a/b?c=d`, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([307, `${agent.origin}/a/b?c=d`]);
    expect(await (await fetch(`${plainOf(agent)}/healthz`)).json()).toMatchObject({ status: 'ok', tls: true });
    // Nobody listens between programs of one machine.
    expect((await fetch(`${plainOf(agent)}/robot/services`, { headers: bearer })).status).toBe(200);
    expect((await askSecurely(`${agent.origin}/`, { ca: await authorityOf(agent) })).text).toBe('<h1>console</h1>');
  });

  test('offers a page that shows the fingerprint and needs neither scripts nor anything from elsewhere', async () => {
    const agent = await start({ name: 'pepper-7' });
    const certificate = new X509Certificate(await authorityOf(agent));
    const answer = await fetch(`${plainOf(agent)}/install`);
    const html = await answer.text();
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(html.replaceAll('<wbr>', '')).toContain(certificate.fingerprint256);
    expect(html).toContain('Qiway robot pepper-7 (');
    for (const system of ['iPhone', 'Android', 'Windows', 'macOS', 'Linux', 'Chrome', 'Firefox'])
      expect(html).toContain(system);
    expect(html).not.toMatch(/<script|src=|href="http|url\(/);
    const file = await fetch(`${plainOf(agent)}/install/qiway-authority.crt`);
    expect(file.headers.get('content-type')).toBe('application/x-x509-ca-cert');
    const profile = await fetch(`${plainOf(agent)}/install/qiway-authority.mobileconfig`);
    expect(profile.headers.get('content-type')).toBe('application/x-apple-aspen-config');
    const [, data = ''] = /<data>\s*([^<]+)<\/data>/.exec(await profile.text()) ?? [];
    expect(new X509Certificate(Buffer.from(data, 'base64')).fingerprint256).toBe(certificate.fingerprint256);
    expect((await fetch(`${plainOf(agent)}/install`, { method: 'POST' })).status).toBe(405);
  });

  test('is the same authority after a restart, and is kept from foreign names as ever', async () => {
    const first = await start();
    const ca = await authorityOf(first);
    await first.close();
    const again = await start();
    expect(await authorityOf(again)).toBe(ca);
    const { port } = new URL(again.origin);
    const options = { ca, servername: 'localhost', headers: { host: 'evil.example' } };
    const foreign = await askSecurely(`https://127.0.0.1:${port}/install`, options);
    expect(foreign.status).toBe(403);
  });
});

describe('with a certificate for a domain', () => {
  test('prints and announces the domain, and goes by it', async () => {
    const house = await authority('house');
    const { cert, key } = await house.certify('nao.robots.example');
    writeFileSync(join(state, 'c.pem'), cert);
    writeFileSync(join(state, 'k.pem'), key);
    const agent = await start({ serveTls: { kind: 'files', cert: join(state, 'c.pem'), key: join(state, 'k.pem') } });
    const { port } = new URL(agent.origin);
    expect(agent.origin).toBe(`https://nao.robots.example:${port}`);
    expect(agent.trustText).toBe('');
    const options = { ca: house.ca, servername: 'nao.robots.example', headers: { host: 'nao.robots.example' } };
    expect((await askSecurely(`https://127.0.0.1:${port}/healthz`, options)).status).toBe(200);
    // No authority that anybody must be taught.
    expect((await askSecurely(`https://127.0.0.1:${port}/install`, options)).status).toBe(404);
    const session = await openAgentSession(`http://127.0.0.1:${port}`);
    closers.push(() => session.close());
    expect(session.told.addresses).toEqual([
      `wss://nao.robots.example:${port}/robot/link`,
      `ws://127.0.0.1:${port}/robot/link`,
    ]);
  });

  test('does not start with one that cannot be used', async () => {
    writeFileSync(join(state, 'c.pem'), 'nothing');
    const serveTls = { kind: 'files', cert: join(state, 'c.pem'), key: join(state, 'k.pem') } as const;
    await expect(start({ serveTls })).rejects.toMatchObject({ code: 'config-invalid', data: { key: 'tls' } });
  });
});

describe('without TLS, from another computer', () => {
  const from = '192.168.1.7';
  const ask = (url: string, method = 'GET') => answerPlain({ method, url, host: 'nao.local:8080', from });

  test.each(['/robot/services', '/robot/services/ALMotion/stopMove', '/metrics'])(
    '%s is refused, token or not',
    (url) => {
      const answer = ask(url, 'POST');
      expect(answer?.status).toBe(403);
      expect(new TextDecoder().decode(answer?.body as Uint8Array)).toContain(
        'Send this to https://nao.local:8080 instead',
      );
    },
  );

  test('pages are sent to the same place, health is told', () => {
    expect(ask('/?x=1')).toMatchObject({ status: 307, headers: { location: 'https://nao.local:8080/?x=1' } });
    expect(ask('/healthz')).toBeUndefined();
    expect(ask('/upload', 'POST')).toBeUndefined();
    // Of a proxy; https://nao.local:8080http://… leads nowhere, and without a port to another host.
    expect(ask('http://elsewhere.test/')).toBeUndefined();
  });

  test('this machine is no other', () => {
    for (const own of ['127.0.0.1', '::1', '::ffff:127.0.0.1'])
      expect(answerPlain({ method: 'GET', url: '/robot/services', host: 'localhost', from: own })).toBeUndefined();
  });
});

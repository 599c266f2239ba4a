// What a page reaches of a robot on the local network, by where the page is from and what its user says: real Chromium in a
// network of its own. Names, certificates, impostors, tokens, and nobody there.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { authority } from '../qi/tls-certificates.ts';
import type { PageRequest } from './support/browser-program.ts';
import { buildNetwork, type Network } from './support/network.ts';
import type { Program } from './support/program.ts';

const ROBOT = '10.7.0.1';
const NOBODY = '10.7.0.77';
/** TEST-NET-3 (RFC 5737): browsers count it as of the internet. */
const ROBOT_OUTSIDE = '203.0.113.1';
const BROWSER = '10.7.0.9';
const BROWSER_OUTSIDE = '203.0.113.9';
const TOKEN = 'right-token';
/** Its certificate is trusted; and one whose is not. */
const PORT = 8080;
const SELF_SIGNED_PORT = 8081;
/** No pages but its own. */
const STRICT_PORT = 8082;
const SILENT_PORT = 8099;

interface Outcome {
  readonly value?: Record<string, unknown>;
  readonly error?: { readonly code: string; readonly message: string; readonly data: Record<string, unknown> };
}

interface Diagnosis {
  readonly isOk: boolean;
  readonly steps: readonly { readonly name: string; readonly state: string; readonly detail: string }[];
  readonly summary: string;
}

/** Gives the status of a robot, and calls it. */
const CONNECT = `
const robot = await qiway.connect(argument, { worker: false, connectTimeoutMs: 5000 });
const services = await robot.services();
const { state, address, isSealed, owner } = robot.status;
await robot.close();
return { state, address, isSealed, owner, services: services.length };`;
const DIAGNOSE = `return qiway.diagnose(argument, { timeoutMs: 4000 });`;

describe.skipIf(inject('whyNoNetwork') !== '')('a page and a robot on the local network', () => {
  let network: Network<'robot' | 'browser'>;
  let browser: Program;
  let folder: string;
  let id: string;
  let otherId: string;
  let strictId: string;
  let https: string;
  let http: string;
  const opened: string[] = [];

  async function agent(port: number, options: readonly string[]): Promise<string> {
    const program = await network.hosts.robot.run('./agent-program.ts', [
      ...['--listen', `0.0.0.0:${port}`, '--insecure-listen', '--token', TOKEN, '--no-mdns'],
      ...['--state', join(folder, `state-${port}`), '--bus-listen', `tcp://127.0.0.1:${port + 1000}`],
      ...['robot.test', 'lan-robot.test', 'nao.local'].flatMap((name) => ['--allow-host', name]),
      ...options,
    ]);
    return /robot=([a-z2-7]{52})/.exec(program.output())?.[1] ?? '';
  }

  const url = (host: string, { port = PORT, robot = id, token = TOKEN, scheme = 'http' } = {}): string =>
    `${scheme}://${host}:${port}/#token=${token}&robot=${robot}`;

  async function page(request: Partial<PageRequest> = {}): Promise<string> {
    const name = `page ${opened.length}`;
    opened.push(name);
    await browser.ask('open', { name, origin: https, ...request });
    return name;
  }
  const evaluate = (name: string, body: string, argument: string): Promise<Outcome> =>
    browser.ask('evaluate', { name, body, argument });
  const connectFrom = (name: string, agentUrl: string): Promise<Outcome> => evaluate(name, CONNECT, agentUrl);
  async function diagnoseFrom(name: string, agentUrl: string): Promise<Diagnosis> {
    const { value, error } = await evaluate(name, DIAGNOSE, agentUrl);
    expect(error).toBeUndefined();
    return value as unknown as Diagnosis;
  }
  const failed = ({ steps }: Diagnosis): string[] =>
    steps.filter(({ state }) => state === 'failed').map(({ name }) => name);
  const granted = (): Promise<string> => page({ localNetwork: 'granted' });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'qiway-ladder-'));
    network = buildNetwork({
      robot: { lan: ROBOT, web: ROBOT_OUTSIDE },
      browser: { lan: BROWSER, web: BROWSER_OUTSIDE },
    });
    const { hosts } = network;
    hosts.browser.setNames({
      'page.test': BROWSER_OUTSIDE,
      'lan-page.test': BROWSER,
      'robot.test': ROBOT_OUTSIDE,
      'lan-robot.test': ROBOT,
      'nao.local': ROBOT,
    });
    const known = await authority('known');
    const [site, trusted] = [await known.certify('page.test'), await known.certify('robot.test')];
    const untrusted = await (await authority('unknown')).certify(ROBOT);
    const tls = (name: string, { cert, key }: { readonly cert: string; readonly key: string }): string[] => {
      const files = [join(folder, `${name}.crt`), join(folder, `${name}.key`)] as const;
      writeFileSync(files[0], cert);
      writeFileSync(files[1], key, { mode: 0o600 });
      return ['--tls', `cert=${files[0]},key=${files[1]}`];
    };
    browser = await hosts.browser.run('./browser-program.ts', { ...site, trusted: [trusted.cert] });
    const ports = await browser.ask<{ https: number; http: number }>('ports');
    https = `https://page.test:${ports.https}`;
    http = `http://page.test:${ports.http}`;
    const lanHttp = `http://lan-page.test:${ports.http}`;
    const origins = [https, http, lanHttp].flatMap((origin) => ['--allow-origin', origin]);
    id = await agent(PORT, [...tls('trusted', trusted), ...origins]);
    otherId = await agent(SELF_SIGNED_PORT, [...tls('untrusted', untrusted), ...origins]);
    strictId = await agent(STRICT_PORT, []);
    expect([id, otherId, strictId]).not.toContain('');
  });
  afterEach(async () => {
    for (const name of opened.splice(0)) await browser?.ask('close', name);
  });
  afterAll(async () => {
    await network?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  describe('of https from the internet, whose user allowed the local network', () => {
    test('reaches it at its plain address, at its .local name, and by a trusted certificate; sealed', async () => {
      const name = await granted();
      for (const [host, scheme] of [
        [ROBOT, 'http'],
        ['nao.local', 'http'],
        ['lan-robot.test', 'https'],
      ] as const) {
        const { value, error } = await connectFrom(name, url(host, { scheme }));
        expect(error).toBeUndefined();
        expect(value).toMatchObject({ state: 'online', address: `${host}:${PORT}`, isSealed: true });
      }
    });

    test('reaches it through the worker that all tabs share, which asks nobody', async () => {
      const name = await granted();
      const { value, error } = await evaluate(name, CONNECT.replace('worker: false, ', ''), url(ROBOT));
      expect(error).toBeUndefined();
      expect(value).toMatchObject({ state: 'online', owner: 'worker', address: `${ROBOT}:${PORT}`, isSealed: true });
    });

    test('is told that all is in order, and a running session goes on', async () => {
      const name = await granted();
      const body = `
        const robot = await qiway.connect(argument, { worker: false });
        const diagnosis = await qiway.diagnose(argument);
        await robot.services();
        const { state, session } = robot.status;
        await robot.close();
        return { diagnosis, state, session };`;
      const { value } = await evaluate(name, body, url(ROBOT));
      const { diagnosis, ...status } = value as { readonly diagnosis: Diagnosis; readonly state: string };
      expect(status).toEqual({ state: 'online', session: 'new' });
      const states = new Map(diagnosis.steps.map((step) => [step.name, step.state]));
      expect(Object.fromEntries(states)).toEqual({
        ...{ URL: 'ok', page: 'ok', permission: 'ok', name: 'skipped', certificate: 'skipped', agent: 'ok' },
        ...{ WebSocket: 'ok', handshake: 'ok', token: 'ok', session: 'ok', bus: 'ok' },
        ...{ services: 'failed', 'round trip': 'ok' },
      });
    });

    test('is told of a plain address under a name: mixed content', async () => {
      const name = await granted();
      const { error } = await connectFrom(name, url('lan-robot.test'));
      expect(error).toMatchObject({ code: 'dial-failed', data: { why: 'mixed-content' } });
      expect(failed(await diagnoseFrom(name, url('lan-robot.test')))).toEqual(['page']);
    });

    test('reaches it although its certificate is not trusted: without TLS, sealed all the same', async () => {
      const name = await granted();
      const self = url(ROBOT, { port: SELF_SIGNED_PORT, robot: otherId, scheme: 'https' });
      const { value, error } = await connectFrom(name, self);
      expect(error).toBeUndefined();
      expect(value).toMatchObject({ state: 'online', address: `${ROBOT}:${SELF_SIGNED_PORT}`, isSealed: true });
      const diagnosis = await diagnoseFrom(name, self);
      expect(failed(diagnosis)).toEqual(['certificate', 'services']);
      expect(diagnosis.steps.find((step) => step.name === 'WebSocket')?.detail).toContain('without TLS');
    });

    test('is told that the certificate is probably the matter, and how to see it, of a robot that it does not know', async () => {
      const name = await granted();
      const self = url(ROBOT, { port: SELF_SIGNED_PORT, robot: otherId, scheme: 'https' }).replace(/&robot=.*/, '');
      const { error } = await connectFrom(name, self);
      expect(error).toMatchObject({ code: 'dial-failed', data: { why: 'certificate' } });
      expect(error?.message).toMatch(/probably .*certificate.*Open https:\/\/10\.7\.0\.1:8081\/ in a tab/);
      const diagnosis = await diagnoseFrom(name, self);
      expect(failed(diagnosis)).toEqual(['certificate', 'WebSocket']);
      expect(diagnosis.summary).toMatch(/^The step "certificate" failed: .* → open https/);
    });

    test('is told of an impostor and of a wrong token', async () => {
      const name = await granted();
      const impostor = url(ROBOT, { robot: otherId });
      expect((await connectFrom(name, impostor)).error?.code).toBe('robot-identity-mismatch');
      expect(failed(await diagnoseFrom(name, impostor))).toEqual(['handshake']);
      const wrong = url(ROBOT, { token: 'wrong' });
      expect((await connectFrom(name, wrong)).error?.code).toBe('unauthorized');
      expect(failed(await diagnoseFrom(name, wrong))).toEqual(['token']);
    });

    test('is told that its origin is probably not let in, and by which option it would be', async () => {
      const name = await granted();
      const strict = url(ROBOT, { port: STRICT_PORT, robot: strictId });
      const { error } = await connectFrom(name, strict);
      expect(error).toMatchObject({ code: 'dial-failed', data: { why: 'origin' } });
      expect(error?.message).toMatch(/probably .*--allow-origin https:\/\/page\.test/);
      expect((await diagnoseFrom(name, strict)).summary).toMatch(/^The step "agent" failed.*--allow-origin/);
    });

    test('is told when nothing listens, and when nothing answers at all, in bounded time', async () => {
      const name = await granted();
      const { error } = await connectFrom(name, url(ROBOT, { port: SILENT_PORT }));
      expect(error).toMatchObject({ code: 'dial-failed', data: { why: 'refused' } });
      expect(error?.message).toContain('probably nothing listens');
      network.hosts.browser.loseAddress('lan', NOBODY);
      expect((await connectFrom(name, url(NOBODY))).error).toMatchObject({
        code: 'dial-failed',
        data: { why: 'timeout' },
      });
      expect(failed(await diagnoseFrom(name, url(NOBODY)))).toEqual(['agent', 'WebSocket']);
    });
  });

  describe('of https from the internet, whose user did not allow the local network', () => {
    test.each(['denied', undefined] as const)('is told so, and how to change it (%s)', async (localNetwork) => {
      const name = await page(localNetwork === undefined ? {} : { localNetwork });
      const { error } = await connectFrom(name, url(ROBOT));
      expect(error).toMatchObject({ code: 'dial-failed', data: { why: 'permission-denied' } });
      expect(error?.message).toContain('Local network access');
      const diagnosis = await diagnoseFrom(name, url(ROBOT));
      expect(failed(diagnosis)).toEqual(['permission']);
      expect(diagnosis.summary).toContain('settings of this site');
    });

    test('is told so by the worker that all tabs share, and reaches it once the user allows it', async () => {
      const name = await page();
      const throughWorker = CONNECT.replace('worker: false, ', '');
      const { error } = await evaluate(name, throughWorker, url(ROBOT));
      expect(error).toMatchObject({ code: 'dial-failed', data: { why: 'permission-denied' } });
      expect(error?.message).toContain('Local network access');
      await browser.ask('allow', { name, localNetwork: 'granted' });
      const { value } = await evaluate(name, throughWorker, url(ROBOT));
      expect(value).toMatchObject({ state: 'online', owner: 'worker', address: `${ROBOT}:${PORT}` });
    });

    test('takes the next way that is known of the robot', async () => {
      const before = await page();
      expect((await connectFrom(before, url('robot.test', { scheme: 'https' }))).error).toBeUndefined();
      const after = await page({ like: before, localNetwork: 'denied' });
      const { value, error } = await connectFrom(after, url(ROBOT));
      expect(error).toBeUndefined();
      expect(value).toMatchObject({ state: 'online', address: `robot.test:${PORT}` });
    });
  });

  test('of plain http from the same network needs nobody’s leave', async () => {
    const name = await page({ origin: http.replace('page.test', 'lan-page.test') });
    for (const host of [ROBOT, 'lan-robot.test'])
      expect((await connectFrom(name, url(host))).value).toMatchObject({ state: 'online', isSealed: true });
  });

  test('of plain http from the internet is told that it must be https', async () => {
    const name = await page({ origin: http });
    const { error } = await connectFrom(name, url(ROBOT));
    expect(error).toMatchObject({ code: 'dial-failed', data: { why: 'permission-denied' } });
    expect(error?.message).toMatch(/probably .*not https/);
  });
});

// The handshake in a real Chromium, on its own cryptography and on noble's, with an agent's end in this process.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accept } from '@qiway/protocol/secure/accept';
import { idOf, isId } from '@qiway/protocol/secure/identity';
import type { Transport } from '@qiway/protocol/session/transport';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import type { Browser, BrowserContext, Page } from 'playwright';
import { rolldown } from 'rolldown';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../robot-agent/identity/node-crypto.ts';
import { checkout } from '../support/checkout-copy.ts';
import { launchChromium } from '../support/chromium.ts';
import { type HttpAgent, httpAgent } from '../support/http-agent.ts';

const robot = {
  identity: nodeCrypto.identity(nodeCrypto.random(32)),
  staticKey: nodeCrypto.agreementKey(nodeCrypto.random(32)),
};
/** Chromium takes every name but localhost for an insecure origin: no crypto.subtle there. */
const INSECURE_NAME = 'robot.test';
const PAGE = `
import { loadSecure } from '${join(checkout, 'sdk/crypto/load-secure.ts')}';
import { dialWebSocket } from '${join(checkout, 'protocol/transport/websocket.ts')}';
import { systemClock as clock } from '${join(checkout, 'protocol/transport/system-clock.ts')}';

globalThis.meet = async ({ id, size }) => {
  const url = 'ws://' + location.host + '/robot/link';
  const [secure, transport] = await Promise.all([
    loadSecure(),
    dialWebSocket({ url, protocol: 'qiway.2', timeoutMs: 10_000, clock, WebSocket }),
  ]);
  const hello = () => new TextEncoder().encode('hello');
  const met = await secure.initiate(transport, { robot: { id }, hello, wantsSeal: true, clock, timeoutMs: 10_000 });
  const echo = await new Promise((resolve, reject) => {
    met.transport.listen({ message: resolve, drain() {}, close: (reason) => reject(new Error(reason)) });
    met.transport.send(new Uint8Array(size / 2).fill(1), [new Uint8Array(size / 2).fill(2)]);
  });
  met.transport.close(1000, 'done');
  const isEcho = echo.length === size && echo[0] === 1 && echo[size - 1] === 2;
  return { clientId: secure.clientId, robotId: met.robot.id, isSealed: met.isSealed, isEcho };
};
`;

interface Meeting {
  readonly clientId: string;
  readonly robotId: string;
  readonly isSealed: boolean;
  readonly isEcho: boolean;
}

let folder: string;
let browser: Browser;
let agent: HttpAgent;
let context: BrowserContext;
let met: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'qiway-secure-page-'));
  const input = join(folder, 'page.ts');
  writeFileSync(input, PAGE);
  const bundle = await rolldown({
    cwd: checkout,
    input,
    platform: 'browser',
    resolve: { modules: [join(checkout, 'node_modules')] },
  });
  await bundle.write({ dir: folder, format: 'esm' });
  await bundle.close();
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><title>page</title><script type="module" src="page.js"></script>',
  );
  browser = await launchChromium([`--host-resolver-rules=MAP ${INSECURE_NAME} 127.0.0.1`]);
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  met = [];
  agent = await httpAgent({ web: folder, allowHosts: [INSECURE_NAME], onAccept: (transport) => void echo(transport) });
  context = await browser.newContext();
});
afterEach(async () => {
  await context.close();
  await agent.close();
});

/** The agent's end: says back what it hears. */
async function echo(below: Transport): Promise<void> {
  const options = { crypto: nodeCrypto, ...robot, mustSeal: true, clock: systemClock, timeoutMs: 10_000 };
  const { transport, clientId, hello } = await accept(below, options);
  met.push(`${clientId} says ${new TextDecoder().decode(hello)}`);
  transport.listen({ message: (bytes) => void transport.send(bytes), drain: () => {}, close: () => {} });
}

async function open(host: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`http://${host}:${agent.port}/`);
  await page.waitForFunction(() => 'meet' in globalThis);
  return page;
}

async function meet(page: Page, size = 2 ** 20): Promise<Meeting> {
  const id = await idOf(nodeCrypto, robot.identity.publicKey);
  const meeting = await page.evaluate(
    (request) => (globalThis as unknown as { meet(request: unknown): Promise<Meeting> }).meet(request),
    { id, size },
  );
  expect(meeting).toMatchObject({ robotId: id, isSealed: true, isEcho: true });
  expect(isId(meeting.clientId)).toBe(true);
  expect(met).toContain(`${meeting.clientId} says hello`);
  return meeting;
}

describe('a page of a secure origin', () => {
  test('meets the robot on WebCrypto, and is the same client after a reload and in another tab', async () => {
    const page = await open('127.0.0.1');
    expect(await page.evaluate(() => globalThis.isSecureContext)).toBe(true);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    const { clientId } = await meet(page);
    await page.reload();
    await page.waitForFunction(() => 'meet' in globalThis);
    expect((await meet(page)).clientId).toBe(clientId);
    expect((await meet(await open('127.0.0.1'))).clientId).toBe(clientId);
    expect(asked.some((url) => url.includes('web-crypto'))).toBe(true);
    expect(asked.filter((url) => /noble|node-crypto/.test(url))).toEqual([]);
  });

  test('opened in several tabs at once is one client', async () => {
    const tabs = await Promise.all([1, 2, 3].map(() => open('127.0.0.1')));
    const meetings = await Promise.all(tabs.map((tab) => meet(tab, 100)));
    expect(new Set(meetings.map(({ clientId }) => clientId)).size).toBe(1);
  });
});

test('a page of an insecure origin meets the robot on noble, as a client of its own', async () => {
  const page = await open(INSECURE_NAME);
  expect(await page.evaluate(() => [globalThis.isSecureContext, globalThis.crypto.subtle === undefined])).toEqual([
    false,
    true,
  ]);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  const { clientId } = await meet(page);
  expect((await meet(page, 100)).clientId).toBe(clientId);
  expect(asked.some((url) => url.includes('noble'))).toBe(true);
  expect(asked.filter((url) => /web-crypto|client-identity/.test(url))).toEqual([]);
});

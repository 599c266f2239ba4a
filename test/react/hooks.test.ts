// The hooks in a real React app in a real browser, against a real agent and a robot on its bus.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createObject, type HostedObject, property, signal } from '@qiway/protocol/objects/hosted-object';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { type Agent, createLogger, startAgent } from '@qiway/robot-agent';
import { type Bus, joinBus } from '@qiway/robot-agent/qi';
import type { Browser, Page } from 'playwright';
import { rolldown } from 'rolldown';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { agentConfig, TOKEN } from '../support/agent-config.ts';
import { checkout } from '../support/checkout-copy.ts';
import { launchChromium } from '../support/chromium.ts';
import { type CutGate, openCutGate } from '../support/cut-gate.ts';
import type { AppGlobals, Shown } from './app.tsx';

const PATIENCE = { timeout: 15_000 };
/** Subscriptions of each session: services that come, and that go. */
const DIRECTORY = 2;
/** The signal and the property, however many components listen. */
const MEMBERS = 2;

let code: string;
let site: string;
let browser: Browser;
let agent: Agent;
let bus: Bus;
let thing: HostedObject;
let leave: () => Promise<void>;
let gate: CutGate;
let page: Page;
let errors: string[];
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const bundle = await rolldown({
    cwd: checkout,
    input: join(checkout, 'test/react/app.tsx'),
    platform: 'browser',
    transform: { define: { 'process.env.NODE_ENV': '"development"' } },
  });
  // One file: the page is served nothing else.
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
  await bundle.close();
  code = output[0].code;
  browser = await launchChromium();
});
afterAll(() => browser?.close());

beforeEach(async () => {
  errors = [];
  const server = createServer((request, response) => {
    const isCode = request.url === '/app.js';
    response.setHeader('content-type', isCode ? 'text/javascript' : 'text/html');
    response.end(
      isCode ? code : '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/app.js"></script>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  agent = await startAgent(agentConfig({ allowOrigins: [site] }), {
    logger: createLogger(() => {}, 'error'),
    clock: systemClock,
  });
  closing.push(() => agent.close());
  bus = await joinBus(agent.busUrl);
  closing.push(() => bus.close());
  await joinThing();
  gate = await openCutGate(Number(new URL(agent.origin).port));
  closing.push(() => gate.close());
  page = await browser.newPage();
  closing.push(() => page.close());
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    // What the browser itself says of a socket that could not be opened.
    if (message.type() === 'error' && !/WebSocket|net::ERR/.test(message.text())) errors.push(message.text());
  });
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  expect(errors).toEqual([]);
});

/** The robot's service joins. */
async function joinThing(): Promise<void> {
  thing = createObject({ said: signal('(s)'), volume: property('i', 5) });
  const hosted = await bus.host('Thing', thing);
  leave = () => hosted.close();
}

async function open(token = TOKEN): Promise<void> {
  const url = new URL(agent.url);
  url.port = String(gate.port);
  const fragment = new URLSearchParams(url.hash.slice(1));
  fragment.set('token', token);
  url.hash = fragment.toString();
  await page.addInitScript((agentUrl) => {
    (globalThis as unknown as AppGlobals).agentUrl = agentUrl;
  }, url.href);
  await page.goto(site);
}

async function panels(): Promise<readonly Shown[]> {
  const texts = await page.locator('.panel').allTextContents();
  return texts.map((text) => JSON.parse(text) as Shown);
}

/** Waits until each panel shows this. */
async function shows(expected: Partial<Shown>): Promise<void> {
  await expect.poll(panels, PATIENCE).toEqual([expect.objectContaining(expected), expect.objectContaining(expected)]);
}

/** One of the agent's numbers. */
async function metric(name: string): Promise<number> {
  const response = await fetch(`${agent.origin}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
  const line = (await response.text()).split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.split(' ')[1]);
}

const show = (parts: Parameters<AppGlobals['show']>[0]): Promise<void> =>
  page.evaluate((given) => (globalThis as unknown as AppGlobals).show(given), parts);

test('components share one link, also in StrictMode; each event comes once', async () => {
  await open();
  await shows({ state: 'online', service: 'here', volume: 5, isStale: false, heard: [], latest: null });
  thing.emit('said', 'a');
  await shows({ latest: ['a'] });
  thing.emit('said', 'b');
  await shows({ heard: ['a', 'b'], latest: ['b'], missed: 0 });
  expect(await metric('qiway_sessions_total')).toBe(1);
  expect(await metric('qiway_session_subscriptions')).toBe(DIRECTORY + MEMBERS);
});

test('what a component listened to is given back when it goes, and the link when nobody uses it', async () => {
  await open();
  await shows({ volume: 5, isStale: false });
  await expect.poll(() => metric('qiway_session_subscriptions'), PATIENCE).toBe(DIRECTORY + MEMBERS);
  await show({ panels: 0 });
  await expect.poll(() => metric('qiway_session_subscriptions'), PATIENCE).toBe(DIRECTORY);
  expect(await metric('qiway_sessions')).toBe(1);
  await show({ hasHolder: false });
  await expect.poll(() => metric('qiway_sessions'), PATIENCE).toBe(0);
  await show({ panels: 2 });
  await shows({ state: 'online', volume: 5, isStale: false });
  expect(await metric('qiway_sessions_total')).toBe(2);
});

test('a property is set, and what is refused is told and not thrown', async () => {
  await open();
  await shows({ volume: 5 });
  const set = (value: unknown): Promise<string | undefined> =>
    page.evaluate((given) => (globalThis as unknown as AppGlobals).setVolume(given as number), value);
  expect(await set(7)).toBeUndefined();
  await shows({ volume: 7 });
  expect(thing.get('volume')).toBe(7);
  thing.set('volume', 9);
  await shows({ volume: 9 });
  expect(await set('loud')).toBe('invalid-argument');
  await shows({ volume: 9 });
});

test('a service that goes is gone, and is there again when it is back', async () => {
  await open();
  await shows({ service: 'here', volume: 5 });
  await leave();
  await shows({ service: 'service-gone', state: 'online', volume: null, isStale: true });
  await joinThing();
  await shows({ service: 'here', volume: 5, isStale: false });
  thing.emit('said', 'back');
  await shows({ latest: ['back'], heard: ['back'] });
});

test('while the link is cut a value is stale; then it is the newest again, and nothing was subscribed twice', async () => {
  await open();
  await shows({ service: 'here', volume: 5, isStale: false });
  gate.shut();
  gate.cut();
  await shows({ state: 'offline', volume: 5, isStale: true });
  thing.set('volume', 33);
  gate.open();
  await shows({ state: 'online', service: 'here', volume: 33, isStale: false });
  thing.emit('said', 'again');
  await shows({ heard: ['again'] });
  expect(await metric('qiway_sessions_total')).toBe(1);
  expect(await metric('qiway_session_subscriptions')).toBe(DIRECTORY + MEMBERS);
});

test('a robot that cannot be reached is an error that is shown, until it is tried again', async () => {
  gate.shut();
  await open();
  await shows({ state: null, error: 'dial-failed', service: null });
  gate.open();
  await page.evaluate(() => (globalThis as unknown as AppGlobals).retry());
  await shows({ state: 'online', error: null, service: 'here' });
});

test('a wrong token is told', async () => {
  await open('wrong');
  await shows({ error: 'unauthorized' });
});

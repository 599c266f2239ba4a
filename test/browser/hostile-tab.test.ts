// A page of the app's own origin that is broken, in a real Chromium: the SharedWorker, and other tabs through it, go on.
import type { Browser, BrowserContext, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type * as Sdk from '../../sdk/index.ts';
import { type BrowserFaults, watchFaults } from '../support/browser-faults.ts';
import { launchChromium } from '../support/chromium.ts';
import { type DoorAgent, openDoorAgent } from '../support/door-agent.ts';
import { openSdkPage, openSdkSite, type SdkSite } from '../support/sdk-page.ts';

interface PageGlobals {
  readonly qiway: typeof Sdk;
  robot: Sdk.Robot;
  /** The worker's port, spoken to by hand; gives what it answers. */
  ask(method: string, args: readonly unknown[], moved?: Transferable[]): Promise<unknown>;
  say(message: unknown): void;
}

const MEBIBYTE = 1_048_576;

let browser: Browser;
let faults: BrowserFaults;
let site: SdkSite;
let agent: DoorAgent;
let context: BrowserContext;
let good: Page;
let broken: Page;

beforeAll(async () => {
  [browser, site] = await Promise.all([launchChromium(), openSdkSite()]);
  faults = await watchFaults(browser);
  agent = await openDoorAgent({ origins: [site.origin] });
});
afterAll(async () => {
  await browser?.close();
  await agent?.close();
  await site?.close();
});
beforeEach(async () => {
  context = await browser.newContext();
  good = await openTab();
  await good.evaluate(async (url) => {
    const page = globalThis as unknown as PageGlobals;
    page.robot = await page.qiway.connect(url);
  }, agent.agent.url);
  broken = await openTab();
  await broken.evaluate(() => {
    const { port } = new SharedWorker('/worker.js', {
      type: 'module',
      name: 'qiway',
      extendedLifetime: true,
    } as WorkerOptions);
    const waiting = new Map<string, (answer: unknown) => void>();
    port.onmessage = ({ data }) => waiting.get(data.id)?.(data.value);
    let count = 0;
    Object.assign(globalThis, {
      say: (message: unknown) => port.postMessage(message),
      ask: (method: string, args: readonly unknown[], moved: Transferable[] = []) => {
        count += 1;
        const id = String(count);
        port.postMessage(
          { id, type: 'APPLY', path: [method], argumentList: args.map((value) => ({ type: 'RAW', value })) },
          moved,
        );
        return new Promise((resolve) => waiting.set(id, resolve));
      },
    });
  });
});
afterEach(async () => {
  await context.close();
});

const openTab = (): Promise<Page> => openSdkPage(context, site);

/** The other tab calls and listens, over the same session. */
async function goesOn(): Promise<void> {
  const sum = await good.evaluate(async () => {
    const { robot } = globalThis as unknown as PageGlobals;
    return (await robot.service('Tester'))['add']?.(1, 2);
  });
  expect(sum).toBe(3);
  await faults.told();
  expect(faults.faults).toEqual([]);
}

/** The broken tab has the owner open the robot; by hand. */
async function openByHand(): Promise<void> {
  await broken.evaluate(async (url) => {
    const { ask } = globalThis as unknown as PageGlobals;
    const { origin, hash } = new URL(url);
    const link = `${origin.replace('http', 'ws')}/robot/link`;
    const token = new URLSearchParams(hash.slice(1)).get('token');
    const robot = new URLSearchParams(hash.slice(1)).get('robot');
    const { port1, port2 } = new MessageChannel();
    await ask('hello', [{ protocol: 1 }]);
    const request = { agent: { shown: origin, link, token, ...(robot && { robot }) }, token, timeoutMs: 5000 };
    const outcome = (await ask('open', [request, port2], [port2])) as { value?: { key: string } };
    Object.assign(globalThis, { key: outcome.value?.key, news: port1 });
  }, agent.agent.url);
  expect(await broken.evaluate(() => (globalThis as unknown as { key?: string }).key)).toBe('1');
}

const GARBAGE = [
  null,
  0,
  'x',
  [],
  {},
  { id: 1 },
  { id: 'x', type: 'APPLY' },
  { kind: 'request' },
  { kind: 'data' },
  { kind: 'data', bytes: 7 },
  { kind: 'more' },
  { kind: 'more', bytes: 'x' },
  { kind: 'take' },
  { kind: 'offer', way: null },
  { kind: 'opened', id: 1 },
  { kind: 'notOpened', id: 1 },
  { id: 'x', type: 'APPLY', path: ['enqueue'], argumentList: 7 },
  { id: 'x', type: 'SET', path: ['__proto__', 'x'], value: { type: 'RAW', value: 1 } },
];

test('nonsense on the port of the worker', async () => {
  await broken.evaluate((garbage) => {
    const { say } = globalThis as unknown as PageGlobals;
    for (const each of garbage) say(each);
    const raw = (value: unknown): unknown => ({ type: 'RAW', value });
    for (const path of ['open', 'attach', 'queue', 'lead', 'answer', 'hello', 'probe', 'close', 'none'])
      for (const argumentList of [
        undefined,
        7,
        [7],
        [null],
        [{ type: 'HANDLER', name: 'none', value: 1 }],
        [raw(null), raw(1)],
      ])
        say({ id: 'x', type: 'APPLY', path: [path], argumentList });
    say({ id: 'x', type: 'SET', path: ['__proto__', 'leave'], argumentList: [], value: raw(1) });
    say({ id: 'x', type: 'SET', path: ['__proto__', 'open'], value: raw(1) });
    say({ id: 'x', type: 'CONSTRUCT', path: ['constructor'], argumentList: [] });
    say({ id: 'x', type: 'APPLY', path: 'open', argumentList: [] });
  }, GARBAGE);
  await openByHand();
  await goesOn();
});

test('nonsense on every port that the worker takes over', async () => {
  await openByHand();
  await broken.evaluate((garbage) => {
    const { ask, key } = globalThis as unknown as PageGlobals & { key: string };
    const hostile = (): MessagePort => {
      const { port1, port2 } = new MessageChannel();
      for (const each of garbage) port1.postMessage(each);
      for (const size of [0, 1, 21, 64]) port1.postMessage(new ArrayBuffer(size));
      port1.postMessage({ kind: 'request', method: 'POST' });
      for (const each of garbage) port1.postMessage(each);
      return port2;
    };
    for (const method of ['attach', 'lead']) {
      const port = hostile();
      void ask(method, [key, port], [port]);
    }
    const [asks, news, request] = [hostile(), hostile(), hostile()];
    void ask('queue', [key, { asks, news }], [asks, news]);
    void ask('answer', [request], [request]);
    void ask('queue', [key, undefined]);
    void ask('queue', ['none', { asks: 1 }]);
    void ask('answer', [undefined]);
    void ask('open', [{ agent: {} }, { postMessage: 1 }]);
    const lost = hostile();
    void ask('attach', ['none', lost], [lost]);
  }, GARBAGE);
  await goesOn();
  await broken.close();
  await goesOn();
});

test('a thousand robots are refused with a word, and memory is bounded', async () => {
  const codes = await broken.evaluate(async () => {
    const { ask } = globalThis as unknown as PageGlobals;
    const asked = Array.from({ length: 1000 }, async (_, index) => {
      const { port2 } = new MessageChannel();
      const link = `ws://127.0.0.1:9/${index}/robot/link`;
      const agent = { shown: link, link, token: 't' };
      const outcome = await ask('open', [{ agent, token: 't', timeoutMs: 100 }, port2], [port2]);
      return (outcome as { error?: { code: string } }).error?.code;
    });
    return Promise.all(asked);
  });
  // The good tab has one robot; the others of 64 are looked for, and there is none.
  const refused = codes.filter((code) => code === 'limit-exceeded').length;
  expect(new Set(codes)).toEqual(new Set(['limit-exceeded', 'dial-failed']));
  expect(refused).toBeGreaterThan(500);
  expect(refused).toBeLessThanOrEqual(1000 - 63);
  await goesOn();
  expect(await faults.workerBytes()).toBeLessThan(48 * MEBIBYTE);
});

test('ten thousand subscriptions and as many calls at once of one tab', async () => {
  await broken.evaluate(async (url) => {
    const { qiway } = globalThis as unknown as PageGlobals;
    const robot = await qiway.connect(url);
    const tester = await robot.service('Tester');
    await Promise.all(
      Array.from({ length: 10_000 }, async () => tester['wordSaid']?.connect(() => {})?.catch?.(() => {})),
    );
    await Promise.allSettled(Array.from({ length: 10_000 }, () => tester['add']?.(1, 2)));
  }, agent.agent.url);
  await goesOn();
  await broken.close();
  await goesOn();
  expect(await faults.workerBytes()).toBeLessThan(48 * MEBIBYTE);
});

// The leader tab in a real Chromium: three pages, one of them leads; the session of the SharedWorker goes over what that one lends,
// and goes on when it is closed, crashes, or is put into the back/forward cache. On a secure origin, and on one without locks.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { type Agent, createLogger, startAgent } from '@qiway/robot-agent';
import { type Bus, joinBus } from '@qiway/robot-agent/qi';
import type { Browser, BrowserContext, Page } from 'playwright';
import { rolldown } from 'rolldown';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAgentUrl } from '../../sdk/dial/agent-url.ts';
import type { LeaderPage } from '../leader/leader-page.ts';
import type { LinkFacts } from '../leader/leader-worker.ts';
import { type LinkRelay, openLinkRelay } from '../leader/link-relay.ts';
import { agentConfig } from '../support/agent-config.ts';
import { checkout } from '../support/checkout-copy.ts';
import { launchChromium } from '../support/chromium.ts';

/** Chromium takes every name but localhost for an insecure origin: no Web Locks there. */
const INSECURE_NAME = 'robot.test';

let folder: string;
let browser: Browser;
let agent: Agent;
let bus: Bus;
let relay: LinkRelay;
let context: BrowserContext;
let origin: string;
/** What `add` was called with, in the order in which it ran. */
let ran: number[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'qiway-leader-'));
  const bundle = await rolldown({
    cwd: checkout,
    input: {
      page: join(checkout, 'test/leader/leader-page.ts'),
      worker: join(checkout, 'test/leader/leader-worker.ts'),
    },
    platform: 'browser',
  });
  await bundle.write({ dir: folder, format: 'esm', entryFileNames: '[name].js' });
  await bundle.close();
  const html = '<!doctype html><title>page</title><link rel="icon" href="data:,">';
  writeFileSync(join(folder, 'index.html'), `${html}<script type="module" src="page.js"></script>`);
  writeFileSync(join(folder, 'elsewhere.html'), html);
  browser = await launchChromium(
    // A page that crashes takes others of its process with it.
    [`--host-resolver-rules=MAP ${INSECURE_NAME} 127.0.0.1`, '--disable-features=ProcessPerSiteUpToMainFrameThreshold'],
  );
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  ran = [];
  agent = await startAgent(agentConfig({ web: folder, allowHosts: [INSECURE_NAME] }), {
    logger: createLogger(() => {}, 'error'),
    clock: systemClock,
  });
  bus = await joinBus(agent.busUrl);
  const thing = createObject({
    add: method('(i)', 'i', (value: number) => {
      ran.push(value);
      return ran.length;
    }),
  });
  await bus.host('Thing', thing);
  relay = await openLinkRelay(parseAgentUrl(agent.url).link);
  context = await browser.newContext();
});
afterEach(async () => {
  await context.close();
  await relay.close();
  await bus.close();
  await agent.close();
});

type Asked<K extends keyof LeaderPage> = LeaderPage[K] extends (...args: never[]) => infer R
  ? Awaited<R>
  : LeaderPage[K];

function ask<K extends 'add' | 'facts' | 'isLeading' | 'returns'>(
  page: Page,
  what: K,
  ...args: number[]
): Promise<Asked<K>> {
  return page.evaluate(
    ([name, given]) =>
      (globalThis as unknown as { page: Record<string, (...all: unknown[]) => never> }).page[name]?.(...given) as never,
    [what, args] as const,
  );
}

/** Whatever has to come to be, on a machine that is busy. */
const soon = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 20_000 });
const isLeading = (page: Page): Promise<boolean> => ask(page, 'isLeading');
const facts = (page: Page): Promise<LinkFacts> => ask(page, 'facts');

async function openPage(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${origin}/`);
  await page.waitForFunction(() => document.title === 'ready');
  const parsed = parseAgentUrl(agent.url);
  await page.evaluate((given) => (globalThis as unknown as { page: LeaderPage }).page.begin(given), {
    ...parsed,
    link: `ws://127.0.0.1:${relay.port}/robot/link`,
  });
  return page;
}

/** Calls one after the other, until `stop`; each is made again while there is no link, which is told before anything is sent. */
function keepCalling(page: Page): { stop(): Promise<number[]> } {
  let isOn = true;
  const answers: number[] = [];
  const calling = (async () => {
    for (let next = 1; isOn; ) {
      const answer = await ask(page, 'add', next).catch((error: unknown) => {
        if (String(error).includes('[offline]')) return undefined;
        throw error;
      });
      if (answer === undefined) continue;
      answers.push(answer as number);
      next += 1;
    }
    return answers;
  })();
  calling.catch(() => {});
  return {
    stop: () => {
      isOn = false;
      return calling;
    },
  };
}

const counted = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe.each([
  ['a secure origin: by Web Lock', '127.0.0.1', true],
  ['an insecure origin: by the owner', INSECURE_NAME, false],
] as const)('the leader tab on %s', (_title, host, hasLocks) => {
  beforeEach(() => {
    origin = `http://${host}:${new URL(agent.url).port}`;
  });

  it('is one of three; the calls of all go over it, sealed for the owner', async () => {
    const pages = [await openPage(), await openPage(), await openPage()];
    expect(await Promise.all(pages.map((page) => page.evaluate(() => 'locks' in navigator)))).toEqual(
      pages.map(() => hasLocks),
    );
    expect(await Promise.all(pages.map(isLeading))).toEqual([true, false, false]);
    for (const page of pages) await ask(page, 'add', 1);
    expect(ran).toEqual([1, 1, 1]);
    expect(await facts(pages[2] as Page)).toMatchObject({ address: 'tab:stand-in', route: 'webrtc', isSealed: true });
  });

  it('is closed, and the next leads: the same session goes on, each call runs once', async () => {
    const [first, second, third] = [await openPage(), await openPage(), await openPage()];
    const { sessionId } = await facts(third);
    const calls = keepCalling(third);
    await soon(() => ran.length).toBeGreaterThan(20);
    await first.close();
    await soon(() => isLeading(second)).toBe(true);
    const before = ran.length;
    await soon(() => ran.length).toBeGreaterThan(before + 20);
    await second.close();
    await soon(() => isLeading(third)).toBe(true);
    const again = ran.length;
    await soon(() => ran.length).toBeGreaterThan(again + 20);
    const answers = await calls.stop();
    expect(ran).toEqual(counted(ran.length));
    expect(answers).toEqual(counted(ran.length));
    expect(await facts(third)).toMatchObject({ sessionId, hasResumed: true });
  });

  it('crashes, and the next leads: the session goes on', async () => {
    // The first page may share its process with the SharedWorker.
    const [first, second, third] = [await openPage(), await openPage(), await openPage()];
    await first.close();
    await soon(() => isLeading(second)).toBe(true);
    const { sessionId } = await facts(third);
    const calls = keepCalling(third);
    await soon(() => ran.length).toBeGreaterThan(20);
    await second.goto('chrome://crash').catch(() => {});
    // Without locks the owner has to find out: it asks the leader five times.
    await soon(() => isLeading(third)).toBe(true);
    const before = ran.length;
    await soon(() => ran.length).toBeGreaterThan(before + 20);
    const answers = await calls.stop();
    expect(ran).toEqual(counted(ran.length));
    expect(answers).toEqual(counted(ran.length));
    expect((await facts(third)).sessionId).toBe(sessionId);
  });

  it('goes into the back/forward cache and hands over; back from it, it leads again in its turn', async () => {
    const [first, second] = [await openPage(), await openPage()];
    expect(await Promise.all([first, second].map(isLeading))).toEqual([true, false]);
    const { sessionId } = await facts(second);
    await first.goto(`${origin}/elsewhere.html`);
    await soon(() => isLeading(second)).toBe(true);
    await soon(() => ask(second, 'add', 1).catch(() => undefined)).toBe(1);
    // Told by `pageshow`: there is no `load` of what was never left.
    await first.goBack({ waitUntil: 'commit' });
    await first.waitForFunction(() => document.title === 'ready');
    // `event.persisted`: it is the page that it was.
    expect(await ask(first, 'returns')).toBe(1);
    expect(await Promise.all([first, second].map(isLeading))).toEqual([false, true]);
    await second.close();
    await soon(() => isLeading(first)).toBe(true);
    await soon(() => ask(first, 'add', 2).catch(() => undefined)).toBe(2);
    expect(ran).toEqual([1, 2]);
    expect((await facts(first)).sessionId).toBe(sessionId);
  });
});

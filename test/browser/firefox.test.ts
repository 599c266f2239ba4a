// What Firefox does with the SDK: one link for all tabs, pages that go and come back, the gateway, the queue, insecure origins,
// the console; and what it cannot do, as docs/browser.md has it.
import type * as Sdk from '@qiway/sdk';
import type { RemoteObject, Robot, Status } from '@qiway/sdk';
import type { BrowserContext, Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Firefox, launchFirefox, whyNoFirefox } from '../support/firefox.ts';
import { openSdkSite, type SdkSite } from '../support/sdk-page.ts';
import { openVoiceRobot, type VoiceRobot } from '../support/voice-robot.ts';

/** What the page has. */
interface PageGlobals {
  readonly qiway: typeof Sdk;
  robot: Robot;
  voice: RemoteObject;
  heard: unknown[];
}

/** On a busy machine. */
const PATIENCE = { timeout: 20_000 };

/** Who is known to be gone only because he answers no pings keeps what is his for 15 s. */
const PROMPT = { timeout: 5_000, interval: 5 };

/** Leads to this machine, and is no name that browsers trust. */
const NAME = 'robot.test';

const reason = whyNoFirefox();
if (reason !== undefined) process.stderr.write(`The tests with Firefox are skipped: ${reason}\n`);

const say = (page: Page, text: string): Promise<unknown> =>
  page.evaluate(async (text) => (globalThis as unknown as PageGlobals).voice['say']?.(text), text);
const listen = (page: Page): Promise<unknown> =>
  page.evaluate(async () => {
    const { voice, heard } = globalThis as unknown as PageGlobals;
    await voice['said']?.connect((text) => void heard.push(text));
  });
const heardBy = (page: Page): Promise<unknown[]> => page.evaluate(() => (globalThis as unknown as PageGlobals).heard);
const statusOf = (page: Page): Promise<Status> =>
  page.evaluate(() => (globalThis as unknown as PageGlobals).robot.status);
const isState = (page: Page, state: Status['state']): Promise<unknown> =>
  expect.poll(async () => (await statusOf(page)).state, PATIENCE).toBe(state);
const namesOf = (page: Page): Promise<string[]> =>
  page.evaluate(async () => {
    const services = await (globalThis as unknown as PageGlobals).robot.services();
    return services.map(({ name }) => name);
  });
const hostTablet = (page: Page): Promise<unknown> =>
  page.evaluate(async () => {
    await (globalThis as unknown as PageGlobals).robot.host('Tablet', { show: () => 'shown' });
  });
const callTablet = (page: Page): Promise<unknown> =>
  page.evaluate(async () => {
    const { robot } = globalThis as unknown as PageGlobals;
    return (await robot.service('Tablet'))['show']?.();
  });

async function isReady(page: Page): Promise<void> {
  await page.waitForFunction(() => document.title === 'ready');
}

async function connectIn(page: Page, url: string): Promise<void> {
  await page.evaluate(async (agentUrl) => {
    const page = globalThis as unknown as PageGlobals;
    page.heard = [];
    page.robot = await page.qiway.connect(agentUrl);
    page.voice = await page.robot.service('Voice');
  }, url);
}

describe.skipIf(reason !== undefined)('Firefox', () => {
  let firefox: Firefox;
  let site: SdkSite;
  let context: BrowserContext;
  let robot: VoiceRobot;

  beforeAll(async () => {
    firefox = await launchFirefox({ 'network.dns.localDomains': NAME });
    site = await openSdkSite();
  });
  afterAll(async () => {
    await firefox?.close();
    await site?.close();
  });
  beforeEach(async () => {
    context = await firefox.browser.createBrowserContext();
    robot = await openVoiceRobot({ origins: [site.origin, insecure(site.origin)], name: NAME });
  });
  afterEach(async () => {
    await context?.close();
    await robot?.close();
  });

  async function openPage(url = site.url): Promise<Page> {
    const page = await context.newPage();
    await page.goto(url);
    await isReady(page);
    return page;
  }
  async function openTab(): Promise<Page> {
    const page = await openPage();
    await connectIn(page, robot.url);
    return page;
  }
  const links = (): Promise<number> => robot.metric('qiway_links_total');

  test('tabs share one link, and each calls and hears for itself', async () => {
    const tabs = [await openTab(), await openTab(), await openTab()];
    for (const [index, tab] of tabs.entries()) {
      expect((await statusOf(tab)).owner).toBe('worker');
      expect(await say(tab, String(index))).toBe(`said ${index}`);
      await listen(tab);
    }
    expect(await links()).toBe(1);
    // One registration for all three, beside the directory's two.
    expect(await robot.metric('qiway_session_subscriptions')).toBe(3);
    robot.emit('all');
    for (const tab of tabs) await expect.poll(() => heardBy(tab), PATIENCE).toEqual(['all']);
  });

  test('what was of a tab goes with it when it is closed, and nothing of others', async () => {
    const [first, second] = [await openTab(), await openTab()];
    for (const tab of [first, second]) await listen(tab);
    await hostTablet(first);
    await first.evaluate(() => {
      (globalThis as unknown as PageGlobals).voice['wait']?.().catch(() => {});
    });
    await expect.poll(() => robot.ran, PATIENCE).toEqual(['waits']);
    expect(await callTablet(second)).toBe('shown');
    const closedMs = performance.now();
    await first.close();
    await expect.poll(() => robot.ran, PROMPT).toEqual(['waits', 'stopped']);
    await expect.poll(() => namesOf(second), PROMPT).not.toContain('Tablet');
    expect(performance.now() - closedMs).toBeLessThan(2_000);
    robot.emit('after');
    await expect.poll(() => heardBy(second), PATIENCE).toEqual(['after']);
    expect(await links()).toBe(1);
  });

  test('a page that is loaded again goes on in the session of the other tabs; alone it may get a new one', async () => {
    const [tab, other] = [await openTab(), await openTab()];
    await tab.reload();
    await isReady(tab);
    await connectIn(tab, robot.url);
    expect(await links()).toBe(1);
    await other.close();
    await tab.reload();
    await isReady(tab);
    await connectIn(tab, robot.url);
    await listen(tab);
    robot.emit('after');
    await expect.poll(() => heardBy(tab), PATIENCE).toEqual(['after']);
    // Firefox ends a SharedWorker with its last page: it knows no `extendedLifetime`.
    expect(await links()).toBeLessThanOrEqual(2);
  });

  test('a page in the back/forward cache holds nothing, and goes on when it is back', async () => {
    // Firefox keeps no page that has a Web Lock, or whose SharedWorker has one: only insecure origins see this.
    const [tab, other] = [await openPage(insecure(site.url)), await openPage(insecure(site.url))];
    for (const page of [tab, other]) await connectIn(page, insecure(robot.url));
    await listen(tab);
    await hostTablet(tab);
    await expect.poll(() => callTablet(other), PATIENCE).toBe('shown');
    expect(await goAndComeBack(tab, other)).toBe(true);
    await isState(tab, 'online');
    await expect.poll(() => namesOf(other), PATIENCE).toContain('Tablet');
    expect(await callTablet(other)).toBe('shown');
    robot.emit('after');
    await expect.poll(() => heardBy(tab), PATIENCE).toEqual(['after']);
    expect(await links()).toBe(1);
  });

  test('a page of a secure origin is loaded again when it comes back, since it had a Web Lock', async () => {
    const [tab, other] = [await openTab(), await openTab()];
    await hostTablet(tab);
    await expect.poll(() => callTablet(other), PATIENCE).toBe('shown');
    expect(await goAndComeBack(tab, other)).toBe(false);
    await isReady(tab);
    await connectIn(tab, robot.url);
    expect(await say(tab, 'again')).toBe('said again');
    expect(await links()).toBe(1);
  });

  test('the failsafe of a tab that hangs is made; of one that goes on it is not', async () => {
    const tab = await openTab();
    await tab.evaluate(async () => {
      await (globalThis as unknown as PageGlobals).robot.failsafe({ afterMs: 500, calls: ['Voice.stop'] });
    });
    for (let call = 0; call < 30; call += 1) await say(tab, 'alive');
    expect(robot.ran).not.toContain('stop');
    const hung = tab.evaluate(() => {
      const untilMs = performance.now() + 2_500;
      while (performance.now() < untilMs);
    });
    await expect.poll(() => robot.ran.at(-1), { timeout: 2_400, interval: 10 }).toBe('stop');
    await hung;
    await expect.poll(async () => (await statusOf(tab)).failsafe?.state, PATIENCE).toBe('armed');
  });

  test('a page may own its link itself; it has a service worker, and no Background Sync', async () => {
    const page = await openPage();
    const outcome = await page.evaluate(async (agentUrl) => {
      const robot = await (globalThis as unknown as PageGlobals).qiway.connect(agentUrl, { worker: false });
      const said = await (await robot.service('Voice'))['say']?.('alone');
      const { owner } = robot.status;
      await robot.close();
      return [owner, said];
    }, robot.url);
    expect(outcome).toEqual(['page', 'said alone']);
    expect(await page.evaluate(() => ['serviceWorker' in navigator, 'SyncManager' in globalThis])).toEqual([
      true,
      false,
    ]);
  });

  test('the agent ends and comes back: calls that wait outlive a reload, and are made once', async () => {
    const page = await openTab();
    await robot.endAgent();
    await isState(page, 'offline');
    await page.evaluate(() => {
      const { voice, qiway } = globalThis as unknown as PageGlobals;
      for (const text of ['one', 'two'])
        voice['say']
          ?.with({ offline: qiway.queue({ ttlMs: 600_000 }) })(text)
          .catch(() => {});
    });
    await page.waitForFunction(() => (globalThis as unknown as PageGlobals).robot.queue.length === 2);
    await page.reload();
    await isReady(page);
    expect(robot.ran).toEqual([]);
    await robot.startAgent();
    await connectIn(page, robot.url);
    await expect.poll(() => robot.ran, PATIENCE).toEqual(['one', 'two']);
    await page.waitForFunction(() => (globalThis as unknown as PageGlobals).robot.queue.length === 0);
  });

  test('at an insecure origin links are sealed without the cryptography of the browser', async () => {
    const page = await openPage(insecure(site.url));
    const has = await page.evaluate(() => [
      globalThis.isSecureContext,
      'serviceWorker' in navigator,
      'locks' in navigator,
      globalThis.crypto.subtle !== undefined,
      typeof SharedWorker,
    ]);
    expect(has).toEqual([false, false, false, false, 'function']);
    await connectIn(page, insecure(robot.url));
    expect(await say(page, 'sealed')).toBe('said sealed');
    expect((await statusOf(page)).owner).toBe('worker');
    expect(await robot.metric('qiway_links_total{sealed="yes"}')).toBe(1);
    const other = await openPage(insecure(site.url));
    await connectIn(other, insecure(robot.url));
    await hostTablet(page);
    await expect.poll(() => callTablet(other), PATIENCE).toBe('shown');
    await page.close();
    await expect.poll(() => namesOf(other), PROMPT).not.toContain('Tablet');
    expect(await links()).toBe(1);
  });

  /** Whether the page that comes back is the one that went; meanwhile it must hold nothing. */
  async function goAndComeBack(tab: Page, other: Page): Promise<boolean> {
    const here = tab.url();
    await tab.evaluate(() => {
      addEventListener('pageshow', ({ persisted }) => Object.assign(globalThis, { persisted }));
    });
    await tab.goto(`${here}elsewhere.html?blank`);
    await expect.poll(() => namesOf(other), PROMPT).not.toContain('Tablet');
    await tab.evaluate(() => history.back());
    const shown = (): Promise<boolean> =>
      tab.evaluate((url) => location.href === url && document.readyState === 'complete', here).catch(() => false);
    await expect.poll(shown, PATIENCE).toBe(true);
    return tab.evaluate(() => (globalThis as unknown as { persisted?: boolean }).persisted === true);
  }

  function insecure(url: string): string {
    return url.replace('127.0.0.1', NAME);
  }
});

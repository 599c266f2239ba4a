// One link for all tabs of an origin: a SharedWorker owns it, tabs attach to it, and what was a tab's goes with the tab.
import type * as Sdk from '@qiway/sdk';
import type { Robot, Status } from '@qiway/sdk';
import type { Browser, BrowserContext, Page } from 'playwright';
import { describe, expect, test } from 'vitest';
import { withPagesAndRobot } from '../support/pages-and-robot.ts';
import { isReady, type SdkSite } from '../support/sdk-page.ts';
import type { VoiceRobot } from '../support/voice-robot.ts';

/** What the page has. */
interface PageGlobals {
  readonly qiway: typeof Sdk;
  robot: Robot;
  heard: unknown[];
  outcome: string;
}

/** On a busy machine. */
const PATIENCE = { timeout: 20_000 };

let browser: Browser;
let site: SdkSite;
let context: BrowserContext;
let robot: VoiceRobot;

withPagesAndRobot((made) => {
  ({ browser, site, context, robot } = made);
});

async function openTab(): Promise<Page> {
  const page = await context.newPage();
  await load(page);
  return page;
}

async function load(page: Page): Promise<void> {
  await page.goto(site.url);
  await isReady(page);
  await page.evaluate(async (agentUrl) => {
    const page = globalThis as unknown as PageGlobals;
    page.heard = [];
    page.robot = await page.qiway.connect(agentUrl);
  }, robot.url);
}

const say = (page: Page, text: string): Promise<unknown> =>
  page.evaluate(async (text) => {
    const { robot } = globalThis as unknown as PageGlobals;
    return (await robot.service('Voice'))['say']?.(text);
  }, text);
const listen = (page: Page): Promise<unknown> =>
  page.evaluate(async () => {
    const { robot, heard } = globalThis as unknown as PageGlobals;
    await (await robot.service('Voice'))['said']?.connect((text) => void heard.push(text));
  });
const heardBy = (page: Page): Promise<unknown[]> => page.evaluate(() => (globalThis as unknown as PageGlobals).heard);
const statusOf = (page: Page): Promise<Status> =>
  page.evaluate(() => (globalThis as unknown as PageGlobals).robot.status);
const isOnline = (page: Page): Promise<unknown> =>
  expect.poll(async () => (await statusOf(page)).state, PATIENCE).toBe('online');
const namesOf = (page: Page): Promise<string[]> =>
  page.evaluate(async () => {
    const services = await (globalThis as unknown as PageGlobals).robot.services();
    return services.map(({ name }) => name);
  });
const callTablet = (page: Page): Promise<unknown> =>
  page.evaluate(async () => {
    const { robot } = globalThis as unknown as PageGlobals;
    return (await robot.service('Tablet'))['show']?.();
  });
/** As a renderer that runs out of memory. */
async function crash(page: Page): Promise<void> {
  const cdp = await context.newCDPSession(page);
  cdp.send('Page.crash').catch(() => {}); // nobody is left to answer
  await page.waitForEvent('crash');
}
async function endWorker(): Promise<void> {
  const cdp = await browser.newBrowserCDPSession();
  const { targetInfos } = await cdp.send('Target.getTargets');
  const worker = targetInfos.find(({ type, url }) => type === 'shared_worker' && url.startsWith(site.origin));
  if (worker === undefined) throw new Error('there is no SharedWorker');
  await cdp.send('Target.closeTarget', { targetId: worker.targetId });
  await cdp.detach();
}
const links = (): Promise<number> => robot.metric('qiway_links_total');

describe('tabs of an origin', () => {
  test('share one link, and each calls and hears for itself', async () => {
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
    await first.evaluate(async () => {
      const { robot } = globalThis as unknown as PageGlobals;
      await robot.host('Tablet', { show: () => 'shown' });
      (await robot.service('Voice'))['wait']?.().catch(() => {});
    });
    await expect.poll(() => robot.ran, PATIENCE).toEqual(['waits']);
    expect(await callTablet(second)).toBe('shown');
    const closedMs = performance.now();
    await first.close();
    await expect.poll(() => robot.ran, { timeout: 5_000, interval: 5 }).toEqual(['waits', 'stopped']);
    await expect.poll(() => namesOf(second), { timeout: 5_000, interval: 5 }).not.toContain('Tablet');
    expect(performance.now() - closedMs).toBeLessThan(1_000);
    robot.emit('after');
    await expect.poll(() => heardBy(second), PATIENCE).toEqual(['after']);
    expect(await links()).toBe(1);
  });

  test('a tab that crashes is let go of within a second, and its failsafe is made', async () => {
    // The browser runs the worker in the process of the tab that started it.
    const [other, driver] = [await openTab(), await openTab()];
    await driver.evaluate(async () => {
      const { robot } = globalThis as unknown as PageGlobals;
      await robot.host('Tablet', { show: () => 'shown' });
      await robot.failsafe({ afterMs: 10_000, calls: ['Voice.stop'] });
    });
    await listen(other);
    expect(await namesOf(other)).toContain('Tablet');
    const crashedMs = performance.now();
    await crash(driver);
    await expect.poll(() => robot.ran, { timeout: 5_000, interval: 5 }).toEqual(['stop']);
    await expect.poll(() => namesOf(other), { timeout: 5_000, interval: 5 }).not.toContain('Tablet');
    expect(performance.now() - crashedMs).toBeLessThan(1_000);
    robot.emit('after');
    await expect.poll(() => heardBy(other), PATIENCE).toEqual(['after']);
    expect(robot.ran).toEqual(['stop']);
  });

  test('the failsafe of a tab that hangs is made, although the link is alive; of one that goes on it is not', async () => {
    const [driver, other] = [await openTab(), await openTab()];
    await driver.evaluate(async () => {
      await (globalThis as unknown as PageGlobals).robot.failsafe({ afterMs: 500, calls: ['Voice.stop'] });
    });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(robot.ran).toEqual([]);
    const hung = driver.evaluate(() => {
      const untilMs = performance.now() + 2_500;
      while (performance.now() < untilMs);
    });
    await expect.poll(() => robot.ran, { timeout: 2_400, interval: 10 }).toEqual(['stop']);
    expect(await say(other, 'goes on')).toBe('said goes on');
    await hung;
    await expect.poll(async () => (await statusOf(driver)).failsafe?.state, PATIENCE).toBe('armed');
  });

  test('the worker ends: tabs start it again and go on, with their subscriptions and services', async () => {
    const tabs = [await openTab(), await openTab()];
    for (const tab of tabs) await listen(tab);
    await tabs[0]?.evaluate(async () => {
      const { robot } = globalThis as unknown as PageGlobals;
      await robot.host('Tablet', { show: () => 'shown' });
    });
    const underWay = tabs[1]?.evaluate(async () => {
      const { robot } = globalThis as unknown as PageGlobals;
      const voice = await robot.service('Voice');
      return voice['wait']?.().catch((error: { code: string; maybeExecuted: boolean }) => [
        error.code,
        error.maybeExecuted,
      ]);
    });
    await expect.poll(() => robot.ran, PATIENCE).toEqual(['waits']);
    await endWorker();
    expect(await underWay).toEqual(['link-lost', true]);
    for (const tab of tabs) await isOnline(tab);
    for (const tab of tabs) expect(await say(tab, 'again')).toBe('said again');
    expect(await callTablet(tabs[1] as Page)).toBe('shown');
    robot.emit('after');
    for (const tab of tabs) await expect.poll(() => heardBy(tab), PATIENCE).toEqual(['after']);
  });

  test('the agent ends and comes back: every tab goes on in the new session', async () => {
    const tabs = [await openTab(), await openTab()];
    for (const tab of tabs) await listen(tab);
    await robot.endAgent();
    for (const tab of tabs) await expect.poll(async () => (await statusOf(tab)).state, PATIENCE).toBe('offline');
    await robot.startAgent();
    for (const tab of tabs) await isOnline(tab);
    for (const tab of tabs) expect(await say(tab, 'again')).toBe('said again');
    robot.emit('after');
    for (const tab of tabs) await expect.poll(() => heardBy(tab), PATIENCE).toEqual(['after']);
  });

  test('a page that is loaded again finds its session', async () => {
    const tab = await openTab();
    await listen(tab);
    await load(tab);
    await listen(tab);
    expect(await links()).toBe(1);
    robot.emit('after');
    await expect.poll(() => heardBy(tab), PATIENCE).toEqual(['after']);
  });

  test('a page in the back/forward cache holds nothing, and goes on when it is back', async () => {
    const [tab, other] = [await openTab(), await openTab()];
    await listen(tab);
    await tab.evaluate(async () => {
      const { robot } = globalThis as unknown as PageGlobals;
      await robot.host('Tablet', { show: () => 'shown' });
      addEventListener('pageshow', ({ persisted }) => Object.assign(globalThis, { persisted }));
    });
    expect(await callTablet(other)).toBe('shown');
    await tab.goto(`${site.url}elsewhere.html?blank`);
    await expect.poll(() => namesOf(other), PATIENCE).not.toContain('Tablet');
    await tab.goBack({ waitUntil: 'commit' });
    // `pageshow` comes some time after that on a busy machine; a page that was not kept is loaded anew, and never says so.
    await tab.waitForFunction(() => (globalThis as unknown as { persisted?: boolean }).persisted === true);
    await isOnline(tab);
    await expect.poll(() => namesOf(other), PATIENCE).toContain('Tablet');
    expect(await callTablet(other)).toBe('shown');
    robot.emit('after');
    await expect.poll(() => heardBy(tab), PATIENCE).toEqual(['after']);
  });

  test('robot.close() gives back in order: the failsafe is not made; with the last tab the session ends', async () => {
    const tab = await openTab();
    await tab.evaluate(async () => {
      const { robot } = globalThis as unknown as PageGlobals;
      await robot.failsafe({ afterMs: 500, calls: ['Voice.stop'] });
      await robot.close();
    });
    await expect.poll(() => robot.metric('qiway_sessions_ended_total{reason="wanted"}'), PATIENCE).toBe(1);
    expect(robot.ran).toEqual([]);
  });

  test('a page may own its link itself', async () => {
    const page = await openTab();
    const owner = await page.evaluate(async (agentUrl) => {
      const robot = await (globalThis as unknown as PageGlobals).qiway.connect(agentUrl, { worker: false });
      const { owner } = robot.status;
      await robot.close();
      return owner;
    }, robot.url);
    expect(owner).toBe('page');
    // No such file: the same.
    const fallback = await page.evaluate(async (agentUrl) => {
      const robot = await (globalThis as unknown as PageGlobals).qiway.connect(agentUrl, {
        worker: '/there-is-none.js',
      });
      const { owner } = robot.status;
      await robot.close();
      return owner;
    }, robot.url);
    expect(fallback).toBe('page');
  });

  test('errors of the robot and of the agent come as they are', async () => {
    const page = await openTab();
    const codes = await page.evaluate(async (agentUrl) => {
      const { robot, qiway } = globalThis as unknown as PageGlobals;
      const codeOf = async (run: () => Promise<unknown> | undefined): Promise<unknown> => {
        try {
          await run();
          return 'none';
        } catch (error) {
          return [(error as { code: string }).code, error instanceof qiway.QiwayError];
        }
      };
      return [
        await codeOf(() => robot.service('Nobody')),
        await codeOf(async () => (await robot.service('Voice'))['say']?.(1, 2, 3)),
        await codeOf(() => qiway.connect(agentUrl.replace(/token=[^&]*/, 'token=wrong'))),
      ];
    }, robot.url);
    expect(codes).toEqual([
      ['service-not-found', true],
      ['argument-mismatch', true],
      ['unauthorized', true],
    ]);
  });

  test('the gateway of any tab reaches the robot through the worker that owns the link', async () => {
    const tab = await openTab();
    await openTab();
    await tab.evaluate(async () => {
      await navigator.serviceWorker.register('/sw.js', { type: 'module' });
      if (navigator.serviceWorker.controller === null)
        await new Promise((resolve) =>
          navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }),
        );
    });
    const answer = await tab.evaluate(async () => {
      const response = await fetch('/robot/services/Voice/say', { method: 'POST', body: '["through the door"]' });
      return [response.status, await response.json()];
    });
    expect(answer).toEqual([200, { result: 'said through the door' }]);
    expect(await links()).toBe(1);
  });
});

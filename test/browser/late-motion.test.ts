// A robot that is driven from a page behind the SharedWorker, in a real Chromium: what was asked for late moves nothing, and
// who goes while he drives leaves a robot that stands.
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import type { Browser, BrowserContext, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type * as Sdk from '../../sdk/index.ts';
import { launchChromium } from '../support/chromium.ts';
import { type DoorAgent, openDoorAgent } from '../support/door-agent.ts';
import { openSdkPage, openSdkSite, type SdkSite } from '../support/sdk-page.ts';

interface PageGlobals {
  readonly qiway: typeof Sdk;
  robot: Sdk.Robot;
}

const PATIENCE = { timeout: 20_000, interval: 10 };

let browser: Browser;
let site: SdkSite;
let agent: DoorAgent;
let context: BrowserContext;
let other: Page;
let driver: Page;
let ran: string[] = [];

beforeAll(async () => {
  [browser, site] = await Promise.all([launchChromium(), openSdkSite()]);
  agent = await openDoorAgent({ origins: [site.origin] });
  await agent.agent.bus.host(
    'ALMotion',
    createObject({
      moveToward: method('(fff)', 'v', (x: number) => void ran.push(`move ${x}`)),
      stopMove: method('()', 'v', () => void ran.push('stop')),
    }),
  );
});
afterAll(async () => {
  await browser?.close();
  await agent?.close();
  await site?.close();
});
beforeEach(async () => {
  context = await browser.newContext();
  // The browser runs the worker in the process of the tab that started it.
  other = await openTab();
  driver = await openTab();
  await driver.evaluate(async () => {
    const { robot } = globalThis as unknown as PageGlobals;
    await robot.failsafe({ afterMs: 500, calls: ['ALMotion.stopMove'] });
    const motion = await robot.service('ALMotion');
    await motion['moveToward']?.(1, 0, 0);
  });
  expect(ran).toEqual(['move 1']);
});
afterEach(async () => {
  await context.close();
  ran = [];
});

async function openTab(): Promise<Page> {
  const page = await openSdkPage(context, site);
  await page.evaluate(async (url) => {
    const page = globalThis as unknown as PageGlobals;
    page.robot = await page.qiway.connect(url);
  }, agent.agent.url);
  return page;
}

/** The other tab drives: the link, and the robot, are there for it. */
async function otherDrives(): Promise<void> {
  await other.evaluate(async () => {
    const { robot } = globalThis as unknown as PageGlobals;
    await (await robot.service('ALMotion'))['moveToward']?.(9, 0, 0);
  });
}

test('a tab that hangs right after it asked for motion: that fails, and the robot stands', async () => {
  const code = await driver.evaluate(async () => {
    const { robot } = globalThis as unknown as PageGlobals;
    const motion = await robot.service('ALMotion');
    const late = motion['moveToward']?.(2, 0, 0).catch((error: { code: string }) => error.code);
    motion['moveToward']?.post(3, 0, 0);
    const untilMs = performance.now() + 3000;
    while (performance.now() < untilMs);
    return late;
  });
  expect(code).toBe('motion-stale');
  await otherDrives();
  expect(ran).toEqual(['move 1', 'stop', 'move 9']);
  await expect
    .poll(
      () =>
        driver.evaluate(async () => {
          const { robot } = globalThis as unknown as PageGlobals;
          const motion = await robot.service('ALMotion');
          return motion['moveToward']?.(4, 0, 0).then(
            () => 'moved',
            (error: { code: string }) => error.code,
          );
        }),
      PATIENCE,
    )
    .toBe('moved');
});

test.each(['a page that is loaded again', 'a page that goes into the back/forward cache'])(
  '%s while it drives: the robot is stopped at once',
  async (which) => {
    const goneMs = performance.now();
    if (which.includes('again')) await driver.reload({ waitUntil: 'commit' });
    else await driver.goto(`${site.url}elsewhere.html`, { waitUntil: 'commit' });
    await expect.poll(() => ran, PATIENCE).toEqual(['move 1', 'stop']);
    expect(performance.now() - goneMs).toBeLessThan(2000);
    await otherDrives();
    expect(ran).toEqual(['move 1', 'stop', 'move 9']);
  },
);

test('the worker is ended while a tab drives: the robot is stopped, and what failed is not made again', async () => {
  const cdp = await browser.newBrowserCDPSession();
  const { targetInfos } = await cdp.send('Target.getTargets');
  const workers = targetInfos.filter(({ type, url }) => type === 'shared_worker' && url.startsWith(site.origin));
  for (const { targetId } of workers) await cdp.send('Target.closeTarget', { targetId });
  await expect.poll(() => ran, PATIENCE).toEqual(['move 1', 'stop']);
  for (const tab of [driver, other])
    await tab.waitForFunction(() => (globalThis as unknown as PageGlobals).robot.status.state === 'online');
  await otherDrives();
  expect(ran).toEqual(['move 1', 'stop', 'move 9']);
});

// The whole console at an origin that browsers keep things from, as http://robot-ip is: no service worker, no Web Locks, no
// crypto.subtle, and everything else works. Chromium takes any name but localhost for insecure: the name leads to this machine.
import { join } from 'node:path';
import { connect, type Robot } from '@qiway/sdk';
import type { Page } from 'playwright';
import { rolldown } from 'rolldown';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkout } from '../support/checkout-copy.ts';
import { type ConsolePage, type ConsoleSite, openConsoleSite } from '../support/console-site.ts';

interface Services {
  ALMotion: { moveIsActive(): boolean; stopMove(): void; getRobotPosition(useSensors: boolean): number[] };
}

const NAME = 'robot.test';

let site: ConsoleSite;
/** Sees the robot without the page. */
let observer: Robot<Services>;
let shown: ConsolePage;
let page: Page;

beforeAll(async () => {
  site = await openConsoleSite({ name: NAME });
  observer = await connect<Services>(site.url);
});
afterAll(async () => {
  await observer?.close();
  await site?.close();
});
beforeEach(async () => {
  shown = await site.open();
  page = shown.page;
  await page.locator('.steering-words', { hasText: 'Standing still' }).waitFor();
});
afterEach(() => shown.close());

const isMoving = async (): Promise<boolean> => (await observer.service('ALMotion')).moveIsActive();

/** What page-abilities.ts says in this page. */
async function missing(): Promise<unknown> {
  const bundle = await rolldown({ cwd: checkout, input: join(checkout, 'sdk/page-abilities.ts') });
  const { output } = await bundle.generate({ format: 'iife', name: 'abilities' });
  await bundle.close();
  return page.evaluate(`${output[0].code}; abilities.missingAbilities()`);
}

describe('the console at an insecure origin', () => {
  test('lacks what browsers keep from it, and the SDK tells all of it', async () => {
    expect(new URL(page.url()).hostname).toBe(NAME);
    const has = await page.evaluate(() => ({
      isSecure: globalThis.isSecureContext,
      serviceWorker: 'serviceWorker' in navigator,
      locks: 'locks' in navigator,
      subtle: globalThis.crypto.subtle !== undefined,
    }));
    expect(has).toEqual({ isSecure: false, serviceWorker: false, locks: false, subtle: false });
    const found = (await missing()) as { ability: string; why: string }[];
    expect(found.map(({ ability }) => ability)).toEqual([
      'service-worker',
      'web-locks',
      'web-crypto',
      'persistent-key',
      'persistent-storage',
      'camera-capture',
      'screen-lock',
      'background-sync',
    ]);
    expect(new Set(found.map(({ why }) => why))).toEqual(new Set(['insecure-origin']));
  });

  test('says in its status panel what it cannot do, and once what to do about it', async () => {
    await page.locator('.status-toggle').click();
    const lacks = page.locator('.lacks');
    await lacks.getByText('What this page cannot do (7)').click();
    expect(await lacks.locator('li').count()).toBe(7);
    expect(await lacks.locator('p').allTextContents()).toEqual([expect.stringContaining('--tls self')]);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    expect(shown.errors).toEqual([]);
  });

  test('has a link that is sealed, without the cryptography of the browser', async () => {
    await page.reload();
    await page.locator('.steering-words', { hasText: 'Standing still' }).waitFor();
    await page.locator('[title="Sealed: nobody between can read it"]').first().waitFor();
    expect(shown.errors).toEqual([]);
  });

  test('shows what the robot tells, and drives it', async () => {
    await page.locator('.picture-rate', { hasText: 'per second' }).waitFor();
    const before = await (await observer.service('ALMotion')).getRobotPosition(true);
    await page.keyboard.down('a');
    await expect.poll(isMoving, { timeout: 10_000 }).toBe(true);
    await page.locator('.steering-words', { hasText: 'Turning left' }).waitFor();
    await page.keyboard.up('a');
    await expect.poll(isMoving, { timeout: 10_000 }).toBe(false);
    const after = await (await observer.service('ALMotion')).getRobotPosition(true);
    expect(after[2]).not.toBe(before[2]);
    expect(shown.errors).toEqual([]);
  });

  test('hears the words that the robot speaks', async () => {
    await page.getByLabel('What the robot is to say').fill('hello there');
    await page.keyboard.press('Enter');
    await page.locator('[data-figure="spoken"]', { hasText: 'there' }).waitFor();
  });

  test('finds its agent again after a restart, and says then what waited', async () => {
    await site.agent.end('SIGKILL');
    await page.getByRole('heading', { name: 'The link to the robot is lost' }).waitFor();
    await page.getByLabel('What the robot is to say').fill('said only now that it is back, a while later');
    await page.getByRole('button', { name: 'Say later' }).click();
    await page.getByText('said only now that it is back').first().waitFor();
    await site.startAgent();
    await page.locator('[data-figure="spoken"]', { hasText: 'later' }).waitFor();
    await page.locator('.steering-words', { hasText: /Standing still|Blocked/ }).waitFor();
    await expect
      .poll(async () => (await observer.services()).map(({ name }) => name), { timeout: 20_000 })
      .toContain('ALMotion');
  });
});

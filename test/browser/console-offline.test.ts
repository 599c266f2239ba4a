// The console without a network: what a browser needs to install it, what is shown while server and robot are away, what
// waits meanwhile, and that all of it is live again when they are back.
import type { BrowserContext, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConsoleSite, openConsoleSite } from '../support/console-site.ts';

let site: ConsoleSite;
beforeAll(async () => {
  site = await openConsoleSite();
});
afterAll(async () => {
  await site?.close();
});

const words = (page: Page): ReturnType<Page['locator']> => page.locator('[data-figure="link-words"]');

/** Resolves when the worker keeps all that the console needs. */
async function workerReady(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const { active } = await navigator.serviceWorker.ready;
    if (active === null || active.state === 'activated') return;
    await new Promise<void>((resolve) =>
      active.addEventListener('statechange', () => active.state === 'activated' && resolve()),
    );
  });
}

/** Whether what the page shows is kept. */
function isKept(page: Page): Promise<boolean> {
  return page.evaluate(
    () =>
      new Promise<boolean>((resolve) => {
        const opening = indexedDB.open('qiway-console');
        opening.onsuccess = () => {
          const { result } = opening;
          const all = result.transaction('robots').objectStore('robots').getAll();
          all.onsuccess = () => {
            result.close();
            resolve(all.result.some(({ snapshot }) => snapshot.batteryPercent !== undefined));
          };
        };
        opening.onerror = () => resolve(false);
      }),
  );
}

async function openOnce(): Promise<{ context: BrowserContext; page: Page; close: () => Promise<void> }> {
  const { page, close } = await site.open();
  await page.locator('.picture-rate').waitFor();
  await workerReady(page);
  await expect.poll(() => isKept(page), { timeout: 20_000 }).toBe(true);
  return { context: page.context(), page, close };
}

describe('the console', () => {
  it('can be installed, and its start page holds no secret', async () => {
    const { page, close } = await openOnce();
    const session = await page.context().newCDPSession(page);
    const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
    // A context of its own is private, in which nothing is installed; there is nothing else to say against it.
    expect(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito')).toEqual([]);
    const manifest = await session.send('Page.getAppManifest');
    expect(manifest.errors).toEqual([]);
    const { start_url: start, icons } = JSON.parse(manifest.data ?? '{}') as {
      start_url: string;
      icons: { src: string; type: string }[];
    };
    expect(new URL(start, site.origin).href).toBe(`${site.origin}/`);
    for (const { src, type } of icons) {
      const answer = await page.request.get(new URL(src, site.origin).href);
      expect([answer.status(), answer.headers()['content-type']?.split(';')[0]]).toEqual([200, type]);
    }
    await close();
  });

  it('is opened without a fragment once installed, and knows its robot', async () => {
    const { context, close } = await openOnce();
    const installed = await context.newPage();
    await installed.goto(`${site.origin}/`);
    await installed.locator('.picture-rate').waitFor();
    await close();
  });

  it('forgets a robot when it is asked to: neither tab nor browser knows its token any more', async () => {
    const { context, page, close } = await openOnce();
    await page.locator('.status-toggle').click();
    await page.getByRole('button', { name: 'Forget this robot' }).click();
    await page.getByRole('button', { name: 'Forget it now' }).click();
    await page.getByRole('heading', { name: 'Which robot?' }).waitFor();
    const token = new URLSearchParams(new URL(site.url).hash.slice(1)).get('token') ?? '?';
    const kept = await page.evaluate(() => `${location.href} ${JSON.stringify(sessionStorage)}`);
    expect(kept).not.toContain(token);
    const again = await context.newPage();
    await again.goto(`${site.origin}/`);
    await again.getByRole('heading', { name: 'Which robot?' }).waitFor();
    await close();
  });
});

describe('a call that waits', () => {
  it('has the browser wake the page when the network is back, and is made once', async () => {
    const { context, page, close } = await openOnce();
    await page.evaluate(() => {
      const heard: unknown[] = [];
      navigator.serviceWorker.addEventListener('message', ({ data }) => heard.push(data));
      Object.assign(window, { heard });
    });
    await context.setOffline(true);
    await site.agent.end('SIGKILL');
    await page.getByRole('heading', { name: 'The link to the robot is lost' }).waitFor();
    await page.locator('#say').fill('patience');
    await page.getByRole('button', { name: 'Say later' }).click();
    await page.locator('.status-count', { hasText: '1' }).waitFor();
    await page.waitForFunction(async () => {
      const { sync } = (await navigator.serviceWorker.ready) as unknown as { sync: { getTags(): Promise<string[]> } };
      return (await sync.getTags()).includes('qiway-calls-wait');
    });
    await context.setOffline(false);
    await page.waitForFunction(() =>
      (window as unknown as { heard: { console?: string }[] }).heard.some((one) => one.console === 'look-now'),
    );
    await site.startAgent();
    await page.locator('.status-count').waitFor({ state: 'detached' });
    await page.locator('.status-toggle').click();
    await page.getByText('The call that waited was made.').waitFor();
    await close();
  });
});

describe('while server and robot are away', () => {
  it('it opens, shows what was last known with its age, moves nothing, lists what waits, and is live again when they are back', async () => {
    const { page, close } = await openOnce();
    const battery = await page.locator('.gauge-figure').first().textContent();
    await page.getByRole('button', { name: 'Crouch' }).waitFor();
    await page.locator('.map-floor').waitFor();
    // The robot is switched off in order: its services leave first, the agent is the last.
    await site.robot.end();
    await page.getByText('Not linked with the motors').waitFor();
    await site.agent.end('SIGKILL');
    await page.reload();
    await page.getByRole('heading', { name: 'The robot cannot be reached' }).waitFor();
    await page.locator('[data-figure="lost-for"]', { hasText: /^Last seen \d+ s ago\.$/ }).waitFor();
    await words(page)
      .filter({ hasText: /last seen \d+ s ago/ })
      .waitFor();
    expect(await page.locator('.gauge-figure').first().textContent()).toBe(battery);
    const services = await page.evaluate(async () => {
      const { status, headers } = await fetch('/robot/services');
      return { status, age: Number(headers.get('age') ?? 'NaN'), cache: headers.get('cache-status') };
    });
    expect(services).toEqual({ status: 200, age: expect.any(Number), cache: 'qiway; hit; detail=offline' });
    expect(services.age).toBeGreaterThanOrEqual(0);
    expect(services.age).toBeLessThan(120);
    expect(await page.locator('.map-floor').count()).toBe(1);
    expect(await page.locator('.view.at-rest').count()).toBe(1);
    await page.locator('.status-toggle').click();
    await page.locator('[data-figure="offline"]').waitFor();
    expect(await page.getByText('The first since this page was opened').count()).toBe(0);
    await page.locator('.status-close').click();
    expect(await page.getByRole('button', { name: 'Crouch' }).isDisabled()).toBe(true);
    expect(await page.locator('.steering-words').textContent()).toBe('Not linked with the motors');
    await page.locator('#tab-explore').click();
    await page.getByRole('button', { name: 'ALTextToSpeech', exact: true }).click();
    await page.locator('[data-member="say"]').first().waitFor();
    await page.locator('#tab-drive').click();
    for (const text of ['never', 'patience']) {
      await page.locator('#say').fill(text);
      await page.getByRole('button', { name: 'Say later' }).click();
      await page.locator('.drive-speech .waiting-call', { hasText: text }).waitFor();
    }
    await page.reload();
    await page.locator('.status-count', { hasText: '2' }).waitFor();
    await page.locator('.drive-speech').getByRole('button', { name: 'Take back "never"' }).click();
    await page.locator('.status-count', { hasText: '1' }).waitFor();
    await site.startAgent();
    await site.startRobot();
    await words(page)
      .filter({ hasText: /^Online$/ })
      .waitFor();
    await page.locator('.status-count').waitFor({ state: 'detached' });
    await page.locator('.status-toggle').click();
    await page.getByText('The call that waited was made.').waitFor();
    await page.locator('.status-close').click();
    await page.locator('.steering-words', { hasText: 'Standing still' }).waitFor();
    await page.locator('.view.at-rest').waitFor({ state: 'detached' });
    await close();
  });
});

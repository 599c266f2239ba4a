// The set-up of tests of pages and their robot: a Chromium and a site for a whole file, a context and a robot for each test.
import type { Browser, BrowserContext } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { launchChromium } from './chromium.ts';
import { openSdkSite, type SdkSite } from './sdk-page.ts';
import { openVoiceRobot, type VoiceRobot } from './voice-robot.ts';

export interface PagesAndRobot {
  readonly site: SdkSite;
  readonly browser: Browser;
  readonly context: BrowserContext;
  readonly robot: VoiceRobot;
}

/** Registers the hooks. @param take told before each test */
export function withPagesAndRobot(take: (made: PagesAndRobot) => void): void {
  let shared: Pick<PagesAndRobot, 'site' | 'browser'> | undefined;
  let own: Pick<PagesAndRobot, 'context' | 'robot'> | undefined;
  beforeAll(async () => {
    const [browser, site] = await Promise.all([launchChromium(), openSdkSite()]);
    shared = { browser, site };
  });
  afterAll(async () => {
    await shared?.browser.close();
    await shared?.site.close();
  });
  beforeEach(async () => {
    if (shared === undefined) throw new Error('there is no browser');
    const robot = await openVoiceRobot({ origins: [shared.site.origin] });
    own = { robot, context: await shared.browser.newContext() };
    take({ ...shared, ...own });
  });
  afterEach(async () => {
    await own?.context.close();
    await own?.robot.close();
    own = undefined;
  });
}

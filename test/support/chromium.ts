// A real Chromium, driven through Playwright as a library. Which one: scripts/find-browser.mjs.
import { type Browser, chromium } from 'playwright';
import { findBrowser } from '../../scripts/find-browser.mjs';

/** What a browser does by itself has no place in a test: look-ups, updates, first-run pages, throttling of what is not in front. */
const QUIET: readonly string[] = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-sync',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-dev-shm-usage',
];

/** Starts a headless Chromium, as people have it with the back/forward cache. @throws Error when there is none */
export async function launchChromium(args: readonly string[] = []): Promise<Browser> {
  const executablePath = await findBrowser();
  if (executablePath === undefined)
    throw new Error('There is no Chromium. "node scripts/setup.mjs --browser" finds or installs one.');
  // Chromium's sandbox refuses to run as root, as in containers.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({
    executablePath,
    args: [...QUIET, ...sandbox, ...args],
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
}

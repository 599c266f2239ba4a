// A real Firefox, driven by WebDriver BiDi through puppeteer-core. Which one: scripts/find-browser.mjs.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, connect } from 'puppeteer-core';
import { findFirefox } from '../../scripts/find-browser.mjs';
import { makeScratchFolder } from './checkout-copy.ts';

type Preferences = Readonly<Record<string, string | number | boolean>>;

export interface Firefox {
  readonly browser: Browser;
  close(): Promise<void>;
}

/** What a browser does by itself has no place in a test: look-ups, updates, reports, first-run pages. */
const QUIET: Preferences = {
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.aboutwelcome.enabled': false,
  'browser.safebrowsing.blockedURIs.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.safebrowsing.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.page': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'dom.push.connection.enabled': false,
  'extensions.systemAddon.update.enabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'toolkit.telemetry.enabled': false,
  'trailhead.firstrun.didSeeAboutWelcome': true,
};

/** A first start on a busy machine takes ten seconds. */
const START_TIMEOUT_MS = 60_000;

/** How long Firefox may take to write its profile down, ms. */
const END_TIMEOUT_MS = 5_000;

/**
 * Why the tests with Firefox are skipped; undefined: they run. Root on Linux is where the package can be installed: there its lack
 * is a failure.
 */
export function whyNoFirefox(): string | undefined {
  if (findFirefox() !== undefined || (process.platform === 'linux' && process.getuid?.() === 0)) return undefined;
  return 'there is no Firefox. Install it, or set FIREFOX_PATH to it.';
}

/** Starts a headless Firefox with a profile of its own. @throws Error when there is none */
export async function launchFirefox(preferences: Preferences = {}): Promise<Firefox> {
  const path = findFirefox();
  if (path === undefined)
    throw new Error('There is no Firefox. "node scripts/setup.mjs --firefox" finds or installs one.');
  const profile = makeScratchFolder('firefox');
  const lines = Object.entries({ ...QUIET, ...preferences }).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  );
  writeFileSync(join(profile, 'user.js'), lines.join(''));
  const firefox = spawn(path, ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port=0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // A test run that is broken off leaves nothing behind.
  const kill = (): void => void firefox.kill('SIGKILL');
  process.once('exit', kill);
  const end = async (): Promise<void> => {
    if (firefox.exitCode === null && firefox.signalCode === null) {
      const gone = once(firefox, 'exit');
      firefox.kill('SIGTERM');
      const timer = setTimeout(kill, END_TIMEOUT_MS);
      await gone;
      clearTimeout(timer);
    }
    process.off('exit', kill);
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    const browser = await connect({
      browserWSEndpoint: `${await bidiUrl(firefox)}/session`,
      protocol: 'webDriverBiDi',
      defaultViewport: null,
    });
    return {
      browser,
      async close() {
        await browser.disconnect();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** As it says on its standard error. */
async function bidiUrl(firefox: ChildProcess): Promise<string> {
  let said = '';
  const timer = setTimeout(() => firefox.kill('SIGKILL'), START_TIMEOUT_MS);
  try {
    for await (const part of firefox.stderr ?? []) {
      said += String(part);
      const [, url] = /WebDriver BiDi listening on (ws:\S+)/.exec(said) ?? [];
      if (url !== undefined) return url;
    }
  } finally {
    clearTimeout(timer);
    // What it says later is read, so that it never waits.
    firefox.stderr?.resume();
  }
  throw new Error(`Firefox did not start: ${said}`);
}

// Installs a Chromium for the tests where none is found: Playwright's, or the system's package where that cannot be fetched.
// Plain JavaScript for Node 18 and later; part of setup.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findBrowser } from './find-browser.mjs';
import { holdingLock } from './lock.mjs';
import { installSystemPackage } from './system-package.mjs';

const advice = 'Install Chromium or Google Chrome, or set CHROMIUM_PATH to one, then run this again.';

/** How long a browser may take to tell its version, ms: a first start on a slow disk takes seconds. */
const versionTimeoutMs = 60_000;

/** How long Playwright's download may take, ms. */
const downloadTimeoutMs = 600_000;

function run(command, args, options = {}) {
  return spawnSync(command, args, { stdio: ['ignore', 2, 2], ...options }).status === 0;
}

function fetchPlaywrights(root) {
  const cli = join(root, 'node_modules', 'playwright', 'cli.js');
  return existsSync(cli) && run(process.execPath, [cli, 'install', 'chromium'], { timeout: downloadTimeoutMs });
}

function starts(path) {
  return spawnSync(path, ['--version', '--no-sandbox'], { stdio: 'ignore', timeout: versionTimeoutMs }).status === 0;
}

/** Makes sure that `findBrowser` finds a browser that starts. */
export async function installBrowser(root, say) {
  if ((await findBrowser()) !== undefined) return;
  await holdingLock(root, say, async () => {
    if ((await findBrowser()) !== undefined) return;
    say('installing a browser for the tests');
    if (fetchPlaywrights(root)) {
      const own = await findBrowser();
      if (own !== undefined && starts(own)) return;
      say("Playwright's browser does not start here");
    }
    if (installSystemPackage('chromium', say)) {
      const system = await findBrowser();
      if (system !== undefined && starts(system)) return;
    }
    throw new Error(`no browser for the tests could be installed. ${advice}`);
  });
}

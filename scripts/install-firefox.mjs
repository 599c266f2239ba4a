// Installs a Firefox for the tests where none is found: Debian's package.
// Plain JavaScript for Node 18 and later; part of setup.

import { findFirefox } from './find-browser.mjs';
import { holdingLock } from './lock.mjs';
import { installSystemPackage } from './system-package.mjs';

/**
 * Makes sure that `findFirefox` finds one where that can be had. Fails only for a wrong $FIREFOX_PATH: without Firefox its tests
 * say so, and fail as root on Linux, where the package can be installed.
 */
export async function installFirefox(root, say) {
  if (findFirefox() !== undefined) return;
  await holdingLock(root, say, () => {
    if (findFirefox() !== undefined) return;
    if (!installSystemPackage('firefox-esr', say))
      say('Firefox could not be installed. Install it, or set FIREFOX_PATH to it, then run this again.');
  });
}

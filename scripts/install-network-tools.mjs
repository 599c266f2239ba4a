// Installs iproute2, with which the tests of the network make their namespaces, where it is missing and of use.
// Plain JavaScript for Node 18 and later; part of setup.

import { findOnPath } from './find-browser.mjs';
import { holdingLock } from './lock.mjs';
import { installSystemPackage } from './system-package.mjs';

/** What the tests run: `ip` makes namespaces, `ss` counts sockets. */
const programs = ['ip', 'ss'];

/** Only root makes namespaces, and only on Linux. */
function isWanted() {
  return process.platform === 'linux' && process.getuid?.() === 0 && programs.some((name) => !findOnPath(name));
}

/** Never fails: without them the tests of the network are skipped, and say so. */
export async function installNetworkTools(root, say) {
  if (!isWanted()) return;
  await holdingLock(root, say, () => {
    if (!isWanted()) return;
    if (!installSystemPackage('iproute2', say))
      say('iproute2 could not be installed: the tests of the network will be skipped');
  });
}

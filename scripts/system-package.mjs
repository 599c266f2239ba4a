// Installs a package of this system where its package manager is known: Debian's and Ubuntu's.
// Plain JavaScript for Node 18 and later; part of setup.

import { spawnSync } from 'node:child_process';
import { findOnPath } from './find-browser.mjs';

/** With fresh lists, as root or with a sudo that asks nothing. False: it could not be done. */
export function installSystemPackage(name, say) {
  if (findOnPath('apt-get') === undefined) return false;
  const isRoot = process.getuid?.() === 0;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) =>
    spawnSync(isRoot ? 'apt-get' : 'sudo', isRoot ? args : ['-n', 'apt-get', ...args], { stdio: ['ignore', 2, 2], env })
      .status === 0;
  say(`installing the ${name} package of this system`);
  apt('update', '-q');
  return apt('install', '-y', '-q', '--no-install-recommends', name);
}

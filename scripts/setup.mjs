// Makes a fresh clone ready: packages, a Node that runs TypeScript, with --browser also a Chromium for the tests.
// Plain JavaScript for Node 18 and later, since it runs before anything is installed. All it says goes to stderr.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installBrowser } from './install-browser.mjs';
import { holdingLock } from './lock.mjs';
import { isNodeNewEnough, npmCommand, runtimePackage } from './runtime.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, 'node_modules', '.qiway-setup');
const localNode = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

/** What node_modules is made from: when any of it changes, packages are installed again. */
function wantedStamp() {
  const hash = createHash('sha256').update(process.platform + process.arch);
  for (const file of ['package.json', 'package-lock.json']) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function needsPackages() {
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== wantedStamp()) return true;
  return !isNodeNewEnough(process.versions.node) && !existsSync(localNode);
}

function npm(args, purpose) {
  const { command, prefix } = npmCommand();
  const outcome = spawnSync(command, [...prefix, ...args, '--loglevel=error', '--no-progress'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (outcome.error) throw new Error(`npm could not be started (${outcome.error.message}). Install npm, then run this again.`);
  if (outcome.status !== 0) throw new Error(`npm could not ${purpose}; see its message above. Check the network, then run this again.`);
}

function installPackages() {
  // A Node that was fetched before counts as wanted, or npm would remove it under the processes that it runs.
  const wantsRuntime = !isNodeNewEnough(process.versions.node) || existsSync(localNode);
  const isFresh = !existsSync(join(root, 'node_modules', '.package-lock.json'));
  if (isFresh) {
    say('installing packages');
    npm(['ci'], 'install the packages');
  }
  if (wantsRuntime) {
    say(`fetching ${runtimePackage} (this machine has Node ${process.versions.node})`);
    npm(['install', '--no-save', runtimePackage], 'install the packages');
  } else if (!isFresh) {
    // Not `npm ci`: it would empty node_modules under programs that run at this moment.
    say('bringing the packages up to date');
    npm(['install', '--no-save'], 'install the packages');
  }
  if (wantsRuntime && !existsSync(localNode)) {
    throw new Error(`npm installed ${runtimePackage} but no node_modules/.bin/node came of it. Install Node 22.18 or later, then run this again.`);
  }
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, wantedStamp());
}

try {
  if (needsPackages()) {
    await holdingLock(root, say, () => {
      if (needsPackages()) installPackages();
    });
  }
  if (process.argv.includes('--browser')) await installBrowser(root, say);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

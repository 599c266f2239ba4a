// Makes a fresh clone ready: packages, a Node that runs TypeScript; for the tests also a Chromium (--browser), a Firefox
// (--firefox) and the tools that make networks (--network).
// Plain JavaScript for Node 18 and later, since it runs before anything is installed. All it says goes to stderr.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installBrowser } from './install-browser.mjs';
import { installFirefox } from './install-firefox.mjs';
import { installNetworkTools } from './install-network-tools.mjs';
import { holdingLock } from './lock.mjs';
import { isNodeNewEnough, npmCommand, runtimePackage, wantedStamp } from './runtime.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stampFile = join(modules, '.qiway-setup');

/** npm scripts look here first for `node`. */
const nodeOnPath = join(modules, '.bin', 'node');

/** Beside node_modules and not in it, so that npm never removes a Node under the processes that it runs. */
const runtimeFolder = join(root, '.runtime');
const fetchedNode = join(runtimeFolder, 'node_modules', '.bin', 'node');

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function arePackagesWanted() {
  return !existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== wantedStamp(root);
}

function isRuntimeWanted() {
  return !existsSync(nodeOnPath) && (!isNodeNewEnough(process.versions.node) || existsSync(fetchedNode));
}

function npm(args, purpose) {
  const { command, prefix } = npmCommand();
  const outcome = spawnSync(command, [...prefix, ...args, '--loglevel=error', '--no-progress'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (outcome.error)
    throw new Error(`npm could not be started (${outcome.error.message}). Install npm, then run this again.`);
  if (outcome.status !== 0)
    throw new Error(`npm could not ${purpose}; see its message above. Check the network, then run this again.`);
}

function installPackages() {
  if (existsSync(join(modules, '.package-lock.json'))) {
    // Not `npm ci`: it would empty node_modules under programs that run at this moment.
    say('bringing the packages up to date');
    npm(['install', '--no-save'], 'install the packages');
  } else {
    say('installing packages');
    try {
      npm(['ci'], 'install the packages');
    } catch {
      say('npm ci failed; trying npm install, which also takes a lockfile that lacks packages of other platforms');
      npm(['install', '--no-save'], 'install the packages');
    }
  }
  writeFileSync(stampFile, wantedStamp(root));
}

function installRuntime() {
  if (process.platform === 'win32') {
    throw new Error(`Node ${process.versions.node} is too old. Install Node 22.18 or later, then run this again.`);
  }
  if (!existsSync(fetchedNode)) {
    say(`fetching ${runtimePackage}, since Node ${process.versions.node} does not run TypeScript`);
    mkdirSync(runtimeFolder, { recursive: true });
    writeFileSync(join(runtimeFolder, 'package.json'), '{ "private": true }\n');
    npm(
      ['install', '--prefix', runtimeFolder, '--no-save', '--no-package-lock', runtimePackage],
      `fetch ${runtimePackage}`,
    );
  }
  if (!existsSync(fetchedNode)) {
    throw new Error(
      `npm fetched ${runtimePackage}, but no program came of it. Install Node 22.18 or later, then run this again.`,
    );
  }
  rmSync(nodeOnPath, { force: true });
  symlinkSync(relative(dirname(nodeOnPath), fetchedNode), nodeOnPath);
}

/** Puts back the manifests of packages whose packing was aborted; one that is under way takes far less than a minute. */
function undoAbortedPacks() {
  for (const folder of ['sdk', 'robot-agent']) {
    const backup = join(root, folder, '.manifest-before-pack.json');
    if (!existsSync(backup) || Date.now() - statSync(backup).mtimeMs < 60_000) continue;
    say(`restoring ${folder}/package.json, left by an aborted npm pack`);
    renameSync(backup, join(root, folder, 'package.json'));
  }
}

try {
  undoAbortedPacks();
  if (arePackagesWanted() || isRuntimeWanted()) {
    await holdingLock(root, say, () => {
      if (arePackagesWanted()) installPackages();
      if (isRuntimeWanted()) installRuntime();
    });
  }
  if (process.argv.includes('--network')) await installNetworkTools(root, say);
  if (process.argv.includes('--browser')) await installBrowser(root, say);
  if (process.argv.includes('--firefox')) await installFirefox(root, say);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

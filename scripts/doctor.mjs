// `npm run doctor`: what this machine has for Qiway, what is missing, and what to do about it.
// Plain JavaScript for Node 18 and later, since a machine that lacks something is where it is needed.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBrowser, findFirefox } from './find-browser.mjs';
import { isNodeNewEnough, npmCommand, wantedStamp } from './runtime.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const setup = 'run `node scripts/setup.mjs`';

/** The ports that the programs take unless told otherwise. */
const ports = [
  { port: 8080, use: '`npm start`', remedy: 'start with `npm start -- --port 0` or another number' },
  {
    port: 9559,
    use: 'a qi bus of its own',
    remedy: 'give the agent --bus-listen tcp://127.0.0.1:0, or --bus to join what runs there',
  },
];

function checkNode() {
  const own = process.versions.node;
  if (isNodeNewEnough(own)) return { isFine: true, text: `Node ${own}` };
  const local = join(root, 'node_modules', '.bin', 'node');
  const { stdout, status } = spawnSync(local, ['--version'], { encoding: 'utf8' });
  if (status === 0)
    return { isFine: true, text: `Node ${own} is too old, but npm scripts use ${stdout.trim()} of this checkout` };
  return { isFine: false, text: `Node ${own} is too old: install 22.18 or later, or ${setup}, which fetches one` };
}

function checkNpm() {
  const { command, prefix } = npmCommand();
  const { stdout, status } = spawnSync(command, [...prefix, '--version'], { encoding: 'utf8' });
  if (status !== 0) return { isFine: false, text: 'npm does not start: install npm (on Debian: apt-get install npm)' };
  return { isFine: true, text: `npm ${stdout.trim()}` };
}

function checkPackages() {
  const stamp = join(root, 'node_modules', '.qiway-setup');
  if (!existsSync(stamp)) return { isFine: false, text: `packages are not installed: ${setup}` };
  if (readFileSync(stamp, 'utf8') !== wantedStamp(root))
    return { isFine: false, text: `packages are not those of package-lock.json: ${setup}` };
  return { isFine: true, text: 'packages as in package-lock.json' };
}

async function checkBrowser() {
  try {
    const path = await findBrowser();
    if (path !== undefined) return { isFine: true, text: `browser for the tests: ${path}` };
    return {
      isFine: false,
      text: 'no browser for the tests: run `node scripts/setup.mjs --browser`, or set CHROMIUM_PATH',
    };
  } catch (error) {
    return { isFine: false, text: error.message };
  }
}

function checkFirefox() {
  try {
    const path = findFirefox();
    if (path !== undefined) return { isFine: true, text: `Firefox for the tests: ${path}` };
    return {
      isFine: false,
      text: 'no Firefox for the tests: run `node scripts/setup.mjs --firefox`, install Firefox, or set FIREFOX_PATH',
    };
  } catch (error) {
    return { isFine: false, text: error.message };
  }
}

function checkPort({ port, use, remedy }) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => {
      resolve({ isFine: false, text: `port ${port}, for ${use}, is not free (${error.code}): ${remedy}` });
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => resolve({ isFine: true, text: `port ${port} is free, for ${use}` }));
    });
  });
}

const findings = [checkNode(), checkNpm(), checkPackages(), await checkBrowser(), checkFirefox()];
for (const port of ports) findings.push(await checkPort(port));
for (const { isFine, text } of findings) process.stdout.write(`${isFine ? 'ok ' : '-> '} ${text}\n`);
process.exitCode = findings.every(({ isFine }) => isFine) ? 0 : 1;

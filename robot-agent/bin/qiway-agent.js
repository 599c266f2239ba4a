#!/usr/bin/env node
// Starts the program: from the sources in a checkout, from dist in an installed package.
// Plain JavaScript for Node 18 and later, so that an older Node gets a newer one or a sentence instead of a syntax error.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const source = new URL('../main.ts', import.meta.url);
const checkoutNode = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));

/** 22.18 is the first Node that runs TypeScript without a flag. */
function isNodeNewEnough() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

/** Runs this file again with the checkout's Node; signals go on to it, its end becomes ours. */
function runWithCheckoutNode() {
  const child = spawn(checkoutNode, process.argv.slice(1), { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(
      `qiway-agent: ${checkoutNode} does not start (${error.message}). Run \`node scripts/setup.mjs\` in the checkout.\n`,
    );
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

/** npm runs a program in a shell that dies of SIGTERM without passing it on: the program then ends by itself. */
function endWithShellOfNpm() {
  const script = process.env.npm_lifecycle_script ?? '';
  const isInBackground = /(^|[^&])&([^&]|$)/.test(script);
  if (!script.includes('qiway-agent') || isInBackground) return;
  const shell = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === shell && !isOrphan()) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, 250);
  timer.unref();
}

/** The shell of npx ended before we first looked. In a container, process 1 may be npx itself. */
function isOrphan() {
  if (process.ppid !== 1 || process.env.npm_lifecycle_event !== 'npx') return false;
  try {
    return !/npm|npx/.test(readFileSync('/proc/1/cmdline', 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}

endWithShellOfNpm();
if (isNodeNewEnough()) {
  await import(existsSync(source) ? source.href : new URL('../dist/main.js', import.meta.url).href);
} else if (existsSync(source) && existsSync(checkoutNode)) {
  runWithCheckoutNode();
} else {
  const remedy = existsSync(source) ? ', or run `node scripts/setup.mjs` in the checkout' : '';
  process.stderr.write(
    `qiway-agent needs Node 22.18 or later, and this is ${process.versions.node}. Install a newer Node${remedy}.\n`,
  );
  process.exitCode = 1;
}

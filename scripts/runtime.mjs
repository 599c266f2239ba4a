// Which Node and which packages the checkout needs, and how to call npm with the Node that npm itself came with.
// Plain JavaScript for Node 18 and later; part of setup and doctor.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The npm package that brings a Node binary, for machines whose own is too old. */
export const runtimePackage = 'node@24';

/** The first Node that runs TypeScript without a flag: 22.18. */
export function isNodeNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

/** npm as the one that runs us, so that the Node it replaces is not the Node it runs on. */
export function npmCommand() {
  const { npm_execpath: cli, npm_node_execpath: node } = process.env;
  if (cli && node && /npm-cli\.c?js$/.test(cli)) return { command: node, prefix: [cli] };
  return { command: 'npm', prefix: [] };
}

/** What node_modules is made from, as one word: when it changes, packages are installed again. */
export function wantedStamp(root) {
  const hash = createHash('sha256').update(process.platform + process.arch);
  for (const file of ['package.json', 'package-lock.json']) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

// What every source file says at its top: what it is, and in the protocol its layer, with the number of docs/architecture.md.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkout } from '../support/checkout-copy.ts';

const folders = 'protocol,sdk,robot-agent,simulated-robot,web-demo,examples,bench,scripts,test';
const files = globSync(`{${folders}}/**/*.{ts,tsx,mjs,mts,js}`, {
  cwd: checkout,
  exclude: (path) => /(^|[/\\])(dist|node_modules)$/.test(path),
}).map((path) => path.replaceAll('\\', '/'));

/** The comment that a file opens with. */
function headerOf(path: string): string {
  const lines = readFileSync(join(checkout, path), 'utf8').split('\n');
  if (lines[0]?.startsWith('#!')) lines.shift();
  const end = lines.findIndex((line) => !line.startsWith('//'));
  return lines.slice(0, end < 0 ? undefined : end).join('\n');
}

it('every file opens with a comment', () => {
  expect(files.length).toBeGreaterThan(300);
  expect(files.filter((path) => headerOf(path) === '')).toEqual([]);
});

it('a file of the protocol names the layer of its folder', () => {
  const table = readFileSync(join(checkout, 'docs/architecture.md'), 'utf8');
  const layers = new Map(
    [...table.matchAll(/^\| `protocol\/(\w+)` \| (\d) \|/gm)].map(([, folder = '', layer = '']) => [folder, layer]),
  );
  expect([...layers.keys()]).toEqual(['wire', 'bus', 'objects', 'directory', 'session', 'transport']);
  const wrong = files.filter((path) => {
    const layer = layers.get(/^protocol\/(\w+)\//.exec(path)?.[1] ?? '');
    return layer !== undefined && !headerOf(path).includes(`Layer ${layer}`);
  });
  expect(wrong).toEqual([]);
});

// Where pages of the agent came from: kept over restarts, bounded, and no reason not to start.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createPageHosts, type PageHosts } from '../../robot-agent/door/page-hosts.ts';
import { makeScratchFolder } from '../support/checkout-copy.ts';

const folder = makeScratchFolder('page-hosts');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function open(path?: string): { readonly hosts: PageHosts; readonly failures: readonly string[] } {
  const failures: string[] = [];
  return { hosts: createPageHosts({ path, onFailed: (reason) => failures.push(reason) }), failures };
}

test('are known after a restart, but for this machine itself', () => {
  const path = join(folder, 'kept');
  const { hosts } = open(path);
  for (const name of ['192.0.2.7', 'localhost', 'fd00::1', 'nao.local', '192.0.2.7']) hosts.add(name);
  expect(hosts.has('localhost')).toBe(true);
  const again = open(path).hosts;
  expect(['192.0.2.7', 'fd00::1', 'nao.local', 'localhost'].map((name) => again.has(name))).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('are the newest 64', () => {
  const path = join(folder, 'many');
  const { hosts } = open(path);
  for (let index = 0; index < 64; index += 1) hosts.add(`192.0.2.${index}`);
  hosts.add('192.0.2.0');
  hosts.add('nao.local');
  for (const known of [hosts, open(path).hosts])
    expect([known.has('192.0.2.0'), known.has('192.0.2.1'), known.has('nao.local')]).toEqual([true, false, true]);
});

test('a file that makes no sense is read as far as it does', () => {
  const path = join(folder, 'odd');
  writeFileSync(path, `nao.local\n<script>\n\n${'a'.repeat(300)}\n192.0.2.7`);
  const { hosts, failures } = open(path);
  expect([hosts.has('nao.local'), hosts.has('192.0.2.7'), hosts.has('<script>'), hosts.has('')]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  hosts.add('nao-2.local');
  expect(readFileSync(path, 'utf8')).toBe('nao.local\n192.0.2.7\nnao-2.local');
  expect(failures).toEqual([]);
});

test('what cannot be kept is told once, and known until the end', () => {
  const path = join(folder, 'directory');
  mkdirSync(path);
  const { hosts, failures } = open(path);
  hosts.add('nao.local');
  hosts.add('192.0.2.7');
  expect(hosts.has('nao.local')).toBe(true);
  expect(failures).toHaveLength(1);
});

// qiway init: what it copies, and what it says when it cannot.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { init } from '../../sdk/cli/init.ts';
import { run } from '../../sdk/cli/run.ts';
import type { Terminal } from '../../sdk/cli/terminal.ts';

let folder: string;
let out: string;
let error: string;
const terminal: Terminal = {
  out: (text) => {
    out += text;
  },
  error: (text) => {
    error += text;
  },
  interrupted: new AbortController().signal,
  writeFile: async (path, content) => writeFileSync(path, content),
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qiway-init-'));
  for (const name of ['package', 'public']) mkdirSync(join(folder, name));
  out = '';
  error = '';
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('copies both files, over older ones, and says what comes next', async () => {
  for (const name of ['qiway-sw.js', 'qiway-worker.js']) writeFileSync(join(folder, 'package', name), `new ${name}`);
  writeFileSync(join(folder, 'public', 'qiway-sw.js'), 'old');
  const places = [join(folder, 'nothing'), join(folder, 'package')];
  expect(await init({ args: [join(folder, 'public')] }, { terminal }, places)).toBe(0);
  for (const name of ['qiway-sw.js', 'qiway-worker.js'])
    expect(readFileSync(join(folder, 'public', name), 'utf8')).toBe(`new ${name}`);
  expect(out).toContain('registerGateway');
});

test('writes nothing when a file is not built', async () => {
  writeFileSync(join(folder, 'package', 'qiway-sw.js'), 'new');
  const places = [join(folder, 'package')];
  await expect(init({ args: [join(folder, 'public')] }, { terminal }, places)).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining('npm run build'),
  });
  expect(() => readFileSync(join(folder, 'public', 'qiway-sw.js'))).toThrow();
});

test('makes a folder that is missing, and says so; nothing when a file is not built', async () => {
  const fresh = join(folder, 'app', 'public');
  const places = [join(folder, 'package')];
  await expect(init({ args: [fresh] }, { terminal }, places)).rejects.toMatchObject({ code: 'unsupported' });
  expect(existsSync(join(folder, 'app'))).toBe(false);
  for (const name of ['qiway-sw.js', 'qiway-worker.js']) writeFileSync(join(folder, 'package', name), `new ${name}`);
  expect(await init({ args: [fresh] }, { terminal }, places)).toBe(0);
  expect(readFileSync(join(fresh, 'qiway-sw.js'), 'utf8')).toBe('new qiway-sw.js');
  expect(out).toContain(`${fresh} is a new folder`);
});

test('wants a folder, and not a file or one below a file', async () => {
  const surroundings = { terminal, environment: {}, connect: () => Promise.reject(new Error('no robot is needed')) };
  const places = [join(folder, 'package')];
  for (const name of ['qiway-sw.js', 'qiway-worker.js']) writeFileSync(join(folder, 'package', name), `new ${name}`);
  const file = join(folder, 'package', 'qiway-sw.js');
  expect(await run(['init', file], surroundings)).toBe(2);
  expect(error).toContain('is not a folder');
  await expect(init({ args: [join(file, 'public')] }, { terminal }, places)).rejects.toThrow('cannot be made');
  expect(await run(['init'], surroundings)).toBe(2);
  expect(error).toContain('usage: qiway init DIR');
});

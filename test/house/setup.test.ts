// scripts/setup.mjs with an npm that only takes notes: what is installed when, and that two at once do no harm. Tooling test.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkout, makeScratchFolder } from '../support/checkout-copy.ts';
import { asNode20, type ProgramOutcome, runProgram } from '../support/run-program.ts';

/** Notes its arguments, then leaves what the real one would. Fails when NPM_FAILS matches them. */
const npmThatTakesNotes = `
const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs');
const args = process.argv.slice(2).filter((arg) => !/^--(loglevel|no-progress)/.test(arg));
appendFileSync('npm-calls', args.join(' ').replaceAll(process.cwd(), '.') + '\\n');
console.log('chatter of npm');
if (process.env.NPM_FAILS && new RegExp(process.env.NPM_FAILS).test(args.join(' '))) process.exit(7);
const home = args.includes('--prefix') ? '.runtime/node_modules' : 'node_modules';
mkdirSync(home + '/.bin', { recursive: true });
writeFileSync(home + '/.package-lock.json', '{}');
if (args.includes('--prefix')) writeFileSync(home + '/.bin/node', '');
`;

let folder: string;

function setup(env: Readonly<Record<string, string>> = {}): Promise<ProgramOutcome> {
  const npm = { npm_execpath: join(folder, 'npm-cli.js'), npm_node_execpath: process.execPath };
  return runProgram(process.execPath, ['scripts/setup.mjs'], { cwd: folder, env: { ...npm, ...env } });
}

function npmCalls(): readonly string[] {
  const file = join(folder, 'npm-calls');
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
}

beforeEach(() => {
  folder = makeScratchFolder('setup');
  cpSync(join(checkout, 'scripts'), join(folder, 'scripts'), { recursive: true });
  writeFileSync(join(folder, 'npm-cli.js'), npmThatTakesNotes);
  writeFileSync(join(folder, 'package.json'), '{}');
  writeFileSync(join(folder, 'package-lock.json'), '{}');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('setup', () => {
  it('installs a fresh clone, and says nothing on standard output', async () => {
    const { code, stdout, stderr } = await setup();
    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: '' });
    expect(npmCalls()).toEqual(['ci']);
  });

  it('does nothing the second time', async () => {
    await setup();
    const { code, stderr } = await setup();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(npmCalls()).toEqual(['ci']);
  });

  it('adds what is missing when the lockfile changed, without emptying node_modules', async () => {
    await setup();
    writeFileSync(join(folder, 'package-lock.json'), '{ "changed": true }');
    await setup();
    expect(npmCalls()).toEqual(['ci', 'install --no-save']);
  });

  it('installs once when several start at the same time', async () => {
    const outcomes = await Promise.all([setup(), setup(), setup()]);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(npmCalls()).toEqual(['ci']);
    expect(existsSync(join(folder, '.setup-lock'))).toBe(false);
  });

  it('takes over the lock of a process that died', async () => {
    const dead = spawnSync(process.execPath, ['--version']).pid;
    writeFileSync(join(folder, '.setup-lock'), String(dead));
    expect((await setup()).code).toBe(0);
    expect(npmCalls()).toEqual(['ci']);
  });

  it('fetches a newer Node where the running one is too old, and puts it where npm scripts find it', async () => {
    const { code, stderr } = await setup({ NODE_OPTIONS: asNode20 });
    expect(code, stderr).toBe(0);
    expect(npmCalls()).toEqual(['ci', 'install --prefix ./.runtime --no-save --no-package-lock node@24']);
    expect(readlinkSync(join(folder, 'node_modules', '.bin', 'node'))).toBe('../../.runtime/node_modules/.bin/node');
  });

  it('links the fetched Node again after npm emptied node_modules', async () => {
    await setup({ NODE_OPTIONS: asNode20 });
    rmSync(join(folder, 'node_modules'), { recursive: true });
    await setup({ NODE_OPTIONS: asNode20 });
    expect(npmCalls()).toHaveLength(3);
    expect(npmCalls().at(-1)).toBe('ci');
    expect(existsSync(join(folder, 'node_modules', '.bin', 'node'))).toBe(true);
  });

  it('installs in the lenient way where npm refuses the strict one', async () => {
    expect((await setup({ NPM_FAILS: '^ci' })).code).toBe(0);
    expect(npmCalls()).toEqual(['ci', 'install --no-save']);
  });

  it('fails with a sentence when npm fails, and tries again the next time', async () => {
    const { code, stderr } = await setup({ NPM_FAILS: '.' });
    expect(code).toBe(1);
    expect(stderr).toContain('npm could not install the packages; see its message above.');
    expect((await setup()).code).toBe(0);
  });

  it('puts back the manifest of a package whose packing was aborted a while ago', async () => {
    mkdirSync(join(folder, 'sdk'));
    const backup = join(folder, 'sdk', '.manifest-before-pack.json');
    writeFileSync(join(folder, 'sdk', 'package.json'), 'published');
    writeFileSync(backup, 'of the checkout');
    await setup();
    expect(readFileSync(join(folder, 'sdk', 'package.json'), 'utf8')).toBe('published');
    utimesSync(backup, new Date(0), new Date(0));
    await setup();
    expect(readFileSync(join(folder, 'sdk', 'package.json'), 'utf8')).toBe('of the checkout');
  });
});

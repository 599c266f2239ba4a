// `setup --network` on machines without iproute2, with a package manager that only takes notes. Tooling test.

import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkout, makeScratchFolder } from '../support/checkout-copy.ts';
import { runProgram } from '../support/run-program.ts';

let folder: string;

function addProgram(name: string, script: string): void {
  const file = join(folder, 'bin', name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

function addAptGet(status: number): void {
  addProgram('apt-get', `echo "$1" >> ${join(folder, 'apt-calls')}\nexit ${status}`);
}

function aptCalls(): string {
  const file = join(folder, 'apt-calls');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** Nothing is on PATH but what the test put there; user 0 is root. @returns what it said */
async function setup(user = 0): Promise<string> {
  const program = `
    process.getuid = () => ${user};
    import { installNetworkTools } from './scripts/install-network-tools.mjs';
    await installNetworkTools('.', (text) => console.log(text));`;
  const { stdout, code } = await runProgram(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: folder,
    env: { PATH: join(folder, 'bin') },
  });
  expect(code).toBe(0);
  return stdout;
}

beforeEach(() => {
  folder = makeScratchFolder('network-tools');
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'node_modules'));
  cpSync(join(checkout, 'scripts'), join(folder, 'scripts'), { recursive: true });
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('setup of the tools for networks', () => {
  it('takes those of the system without a word', async () => {
    addAptGet(0);
    addProgram('ip', 'exit 0');
    addProgram('ss', 'exit 0');
    expect(await setup()).toBe('');
    expect(aptCalls()).toBe('');
  });

  it('installs the package for root, with fresh lists', async () => {
    addAptGet(0);
    addProgram('ip', 'exit 0');
    expect(await setup()).toBe('installing the iproute2 package of this system\n');
    expect(aptCalls()).toBe('update\ninstall\n');
  });

  it('goes on where nothing can be installed, and says what that means', async () => {
    addAptGet(1);
    expect(await setup()).toContain('the tests of the network will be skipped');
  });

  it('installs nothing for users who cannot make networks', async () => {
    addAptGet(0);
    expect(await setup(1000)).toBe('');
    expect(aptCalls()).toBe('');
  });
});

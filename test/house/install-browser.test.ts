// `setup --browser` on machines without a browser, with a package manager that only takes notes. Tooling test.

import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkout, makeScratchFolder } from '../support/checkout-copy.ts';
import { type ProgramOutcome, runProgram } from '../support/run-program.ts';

let folder: string;

function addProgram(name: string, script: string): string {
  const file = join(folder, 'bin', name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** Installs a chromium that exits with `status`, whatever it is asked. */
function addAptGet(status: number): void {
  const chromium = join(folder, 'bin', 'chromium');
  const installs = `printf '#!/bin/sh\\nexit ${status}\\n' > ${chromium} && /bin/chmod +x ${chromium}`;
  addProgram('apt-get', `echo "$1" >> ${join(folder, 'apt-calls')}\nif [ "$1" = install ]; then ${installs}; fi`);
  addProgram('sudo', 'shift\nexec "$@"');
}

function aptCalls(): string {
  const file = join(folder, 'apt-calls');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** Nothing is on PATH but what the test put there; Playwright is not installed. */
function setup(env: Readonly<Record<string, string>> = {}): Promise<ProgramOutcome> {
  const program = `
    import { installBrowser } from './scripts/install-browser.mjs';
    await installBrowser('.', (text) => console.log(text)).catch((error) => console.log('failed:', error.message));`;
  return runProgram(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: folder,
    env: { PATH: join(folder, 'bin'), CHROMIUM_PATH: '', ...env },
  });
}

beforeEach(() => {
  folder = makeScratchFolder('browser');
  mkdirSync(join(folder, 'bin'));
  cpSync(join(checkout, 'scripts'), join(folder, 'scripts'), { recursive: true });
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('setup of a browser', () => {
  it('takes the browser of the system without a word', async () => {
    addAptGet(0);
    addProgram('google-chrome', 'exit 0');
    expect((await setup()).stdout).toBe('');
    expect(aptCalls()).toBe('');
  });

  it('installs the package of the system where there is none, with fresh lists', async () => {
    addAptGet(0);
    const { stdout } = await setup();
    expect(stdout).toContain('installing the chromium package');
    expect(stdout).not.toContain('failed');
    expect(aptCalls()).toBe('update\ninstall\n');
  });

  it('says what to do where the installed browser does not start', async () => {
    addAptGet(1);
    expect((await setup()).stdout).toContain('failed: no browser for the tests could be installed. Install Chromium');
  });

  it('says what to do where nothing can be installed', async () => {
    expect((await setup()).stdout).toContain('or set CHROMIUM_PATH to one, then run this again.');
  });

  it('refuses a CHROMIUM_PATH that is no program', async () => {
    const { stdout } = await setup({ CHROMIUM_PATH: join(folder, 'nothing') });
    expect(stdout).toContain(`failed: CHROMIUM_PATH says ${join(folder, 'nothing')}, which is no program.`);
  });

  it('takes the CHROMIUM_PATH that is set', async () => {
    expect((await setup({ CHROMIUM_PATH: addProgram('my-browser', 'exit 0') })).stdout).toBe('');
  });
});

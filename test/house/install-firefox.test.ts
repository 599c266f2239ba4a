// `setup --firefox` on machines without a Firefox, with a package manager that only takes notes. Tooling test.

import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkout, makeScratchFolder } from '../support/checkout-copy.ts';
import { runProgram } from '../support/run-program.ts';

let folder: string;

function addProgram(name: string, script = 'exit 0'): string {
  const file = join(folder, 'bin', name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** Notes what it is asked to install, and installs it. */
function addAptGet(): void {
  const firefox = join(folder, 'bin', 'firefox-esr');
  const installs = `printf '#!/bin/sh\\nexit 0\\n' > ${firefox} && /bin/chmod +x ${firefox}`;
  addProgram('apt-get', `if [ "$1" = install ]; then echo "$@" >> ${join(folder, 'installed')}; ${installs}; fi`);
  addProgram('sudo', 'shift\nexec "$@"');
}

/** Nothing is on PATH but what the test put there. Tells what setup says, then what it finds. */
async function setup(env: Readonly<Record<string, string>> = {}): Promise<string> {
  const program = `
    import { findFirefox } from './scripts/find-browser.mjs';
    import { installFirefox } from './scripts/install-firefox.mjs';
    await installFirefox('.', (text) => console.log(text))
      .then(() => console.log('found', findFirefox()), (error) => console.log('failed:', error.message));`;
  const { stdout } = await runProgram(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: folder,
    env: { PATH: join(folder, 'bin'), FIREFOX_PATH: '', ...env },
  });
  return stdout.trim();
}

beforeEach(() => {
  folder = makeScratchFolder('install-firefox');
  mkdirSync(join(folder, 'bin'));
  cpSync(join(checkout, 'scripts'), join(folder, 'scripts'), { recursive: true });
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('setup of a Firefox', () => {
  it('takes the one of the system without a word', async () => {
    addAptGet();
    const path = addProgram('firefox');
    expect(await setup()).toBe(`found ${path}`);
    expect(existsSync(join(folder, 'installed'))).toBe(false);
  });

  it('installs the package of the system where there is none', async () => {
    addAptGet();
    expect(await setup()).toBe(
      `installing the firefox-esr package of this system\nfound ${join(folder, 'bin', 'firefox-esr')}`,
    );
    expect(readFileSync(join(folder, 'installed'), 'utf8')).toBe('install -y -q --no-install-recommends firefox-esr\n');
  });

  it('goes on where nothing can be installed, and says what to do', async () => {
    expect(await setup()).toBe(
      'Firefox could not be installed. Install it, or set FIREFOX_PATH to it, then run this again.\nfound undefined',
    );
  });

  it('takes the FIREFOX_PATH that is set, and refuses one that is no program', async () => {
    const path = addProgram('my-firefox');
    expect(await setup({ FIREFOX_PATH: path })).toBe(`found ${path}`);
    expect(await setup({ FIREFOX_PATH: folder })).toContain(
      `failed: FIREFOX_PATH says ${folder}, which is no program.`,
    );
  });
});

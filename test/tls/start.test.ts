// `npm start -- --tls self`: one line on stdout, the https URL; how devices learn to trust it on stderr.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkout } from '../support/checkout-copy.ts';
import { startProgram } from '../support/program.ts';
import { askSecurely } from './lab.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qiway-start-tls-'));
  writeFileSync(join(folder, 'index.html'), '<h1>console</h1>');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('serves the console over https, with the robot behind it', async () => {
  const options = ['--port', '0', '--tls', 'self', '--state', join(folder, 'state'), '--web', folder];
  const program = startProgram(join(checkout, 'scripts/start.ts'), options);
  try {
    const [url] = await program.said(/^https:\/\/127\.0\.0\.1:\d+\/#token=\S+$/);
    const [, install = ''] = await program.said(/open (http:\S+\/install) on it/);
    const [, fingerprint = ''] = await program.said(/^ {2}((?:[0-9A-F]{2}:){31}[0-9A-F]{2})$/);
    const page = await (await fetch(install)).text();
    expect(page.replaceAll('<wbr>', '')).toContain(fingerprint);
    const ca = await (await fetch(`${install}/qiway-authority.crt`)).text();
    const { origin, hash } = new URL(url);
    expect((await askSecurely(origin, { ca })).text).toBe('<h1>console</h1>');
    const authorization = `Bearer ${new URLSearchParams(hash.slice(1)).get('token')}`;
    const services = await askSecurely(`${origin}/robot/services`, { ca, headers: { authorization } });
    expect(services.text).toContain('"ALMotion"');
  } finally {
    await program.end();
  }
});

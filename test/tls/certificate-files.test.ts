// Certificates in files: refused by name at the start, read again when somebody renewed them.
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { certificateFiles } from '../../robot-agent/tls/certificate-files.ts';
import type { Certificates } from '../../robot-agent/tls/certificates.ts';
import { readServeTls } from '../../robot-agent/tls/serve-tls.ts';
import { type Authority, authority, type Certified, selfSigned } from '../qi/tls-certificates.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';
import { askSecurely, type KeptLog, keptLog, securePort, shownAt } from './lab.ts';

/** Between looks at the files. */
const LOOK_MS = 10_000;

let trusted: Authority;
let other: Authority;
let first: Certified;
let second: Certified;
let folder: string;
let clock: VirtualClock;
let log: KeptLog;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  const notAfter = new Date(Date.now() + 60 * 86_400_000);
  [trusted, other] = await Promise.all([authority('house'), authority('other')]);
  [first, second] = await Promise.all([
    trusted.certify('127.0.0.1', { notAfter }),
    trusted.certify('127.0.0.1', { notAfter }),
  ]);
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qiway-files-'));
  [clock, log] = [virtualClock(), keptLog()];
  put(first);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true });
});

const at = (name: string): string => join(folder, name);

function put({ cert, key }: Partial<Certified>): void {
  if (cert !== undefined) writeFileSync(at('cert.pem'), cert);
  if (key !== undefined) writeFileSync(at('key.pem'), key);
}

async function open(
  changes: { readonly ca?: string; readonly cert?: string; readonly key?: string } = {},
): Promise<Certificates> {
  const certificates = await certificateFiles({
    cert: at('cert.pem'),
    key: at('key.pem'),
    ...changes,
    clock,
    logger: log,
    now: () => new Date(),
  });
  closers.push(() => certificates.stop());
  return certificates;
}

/** Resolves once one more look at the files has come to its end: the next is then planned. */
async function looked(): Promise<void> {
  let isPlanned = false;
  const { after } = clock;
  clock.after = (delayMs, run) => {
    isPlanned = true;
    return after(delayMs, run);
  };
  await clock.advance(LOOK_MS);
  await expect.poll(() => isPlanned, { interval: 5 }).toBe(true);
  clock.after = after;
}

describe('a renewal', () => {
  test('is shown to whoever comes next, without a restart', async () => {
    const certificates = await open();
    const port = await securePort(certificates);
    closers.push(() => port.close());
    expect((await shownAt(port.port)).fingerprint256).toBe(new X509Certificate(first.cert).fingerprint256);
    put(second);
    await looked();
    expect((await shownAt(port.port)).fingerprint256).toBe(new X509Certificate(second.cert).fingerprint256);
    expect((await askSecurely(`https://127.0.0.1:${port.port}/`, { ca: trusted.ca })).status).toBe(200);
    expect(log.lines).toEqual([expect.stringContaining('info the certificate was renewed')]);
  });

  test('by links that lead elsewhere, as ACME clients do it', async () => {
    for (const [index, { cert, key }] of [first, second].entries()) {
      mkdirSync(at(`archive${index}`));
      writeFileSync(at(`archive${index}/fullchain.pem`), cert);
      writeFileSync(at(`archive${index}/privkey.pem`), key);
    }
    mkdirSync(at('live'));
    const link = (index: number): void => {
      for (const name of ['fullchain.pem', 'privkey.pem']) {
        symlinkSync(at(`archive${index}/${name}`), at(`live/${name}.new`));
        renameSync(at(`live/${name}.new`), at(`live/${name}`));
      }
    };
    link(0);
    const choice = readServeTls(`dir=${at('live')}`);
    if (choice?.kind !== 'files') throw new Error('no files');
    const certificates = await open(choice);
    link(1);
    await looked();
    expect(certificates.shown.cert).toBe(second.cert);
  });

  test('that is half done is waited for without a word', async () => {
    const certificates = await open();
    put({ cert: second.cert });
    await looked();
    expect(certificates.shown.cert).toBe(first.cert);
    put({ key: second.key });
    await looked();
    expect(certificates.shown).toMatchObject(second);
    expect(log.lines).toHaveLength(1);
  });

  test.each([
    ['broken', () => put({ cert: 'nonsense' }), 'is not PEM'],
    ['removed', () => rmSync(at('key.pem')), 'there is no such file'],
    ['of another key', () => put({ key: second.key }), 'does not belong to the certificate'],
  ])('that is %s keeps the old one, is told once, and may be put right', async (_, breakIt, reason) => {
    const certificates = await open();
    breakIt();
    for (let look = 0; look < 5; look += 1) await looked();
    expect(certificates.shown).toMatchObject(first);
    expect(log.lines).toEqual([expect.stringContaining(reason)]);
    expect(log.lines[0]).toContain('the one before stays');
    put(second);
    await looked();
    expect(certificates.shown).toMatchObject(second);
    expect(log.lines).toHaveLength(2);
  });

  test('that never came is told once, a week before the end', async () => {
    put(await trusted.certify('127.0.0.1', { notAfter: new Date(Date.now() + 6 * 86_400_000) }));
    await open();
    for (let look = 0; look < 3; look += 1) await looked();
    expect(log.lines).toEqual([expect.stringContaining('was not renewed, and ends soon')]);
  });
});

describe('is refused at the start with the file and the reason', () => {
  const past = new Date(Date.now() - 3_600_000);
  test.each<[string, () => unknown, RegExp]>([
    [
      'a file that is not there',
      () => rmSync(at('cert.pem')),
      /--tls: .*cert\.pem cannot be read: there is no such file/,
    ],
    ['a file that is empty', () => put({ key: '' }), /key\.pem: The file is empty/],
    ['a key of another certificate', () => put({ key: second.key }), /key\.pem: The private key does not belong to/],
    [
      'an expired certificate',
      async () => put(await selfSigned('nao', { notBefore: new Date(0), notAfter: past })),
      /cert\.pem: The certificate of CN=nao expired at/,
    ],
    [
      'certificate and key interchanged',
      () => put({ cert: first.key, key: first.cert }),
      /cert\.pem: .*may be interchanged/,
    ],
    [
      'an encrypted key',
      () => put({ key: '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA\n-----END ENCRYPTED PRIVATE KEY-----\n' }),
      /key\.pem: The private key is encrypted: decrypt it/,
    ],
  ])('%s', async (_, spoil, sentence) => {
    await spoil();
    await expect(open()).rejects.toThrow(sentence);
    await expect(open()).rejects.toMatchObject({ code: 'config-invalid', data: { key: 'tls' } });
  });

  test('an authority that did not sign it', async () => {
    writeFileSync(at('ca.pem'), other.ca);
    await expect(open({ ca: at('ca.pem') })).rejects.toThrow(/ca\.pem does not vouch for .*cert\.pem/);
    writeFileSync(at('ca.pem'), trusted.ca);
    expect((await open({ ca: at('ca.pem') })).authority).toBe(trusted.ca);
  });
});

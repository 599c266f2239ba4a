// The authority of a robot's own: what it vouches for, as long as it lasts, and what TLS libraries make of it.
import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Certificates } from '../../robot-agent/tls/certificates.ts';
import { allowedBy, issueLeaf, makeAuthority } from '../../robot-agent/tls/issue.ts';
import { AUTHORITY_FILE, ownAuthority } from '../../robot-agent/tls/own-authority.ts';
import { allowedFor } from '../../robot-agent/tls/served-names.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';
import { askSecurely, type KeptLog, keptLog, securePort, shownAt } from './lab.ts';

const DAY_MS = 86_400_000;
const HOSTS = ['localhost', 'nao', 'nao.local', '127.0.0.1', '::1', '10.1.2.3', 'fd00::7'];

let directory: string;
let clock: VirtualClock;
let log: KeptLog;
let hosts: readonly string[];
let nowMs: number;
const closers: (() => unknown)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'qiway-authority-'));
  [clock, log, hosts, nowMs] = [virtualClock(), keptLog(), HOSTS, Date.now()];
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(directory, { recursive: true });
});

async function open(changes: { readonly directory?: string | undefined } = {}): Promise<Certificates> {
  const certificates = await ownAuthority({
    directory,
    name: 'Qiway robot nao',
    hosts: () => hosts,
    clock,
    logger: log,
    now: () => new Date(nowMs),
    ...changes,
  });
  closers.push(() => certificates.stop());
  return certificates;
}

const leafOf = ({ shown }: Certificates): X509Certificate => new X509Certificate(shown.cert);
const authorityOf = ({ authority }: Certificates): X509Certificate => new X509Certificate(authority ?? '');
const namesIn = (certificate: X509Certificate): string[] =>
  (certificate.subjectAltName ?? '').split(', ').map((name) => name.replace(/^(DNS|IP Address):/, '').toLowerCase());

describe('the authority', () => {
  test('is made once, kept for this user alone, and the same after a restart', async () => {
    const first = await open();
    const path = join(directory, AUTHORITY_FILE);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const again = await open();
    expect(again.authority).toBe(first.authority);
    const { subject, ca, validFromDate, validToDate } = authorityOf(first);
    expect(subject).toBe('CN=Qiway robot nao\nO=Qiway');
    expect(ca).toBe(true);
    expect((validToDate.getTime() - validFromDate.getTime()) / DAY_MS / 365.25).toBeCloseTo(10, 1);
  });

  test('of two agents that start at the same time is one', async () => {
    const [one, other] = await Promise.all([open(), open()]);
    expect(one.authority).toBe(other.authority);
  });

  test('vouches for what the agent is called, in a certificate that devices take', async () => {
    const certificates = await open();
    const leaf = leafOf(certificates);
    const port = await securePort(certificates);
    closers.push(() => port.close());
    expect(leaf.verify(authorityOf(certificates).publicKey)).toBe(true);
    expect([leaf.ca, leaf.keyUsage]).toEqual([false, ['1.3.6.1.5.5.7.3.1']]);
    const days = (leaf.validToDate.getTime() - leaf.validFromDate.getTime()) / DAY_MS;
    expect(days).toBeGreaterThan(80);
    expect(days).toBeLessThan(100);
    for (const host of HOSTS) expect(leaf.checkHost(host) ?? leaf.checkIP(host), host).toBeDefined();
    const ca = certificates.authority ?? '';
    expect((await askSecurely(`https://127.0.0.1:${port.port}/x`, { ca })).text).toBe('secure /x 0\n');
    const asNao = await askSecurely(`https://127.0.0.1:${port.port}/`, { ca, servername: 'nao.local' });
    expect(asNao.status).toBe(200);
    await expect(askSecurely(`https://127.0.0.1:${port.port}/`, { ca, servername: 'pepper.local' })).rejects.toThrow(
      /altnames/,
    );
  });

  test.each(['bank.example', 'localhost.example', '8.8.8.8'])(
    'is not believed for %s, even with a certificate of its own making',
    async (host) => {
      const now = new Date();
      const authority = await makeAuthority({ name: 'Qiway robot', allowed: allowedFor(HOSTS), now });
      const leaf = await issueLeaf({ authority, hosts: [host, '127.0.0.1'], now });
      const shown = { cert: `${leaf.cert}${authority.cert}`, key: leaf.key };
      const port = await securePort({
        shown,
        authority: authority.cert,
        onChange: () => {},
        follow: async () => {},
        stop: () => {},
      });
      closers.push(() => port.close());
      await expect(askSecurely(`https://127.0.0.1:${port.port}/`, { ca: authority.cert })).rejects.toThrow(
        /permitted subtree violation/,
      );
    },
  );

  test('is held to names of the robot and private addresses', async () => {
    hosts = [...HOSTS, 'nao.lab.example', '203.0.113.7'];
    const { authority = '' } = await open();
    const { names, subnets } = allowedBy(authority);
    expect(names).toEqual(['localhost', 'local', 'nao', 'nao.lab.example']);
    expect(subnets).toContain('192.168.0.0/16');
    expect(subnets).toContain('fc00::/7');
    expect(subnets).toContain('203.0.113.7/32');
  });
});

describe('the certificate', () => {
  test('is made anew when the machine has another address, and told', async () => {
    const certificates = await open();
    const told: string[] = [];
    certificates.onChange(({ cert }) => told.push(cert));
    const before = certificates.shown;
    await certificates.follow();
    expect(certificates.shown).toBe(before);
    hosts = [...HOSTS.filter((host) => host !== '10.1.2.3'), '192.168.7.8'];
    await certificates.follow();
    expect(told).toEqual([certificates.shown.cert]);
    expect(namesIn(leafOf(certificates))).toContain('192.168.7.8');
    expect(namesIn(leafOf(certificates))).not.toContain('10.1.2.3');
    expect(authorityOf(certificates).fingerprint256).toBe(
      new X509Certificate(certificates.authority ?? '').fingerprint256,
    );
  });

  test('is shown to whoever comes next', async () => {
    const certificates = await open();
    const port = await securePort(certificates);
    closers.push(() => port.close());
    const before = await shownAt(port.port);
    hosts = [...HOSTS, '192.168.7.8'];
    await certificates.follow();
    const after = await shownAt(port.port);
    expect(after.fingerprint256).not.toBe(before.fingerprint256);
    expect(after.fingerprint256).toBe(leafOf(certificates).fingerprint256);
  });

  test('is made anew by itself a month before its end', async () => {
    const certificates = await open();
    const first = leafOf(certificates);
    nowMs += 55 * DAY_MS;
    await clock.advance(3_600_000);
    await certificates.follow();
    expect(leafOf(certificates).fingerprint256).toBe(first.fingerprint256);
    nowMs += 6 * DAY_MS;
    await clock.advance(3_600_000);
    await expect.poll(() => leafOf(certificates).fingerprint256).not.toBe(first.fingerprint256);
    expect(leafOf(certificates).validToDate.getTime()).toBeGreaterThan(nowMs + 80 * DAY_MS);
  });

  test('leaves out what the authority was not made for, and says so once', async () => {
    const certificates = await open();
    hosts = [...HOSTS, 'pepper', '198.51.100.1', 'fe80::1%eth0', 'under_score'];
    await certificates.follow();
    await certificates.follow();
    expect(namesIn(leafOf(certificates))).not.toContain('pepper');
    expect(log.lines.filter((line) => line.startsWith('warn'))).toEqual([
      expect.stringContaining('"names":"pepper 198.51.100.1"'),
    ]);
  });
});

describe('what cannot be used is told at the start', () => {
  test('a file that holds something else', async () => {
    const path = join(directory, AUTHORITY_FILE);
    writeFileSync(path, 'nothing', { mode: 0o600 });
    await expect(open()).rejects.toThrow(
      /\[config-invalid\] --state: .*authority\.pem holds no authority; put back a copy/,
    );
  });

  test('a damaged certificate', async () => {
    await open();
    const path = join(directory, AUTHORITY_FILE);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/M[A-Za-z0-9+/]{20}/, 'MAAA'), { mode: 0o600 });
    await expect(open()).rejects.toThrow(/authority\.pem is damaged/);
  });

  test('a key that others may read', async () => {
    await open();
    chmodSync(join(directory, AUTHORITY_FILE), 0o644);
    await expect(open()).rejects.toThrow(/authority\.pem may be read by other users/);
  });

  test('an authority that has ended', async () => {
    await open();
    nowMs += 3700 * DAY_MS;
    await expect(open()).rejects.toThrow(/authority\.pem ended at 20.*delete it/);
  });

  test('a clock that begins anew', async () => {
    nowMs = Date.parse('1970-01-01T00:05:00Z');
    await expect(open()).rejects.toThrow(/--tls self: the clock of this machine says 1970-01-01.*set the clock first/);
  });

  test('nowhere to keep it is borne, and told', async () => {
    const certificates = await open({ directory: undefined });
    expect(certificates.authority).toContain('BEGIN CERTIFICATE');
    expect(log.lines).toEqual([expect.stringContaining('warn the authority is not kept')]);
  });
});

// TLS set-ups that cannot work: each is refused by its name, before a socket is opened.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  EmbeddedBus,
  joinBus,
  listenBus,
  type TlsClientOptions,
  type TlsServerOptions,
} from '../../robot-agent/qi/index.ts';
import { checkServerTls, fingerprintOf, readFingerprint } from '../../robot-agent/qi/tls-options.ts';
import { failureOf } from '../contract/calls.ts';
import { type Authority, authority, type Certified, selfSigned } from './tls-certificates.ts';

const LONG_AGO = { notBefore: new Date('2001-01-01'), notAfter: new Date('2002-01-01') };
const IN_THE_FUTURE = { notBefore: new Date('2090-01-01'), notAfter: new Date('2091-01-01') };

let trusted: Authority;
let good: Certified;
let another: Certified;
let expired: Certified;
let early: Certified;
let encryptedKey: string;

beforeAll(async () => {
  trusted = await authority('Trusted');
  [good, another, expired, early] = await Promise.all([
    trusted.certify('127.0.0.1'),
    trusted.certify('127.0.0.1'),
    selfSigned('robot', LONG_AGO),
    selfSigned('robot', IN_THE_FUTURE),
  ]);
  encryptedKey = createPrivateKey(good.key)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' })
    .toString();
});

async function listenFailure(scheme: string, tls?: object): Promise<{ code: string; key: unknown; message: string }> {
  const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
  const options = tls === undefined ? {} : { tls: tls as TlsServerOptions };
  const error = await failureOf(listenBus(bus, `${scheme}://127.0.0.1:0`, options).then((handle) => handle.close()));
  await bus.close();
  return { code: error.code, key: (error.data as { key?: string }).key, message: error.message };
}

/** With `keepTrying` everything but a wrong set-up would resolve. */
async function joinFailure(
  scheme: string,
  tls: TlsClientOptions,
): Promise<{ code: string; key: unknown; message: string }> {
  const error = await failureOf(
    joinBus(`${scheme}://127.0.0.1:1`, { tls, keepTrying: true }).then((bus) => bus.close()),
  );
  return { code: error.code, key: (error.data as { key?: string }).key, message: error.message };
}

const der = (): Buffer => new X509Certificate(good.cert).raw;

describe('a port with TLS', () => {
  test.each<[string, string, () => object | undefined, string, string]>([
    ['without anything', 'tcps', () => undefined, 'tls.cert', 'A tcps port needs a certificate'],
    ['without a certificate', 'tcps', () => ({ key: good.key }), 'tls.cert', 'needs a certificate'],
    ['without a key', 'tcps', () => ({ cert: good.cert }), 'tls.key', 'needs the private key'],
    ['with an empty key', 'tcps', () => ({ cert: good.cert, key: '' }), 'tls.key', 'needs the private key'],
    ['with a key of another', 'tcps', () => ({ ...good, key: another.key }), 'tls.key', 'does not belong to'],
    ['with no PEM', 'tcps', () => ({ ...good, cert: 'hello' }), 'tls.cert', 'is not PEM'],
    ['with DER', 'tcps', () => ({ ...good, cert: der() }), 'tls.cert', 'looks like DER'],
    [
      'with damaged PEM',
      'tcps',
      () => ({ ...good, cert: good.cert.replace(/MII.{40}/, 'MIIA') }),
      'tls.cert',
      'damaged',
    ],
    ['with both interchanged', 'tcps', () => ({ cert: good.key, key: good.cert }), 'tls.cert', 'interchanged'],
    ['with a certificate for a key', 'tcps', () => ({ ...good, key: good.cert }), 'tls.key', 'interchanged'],
    ['with a key that is none', 'tcps', () => ({ ...good, key: 'hello' }), 'tls.key', 'is not PEM'],
    ['with an expired certificate', 'tcps', () => expired, 'tls.cert', 'expired at 2002-01-01'],
    ['with one of the future', 'tcps', () => early, 'tls.cert', 'only from 2090-01-01'],
    ['with an encrypted key', 'tcps', () => ({ ...good, key: encryptedKey }), 'tls.passphrase', 'is encrypted'],
    [
      'with a wrong passphrase',
      'tcps',
      () => ({ ...good, key: encryptedKey, passphrase: 'abracadabra' }),
      'tls.passphrase',
      'does not open',
    ],
    ['mutual, without an authority', 'tcpsm', () => good, 'tls.ca', 'needs the authority'],
    ['mutual, with no authority', 'tcpsm', () => ({ ...good, ca: 'hello' }), 'tls.ca', 'authority is not PEM'],
    ['mutual, with an expired authority', 'tcpsm', () => ({ ...good, ca: expired.cert }), 'tls.ca', 'expired'],
  ])('%s is refused', async (_, scheme, tls, key, words) => {
    const failure = await listenFailure(scheme, tls());
    expect(failure).toMatchObject({ code: 'config-invalid', key });
    expect(failure.message).toContain(words);
  });

  test('takes an encrypted key with its passphrase, and buffers as read from files', () => {
    const encrypted = { cert: Buffer.from(good.cert), key: Buffer.from(encryptedKey), passphrase: 'open sesame' };
    expect(() => checkServerTls('tcps', encrypted, new Date())).not.toThrow();
  });

  test('takes a chain, and looks at each certificate of it', () => {
    const chain = (cert: string) => ({ ...good, cert: `${good.cert}\n${cert}\n` });
    expect(() => checkServerTls('tcps', chain(trusted.ca), new Date())).not.toThrow();
    expect(() => checkServerTls('tcps', chain(expired.cert), new Date())).toThrow('expired');
  });

  test('takes authorities of which one expired', () => {
    const both = { ...good, ca: `${expired.cert}\n${trusted.ca}` };
    expect(() => checkServerTls('tcpsm', both, new Date())).not.toThrow();
  });

  test('goes by the date it is given', () => {
    expect(() => checkServerTls('tcps', good, new Date('2089-12-31'))).toThrow('expired');
    expect(() => checkServerTls('tcps', early, new Date('2090-06-01'))).not.toThrow();
  });

  test('of a program that joins is checked when it joins', async () => {
    const options = { listen: ['tcps://127.0.0.1:0'], keepTrying: true };
    const error = await failureOf(joinBus('tcp://127.0.0.1:1', options).then((bus) => bus.close()));
    expect(error).toMatchObject({ code: 'config-invalid', data: { key: 'tls.cert' } });
  });
});

describe('a client of TLS', () => {
  test.each<[string, string, () => TlsClientOptions, string, string]>([
    ['mutual, without a certificate', 'tcpsm', () => ({}), 'tls.cert', 'needs a certificate of this client'],
    ['mutual, without a key', 'tcpsm', () => ({ cert: good.cert }), 'tls.key', 'needs its private key'],
    ['with a key alone', 'tcps', () => ({ key: good.key }), 'tls.cert', 'of no use without'],
    ['with a key of another', 'tcpsm', () => ({ ...good, key: another.key }), 'tls.key', 'does not belong to'],
    ['with an expired certificate', 'tcpsm', () => expired, 'tls.cert', 'expired'],
    ['with no authority', 'tcps', () => ({ ca: 'hello' }), 'tls.ca', 'is not PEM'],
    ['with a short fingerprint', 'tcps', () => ({ fingerprints: ['sha256:abc'] }), 'tls.fingerprints', '"sha256:abc"'],
    ['with a SHA-1', 'tcps', () => ({ fingerprints: [`sha1:${'a'.repeat(40)}`] }), 'tls.fingerprints', '64 hex digits'],
  ])('%s is refused, also if it were to try for ever', async (_, scheme, tls, key, words) => {
    const failure = await joinFailure(scheme, tls());
    expect(failure).toMatchObject({ code: 'config-invalid', key });
    expect(failure.message).toContain(words);
  });
});

test('a fingerprint is read however tools write it', () => {
  const certificate = new X509Certificate(good.cert);
  const written = fingerprintOf(certificate);
  expect(written).toMatch(/^sha256:[0-9a-f]{64}$/);
  const colons = certificate.fingerprint256;
  for (const text of [written, colons, colons.toLowerCase(), `sha256 Fingerprint=${colons}`, ` SHA256:${colons} `])
    expect(readFingerprint(text)).toBe(written);
});

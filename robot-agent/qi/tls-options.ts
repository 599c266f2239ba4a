// What a program says about TLS, checked before a socket is opened: every mistake is refused by its name. Pure.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { asQiwayError, QiwayError } from '@qiway/protocol/errors';
import type { Scheme } from './endpoints.ts';

/** PEM text, or the bytes of a PEM file. */
export type Pem = string | Buffer;

/** What a tcps or tcpsm port shows and asks for. */
export interface TlsServerOptions {
  /** The certificate, and those between it and the authority. */
  readonly cert: Pem;
  readonly key: Pem;
  /** If the key is encrypted. */
  readonly passphrase?: string;
  /** The authorities whose certificates clients may show; needed for tcpsm. */
  readonly ca?: Pem;
}

/** Whom a client believes over TLS, and what it shows. */
export interface TlsClientOptions {
  /** Authorities believed. Default: those of this system. */
  readonly ca?: Pem;
  /**
   * The only certificates believed, whoever signed them: `sha256:` and 64 hex digits, with or without colons. For robots,
   * which sign their own: a host name or an authority does not matter then.
   */
  readonly fingerprints?: readonly string[];
  /** The own certificate; needed for tcpsm. */
  readonly cert?: Pem;
  readonly key?: Pem;
  /** If the key is encrypted. */
  readonly passphrase?: string;
  /** Believes any certificate, as libqi does: whoever is on the way can pose as the robot. Default false. */
  readonly isUnverified?: boolean;
}

/** @throws `config-invalid` naming what is wrong with a port's set-up; nothing for tcp */
export function checkServerTls(scheme: Scheme, options: TlsServerOptions | undefined, now: Date): void {
  if (scheme === 'tcp') return;
  const cert = options?.cert;
  const key = options?.key;
  if (isMissing(cert)) refuse('cert', `A ${scheme} port needs a certificate to show: give its PEM text.`);
  if (isMissing(key)) refuse('key', `A ${scheme} port needs the private key of its certificate: give its PEM text.`);
  checkPair({ cert, key, passphrase: options?.passphrase }, now);
  const ca = options?.ca;
  if (scheme === 'tcpsm' && isMissing(ca))
    refuse('ca', 'A tcpsm port needs the authority whose certificates clients may show: give its PEM certificate.');
  if (ca !== undefined) checkAuthorities(ca, now);
  checkTogether({ cert, key, ca, passphrase: options?.passphrase });
}

/** @throws `config-invalid` naming what is wrong with a client's set-up; with `tcp` what is given must be right as well */
export function checkClientTls(scheme: Scheme, options: TlsClientOptions, now: Date): void {
  const { ca, cert, key, passphrase, fingerprints = [] } = options;
  fingerprints.map(readFingerprint);
  if (scheme === 'tcpsm' && isMissing(cert))
    refuse('cert', 'A tcpsm:// URL needs a certificate of this client: give its PEM text and its key.');
  if (cert !== undefined && isMissing(key))
    refuse('key', 'The certificate of this client needs its private key: give its PEM text.');
  if (key !== undefined && isMissing(cert))
    refuse('cert', 'The private key of this client is of no use without its certificate: give its PEM text.');
  if (cert !== undefined && key !== undefined) checkPair({ cert, key, passphrase }, now);
  if (ca !== undefined) checkAuthorities(ca, now);
  checkTogether({ cert, key, ca, passphrase });
}

/** As Qiway writes it: `sha256:` and 64 small hex digits. */
export function fingerprintOf(certificate: X509Certificate): string {
  return readFingerprint(certificate.fingerprint256);
}

/** @throws `config-invalid` */
export function readFingerprint(text: string): string {
  const digits = text
    .trim()
    .replace(/^sha-?256( fingerprint)?[:=]/i, '')
    .replaceAll(/[:\s]/g, '')
    .toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(digits))
    refuse(
      'fingerprints',
      `"${text}" is not the fingerprint of a certificate: it must be sha256: and 64 hex digits, such as openssl x509 -fingerprint -sha256 shows.`,
    );
  return `sha256:${digits}`;
}

interface Pair {
  readonly cert: Pem;
  readonly key: Pem;
  readonly passphrase: string | undefined;
}

function checkPair({ cert, key, passphrase }: Pair, now: Date): void {
  const [own, ...chain] = readCertificates(cert, 'cert');
  for (const each of [own, ...chain]) {
    const why = whyNotValid(each, now);
    if (why !== undefined) refuse('cert', `The certificate of ${nameOf(each)} ${why}.`);
  }
  if (!own.checkPrivateKey(readKey(key, passphrase)))
    refuse('key', `The private key does not belong to the certificate of ${nameOf(own)} (${fingerprintOf(own)}).`);
}

function checkAuthorities(ca: Pem, now: Date): void {
  const all = readCertificates(ca, 'ca');
  if (all.some((each) => whyNotValid(each, now) === undefined)) return;
  refuse('ca', `The authority's certificate of ${nameOf(all[0])} ${whyNotValid(all[0], now)}.`);
}

/** What only the TLS library knows: keys that are too small, an odd curve. */
function checkTogether(pems: { readonly [name in 'cert' | 'key' | 'ca' | 'passphrase']: Pem | undefined }): void {
  const given = Object.fromEntries(Object.entries(pems).filter(([, pem]) => pem !== undefined));
  if (Object.keys(given).length === 0) return;
  try {
    createSecureContext(given);
  } catch (cause) {
    refuse(
      'cert',
      `The certificate cannot be used: ${asQiwayError(cause).message.replace(/^\[internal\] /, '')}.`,
      cause,
    );
  }
}

type Certificates = readonly [X509Certificate, ...X509Certificate[]];

function readCertificates(pem: Pem, what: 'cert' | 'ca'): Certificates {
  const name = what === 'ca' ? 'The authority' : 'The certificate';
  const blocks = pem.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    const [first, ...rest] = blocks.map((block) => new X509Certificate(block));
    if (first !== undefined) return [first, ...rest];
  } catch (cause) {
    refuse(
      what,
      `${name} is damaged: what stands between BEGIN CERTIFICATE and END CERTIFICATE cannot be read.`,
      cause,
    );
  }
  return refuse(what, `${name} is not PEM: it must hold -----BEGIN CERTIFICATE-----.${hintFor(pem)}`);
}

function hintFor(pem: Pem): string {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem.toString('latin1')))
    return ' It holds a private key: certificate and key may be interchanged.';
  // A DER sequence with a length of two bytes, as every certificate is; the second is no UTF-8.
  const isDer = typeof pem === 'string' ? pem.startsWith('0\ufffd') : pem[0] === 0x30 && pem[1] === 0x82;
  return isDer ? ' It looks like DER: openssl x509 -inform der turns it into PEM.' : '';
}

function readKey(pem: Pem, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key: pem, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (cause) {
    const text = pem.toString('latin1');
    const isEncrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text);
    if (isEncrypted && passphrase === undefined)
      refuse(
        'passphrase',
        'The private key is encrypted: give its passphrase, or decrypt it with openssl pkey.',
        cause,
      );
    if (isEncrypted) refuse('passphrase', 'The passphrase does not open the private key.', cause);
    const hint = text.includes('-----BEGIN CERTIFICATE-----')
      ? ' It holds a certificate: certificate and key may be interchanged.'
      : '';
    return refuse('key', `The private key is not PEM: it must hold -----BEGIN PRIVATE KEY-----.${hint}`, cause);
  }
}

function whyNotValid({ validFromDate, validToDate }: X509Certificate, now: Date): string | undefined {
  if (now > validToDate) return `expired at ${validToDate.toISOString()}: make a new one`;
  if (now < validFromDate) return `is valid only from ${validFromDate.toISOString()} on: check this machine's clock`;
  return undefined;
}

function nameOf({ subject, subjectAltName }: X509Certificate): string {
  return (subject ?? subjectAltName ?? 'no name').replaceAll('\n', ', ');
}

function isMissing(pem: Pem | undefined): pem is undefined {
  return pem === undefined || pem.length === 0;
}

function refuse(key: string, sentence: string, cause?: unknown): never {
  throw new QiwayError('config-invalid', sentence, { data: { key: `tls.${key}` }, cause });
}

// Certificates made for a test: an authority, and what it vouches for. PEM texts, as programs are given them.
import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its key, PEM. */
export interface Certified {
  readonly cert: string;
  readonly key: string;
}

export interface Validity {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

export interface Authority {
  /** Its own certificate: what others trust. */
  readonly ca: string;
  /** A certificate for a host name or an IPv4 address. */
  certify(host: string, validity?: Validity): Promise<Certified>;
}

/** As most robots have them. */
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: Uint8Array.of(1, 0, 1),
  modulusLength: 2048,
} as const;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const HOUR_MS = 3_600_000;

function newKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function keyPem({ privateKey }: CryptoKeyPair): Promise<string> {
  const base64 = Buffer.from(await crypto.subtle.exportKey('pkcs8', privateKey)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${base64.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
}

function dates({ notBefore, notAfter }: Validity): { readonly notBefore: Date; readonly notAfter: Date } {
  return {
    notBefore: notBefore ?? new Date(Date.now() - HOUR_MS),
    notAfter: notAfter ?? new Date(Date.now() + HOUR_MS),
  };
}

function named(host: string): Extension {
  return new SubjectAlternativeNameExtension([{ type: /^[\d.]+$/.test(host) ? 'ip' : 'dns', value: host }]);
}

export async function authority(name: string): Promise<Authority> {
  const keys = await newKeys();
  const own = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 1, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
    ...dates({}),
  });
  return {
    ca: own.toString('pem'),
    certify: async (host, validity = {}) => {
      const ofHost = await newKeys();
      const cert = await X509CertificateGenerator.create({
        subject: `CN=${host}`,
        issuer: own.subject,
        publicKey: ofHost.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [named(host)],
        ...dates(validity),
      });
      return { cert: cert.toString('pem'), key: await keyPem(ofHost) };
    },
  };
}

/** A certificate that nobody but itself vouches for, as robots have it. */
export async function selfSigned(
  host: string,
  { isRsa = false, ...validity }: Validity & { readonly isRsa?: boolean } = {},
): Promise<Certified> {
  const algorithm = isRsa ? RSA : ALGORITHM;
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const cert = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${host}`,
    keys,
    signingAlgorithm: algorithm,
    extensions: [named(host)],
    ...dates(validity),
  });
  return { cert: cert.toString('pem'), key: await keyPem(keys) };
}

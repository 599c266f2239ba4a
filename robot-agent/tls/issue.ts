// Makes certificates: an authority of the robot's own, and what it vouches for. Knows no files, and no time but what it is told.
import 'reflect-metadata';
import { randomBytes, type webcrypto, X509Certificate } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import { GeneralName, GeneralSubtree, GeneralSubtrees, NameConstraints } from '@peculiar/asn1-x509';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate as PeculiarCertificate,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { type Allowed, sorted } from './served-names.ts';

/** PEM. */
export interface CertificateAndKey {
  readonly cert: string;
  readonly key: string;
}

export interface AuthorityRequest {
  /** For people, who find it among the authorities of their device. */
  readonly name: string;
  readonly allowed: Allowed;
  readonly now: Date;
}

export interface LeafRequest {
  readonly authority: CertificateAndKey;
  /** Names and addresses it is to stand for. */
  readonly hosts: readonly string[];
  readonly now: Date;
}

/** What every device of people takes, in certificates as in TLS. */
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** A robot outlives its phones; whoever trusted it once need not again. */
const AUTHORITY_DAYS = 3652;
/** Devices refuse more than 825 (Apple); it is made anew long before. */
const LEAF_DAYS = 90;
/** Clocks of robots and tablets differ. */
const EARLIER_MS = DAY_MS;
/** RFC 5280, 4.2.1.10. */
const NAME_CONSTRAINTS = '2.5.29.30';
/** As common names may be (RFC 5280, ub-common-name). */
const MAX_NAME = 64;

/** An authority that can vouch for servers of `allowed`, and for nothing else. */
export async function makeAuthority({ name, allowed, now }: AuthorityRequest): Promise<CertificateAndKey> {
  const keys = await newKeys();
  const cert = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [name.slice(0, MAX_NAME)] }, { O: ['Qiway'] }],
    keys,
    signingAlgorithm: ALGORITHM,
    ...validity(now, AUTHORITY_DAYS),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new Extension(NAME_CONSTRAINTS, true, constraints(allowed)),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${cert.toString('pem')}\n`, key: await keyPem(keys) };
}

/** A certificate of a server, with a fresh key. */
export async function issueLeaf({ authority, hosts, now }: LeafRequest): Promise<CertificateAndKey> {
  const keys = await newKeys();
  const issuer = new PeculiarCertificate(authority.cert);
  const [pkcs8] = PemConverter.decode(authority.key);
  const signingKey = await crypto.subtle.importKey('pkcs8', pkcs8 as ArrayBuffer, ALGORITHM, false, ['sign']);
  const { names, addresses } = sorted(hosts);
  const cert = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    // No host name: what it is for stands in the names below, where their number has no bound.
    subject: [{ CN: ['Qiway robot agent'] }],
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    ...validity(now, LEAF_DAYS),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension([
        ...names.map((value) => ({ type: 'dns' as const, value })),
        ...addresses.map((value) => ({ type: 'ip' as const, value })),
      ]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return { cert: `${cert.toString('pem')}\n`, key: await keyPem(keys) };
}

/** Of an authority that {@link makeAuthority} made: what it is held to. */
export function allowedBy(cert: string): Allowed {
  const extension = new PeculiarCertificate(cert).getExtension(NAME_CONSTRAINTS);
  const { permittedSubtrees } =
    extension === null ? new NameConstraints() : AsnConvert.parse(extension.value, NameConstraints);
  const bases = [...(permittedSubtrees ?? [])].map(({ base }) => base);
  return {
    names: bases.flatMap(({ dNSName }) => dNSName ?? []),
    subnets: bases.flatMap(({ iPAddress }) => iPAddress ?? []),
  };
}

/** When it ends, and whether it holds yet. */
export function validityOf(cert: string): { readonly from: Date; readonly to: Date } {
  const { validFromDate, validToDate } = new X509Certificate(cert);
  return { from: validFromDate, to: validToDate };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function keyPem({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  return `${PemConverter.encode(await crypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY')}\n`;
}

/** Positive, with more chance than anybody asks for (CA/Browser Forum: 64 bits). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return bytes.toString('hex');
}

function validity(now: Date, days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  // Certificates have whole seconds.
  const wholeMs = Math.floor(now.getTime() / 1000) * 1000;
  return { notBefore: new Date(wholeMs - EARLIER_MS), notAfter: new Date(wholeMs + days * DAY_MS) };
}

function constraints({ names, subnets }: Allowed): ArrayBuffer {
  const bases = [
    ...names.map((dNSName) => new GeneralName({ dNSName })),
    ...subnets.map((iPAddress) => new GeneralName({ iPAddress })),
  ];
  const permittedSubtrees = new GeneralSubtrees(bases.map((base) => new GeneralSubtree({ base })));
  return AsnConvert.serialize(new NameConstraints({ permittedSubtrees }));
}

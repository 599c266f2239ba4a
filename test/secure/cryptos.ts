// The implementations of the Crypto seam, with what only tests need of them: keys from given secrets.
import * as node from 'node:crypto';
import { type AgreementKey, type Crypto, concat, type IdentityKey } from '@qiway/protocol/secure/crypto';
import type { Later } from '@qiway/protocol/secure/later';
import { nodeCrypto } from '@qiway/protocol/secure/node-crypto';
import { nobleAgreementKey, nobleCrypto, nobleIdentity } from '../../sdk/crypto/noble-crypto.ts';
import { webAgreementKey, webCrypto, webIdentity } from '../../sdk/crypto/web-crypto.ts';

export interface TestedCrypto {
  readonly name: string;
  readonly crypto: Crypto;
  agreementKey(secret: Uint8Array): Later<AgreementKey>;
  identity(secret: Uint8Array): Later<IdentityKey>;
}

export const onNode: ReturnType<typeof nodeCrypto> = nodeCrypto(node);
const { subtle } = globalThis.crypto;

export const cryptos: readonly TestedCrypto[] = [
  { name: 'node:crypto', crypto: onNode, agreementKey: onNode.agreementKey, identity: onNode.identity },
  {
    name: 'WebCrypto',
    crypto: webCrypto(subtle),
    agreementKey: async (secret) => webAgreementKey(subtle, await pairFrom(secret, { name: 'X25519', byte: 0x6e })),
    identity: async (secret) => webIdentity(subtle, await pairFrom(secret, { name: 'Ed25519', byte: 0x70 })),
  },
  { name: 'noble', crypto: nobleCrypto, agreementKey: nobleAgreementKey, identity: nobleIdentity },
];

/** WebCrypto takes a private key with its public key only. */
async function pairFrom(secret: Uint8Array, { name, byte }: { name: string; byte: number }): Promise<CryptoKeyPair> {
  const der = concat(fromHex('302e020100300506032b65'), Uint8Array.of(byte), fromHex('04220420'), secret);
  const [privateUse, publicUse]: [KeyUsage, KeyUsage[]] = name === 'X25519' ? ['deriveBits', []] : ['sign', ['verify']];
  const privateKey = await subtle.importKey('pkcs8', der, { name }, true, [privateUse]);
  const { x = '', kty = '', crv = '' } = await subtle.exportKey('jwk', privateKey);
  const publicKey = await subtle.importKey('jwk', { kty, crv, x }, { name }, true, publicUse);
  return { privateKey, publicKey };
}

export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
}

// The Crypto seam on the platform's WebCrypto: in pages and workers of secure origins.
import {
  type AgreementKey,
  type Crypto,
  concat,
  type IdentityKey,
  KEY_BYTES,
  type SealingKey,
} from '@qiway/protocol/secure/crypto';

const AGREEMENT = 'X25519';
const IDENTITY = 'Ed25519';
const SEALING = 'AES-GCM';

/** Where WebCrypto is whole, undefined elsewhere: older browsers know neither X25519 nor Ed25519, plain http has none at all. */
export async function wholeWebCrypto(subtle: SubtleCrypto | undefined): Promise<Crypto | undefined> {
  if (subtle === undefined) return undefined;
  const crypto = webCrypto(subtle);
  try {
    await Promise.all([crypto.makeAgreementKey(), crypto.makeIdentity()]);
    return crypto;
  } catch {
    return undefined;
  }
}

export function webCrypto(subtle: SubtleCrypto): Crypto {
  return {
    makeAgreementKey: async () => webAgreementKey(subtle, await makePair(subtle, AGREEMENT, 'deriveBits')),
    makeIdentity: async () => webIdentity(subtle, await makeIdentityPair(subtle)),
    sha256: async (bytes) => new Uint8Array(await subtle.digest('SHA-256', asSource(bytes))),
    hkdf: async (salt, secret, bytes) => {
      const key = await subtle.importKey('raw', asSource(secret), 'HKDF', false, ['deriveBits']);
      const options = { name: 'HKDF', hash: 'SHA-256', salt: asSource(salt), info: new Uint8Array(0) };
      return new Uint8Array(await subtle.deriveBits(options, key, bytes * 8));
    },
    sealingKey: async (key) =>
      sealingKey(subtle, await subtle.importKey('raw', asSource(key), SEALING, false, ['encrypt', 'decrypt'])),
    verify: async ({ publicKey, message, signature }) => {
      try {
        const key = await subtle.importKey('raw', asSource(publicKey), IDENTITY, false, ['verify']);
        return await subtle.verify(IDENTITY, key, asSource(signature), asSource(message));
      } catch {
        return false;
      }
    },
  };
}

/** One that signs and cannot be read, not even by the page: fit to be kept. */
export function makeIdentityPair(subtle: SubtleCrypto): Promise<CryptoKeyPair> {
  return makePair(subtle, IDENTITY, 'sign');
}

export async function webIdentity(subtle: SubtleCrypto, pair: CryptoKeyPair): Promise<IdentityKey> {
  return {
    publicKey: await publicBytes(subtle, pair),
    sign: async (message) => new Uint8Array(await subtle.sign(IDENTITY, pair.privateKey, asSource(message))),
  };
}

export async function webAgreementKey(subtle: SubtleCrypto, pair: CryptoKeyPair): Promise<AgreementKey> {
  return {
    publicKey: await publicBytes(subtle, pair),
    agree: async (theirs) => {
      const key = await subtle.importKey('raw', asSource(theirs), AGREEMENT, false, []);
      return new Uint8Array(await subtle.deriveBits({ name: AGREEMENT, public: key }, pair.privateKey, KEY_BYTES * 8));
    },
  };
}

async function makePair(subtle: SubtleCrypto, name: string, use: KeyUsage): Promise<CryptoKeyPair> {
  const uses: KeyUsage[] = use === 'sign' ? ['sign', 'verify'] : [use];
  return (await subtle.generateKey({ name }, false, uses)) as CryptoKeyPair;
}

async function publicBytes(subtle: SubtleCrypto, { publicKey }: CryptoKeyPair): Promise<Uint8Array> {
  return new Uint8Array(await subtle.exportKey('raw', publicKey));
}

/** All arguments are copied by the platform before a call returns. */
function sealingKey(subtle: SubtleCrypto, key: CryptoKey): SealingKey {
  const options = (nonce: Uint8Array, associated: Uint8Array | undefined): AesGcmParams => ({
    name: SEALING,
    iv: asSource(nonce),
    ...(associated !== undefined && { additionalData: asSource(associated) }),
  });
  return {
    seal: async (nonce, parts, associated) => {
      const [first] = parts;
      const plain = parts.length === 1 && first !== undefined ? first : concat(...parts);
      return [new Uint8Array(await subtle.encrypt(options(nonce, associated), key, asSource(plain)))];
    },
    open: async (nonce, sealed, associated) => {
      try {
        return new Uint8Array(await subtle.decrypt(options(nonce, associated), key, asSource(sealed)));
      } catch {
        return undefined;
      }
    },
  };
}

/** Not shared with other threads: nothing of ours is. */
function asSource(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}

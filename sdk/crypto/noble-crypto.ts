// The Crypto seam in JavaScript, on noble's audited primitives: for pages of http://robot-ip, where browsers hide
// crypto.subtle. Loaded only there; x25519 and ed25519 of @noble/curves would be 6 kB more.
import { gcm } from '@noble/ciphers/aes.js';
import { pow } from '@noble/curves/abstract/modular.js';
import { montgomery } from '@noble/curves/abstract/montgomery.js';
import * as ed25519 from '@noble/ed25519';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import {
  type AgreementKey,
  type Crypto,
  concat,
  type IdentityKey,
  type SealingKey,
} from '@qiway/protocol/secure/crypto';

/** RFC 7748. */
const P = 2n ** 255n - 19n;
const x25519 = montgomery({
  P,
  type: 'x25519',
  powPminus2: (x) => pow(x, P - 2n, P),
  adjustScalarBytes: (bytes: Uint8Array): Uint8Array<ArrayBuffer> => {
    bytes[0] = (bytes[0] as number) & 248;
    bytes[31] = ((bytes[31] as number) & 127) | 64;
    return bytes as Uint8Array<ArrayBuffer>;
  },
});
ed25519.hashes.sha512 = sha512;

export function nobleAgreementKey(secret: Uint8Array): AgreementKey {
  return { publicKey: x25519.getPublicKey(secret), agree: (theirs) => x25519.getSharedSecret(secret, theirs) };
}

export function nobleIdentity(secret: Uint8Array): IdentityKey {
  return { publicKey: ed25519.getPublicKey(secret), sign: (message) => ed25519.sign(message, secret) };
}

export const nobleCrypto: Crypto = {
  makeAgreementKey: () => nobleAgreementKey(random()),
  makeIdentity: () => nobleIdentity(random()),
  sha256: (bytes) => sha256(bytes),
  hkdf: (salt, secret, bytes) => hkdf(sha256, secret, salt, undefined, bytes),
  sealingKey: (key) => sealingKey(key.slice()),
  verify: ({ publicKey, message, signature }) => {
    try {
      // As RFC 8032 and the other implementations have it; noble's default takes more.
      return ed25519.verify(signature, message, publicKey, { zip215: false });
    } catch {
      return false;
    }
  },
};

/** Every 32 bytes are a secret of both kinds. */
function random(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(32));
}

function sealingKey(key: Uint8Array): SealingKey {
  return {
    seal: (nonce, parts, associated) => [gcm(key, nonce, associated).encrypt(joined(parts))],
    open: (nonce, sealed, associated) => {
      try {
        return gcm(key, nonce, associated).decrypt(sealed);
      } catch {
        return undefined;
      }
    },
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : concat(...parts);
}

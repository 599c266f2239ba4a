// The Crypto seam on node:crypto, at once and without promises. Beside layer 5; the module comes in as an argument, because
// the agent imports it and the SDK must not.
import {
  type AgreementKey,
  type Crypto,
  concat,
  type IdentityKey,
  KEY_BYTES,
  type SealingKey,
  TAG_BYTES,
} from './crypto.ts';

/**
 * Keys as node:crypto takes them: KeyObjects, or bytes with their format. Its types for them have no names here, so none is
 * told: all that are used are made in this file.
 */
type NodeKey = never;
interface NodeCipher {
  setAAD(associated: Uint8Array): unknown;
  update(part: Uint8Array): Uint8Array;
  final(): Uint8Array;
}
interface NodeCiphers {
  createSecretKey(key: Uint8Array): unknown;
  createCipheriv(
    name: 'aes-256-gcm',
    ...rest: [key: NodeKey, nonce: Uint8Array]
  ): NodeCipher & { getAuthTag(): Uint8Array };
  createDecipheriv(
    name: 'aes-256-gcm',
    ...rest: [key: NodeKey, nonce: Uint8Array, options: { authTagLength: number }]
  ): NodeCipher & { setAuthTag(tag: Uint8Array): unknown };
}
interface NodePublicKey {
  export(options: { format: 'der'; type: 'spki' }): Uint8Array;
}
/** What is used of node:crypto, so that this file needs no types of Node. */
export interface NodeCryptoModule extends NodeCiphers {
  randomBytes(count: number): Uint8Array;
  createHash(name: 'sha256'): { update(bytes: Uint8Array): { digest(): Uint8Array } };
  hkdfSync(
    digest: 'sha256',
    ...rest: [secret: Uint8Array, salt: Uint8Array, info: Uint8Array, bytes: number]
  ): ArrayBuffer;
  createPrivateKey(der: NodeKey): unknown;
  createPublicKey(from: NodeKey): NodePublicKey;
  diffieHellman(keys: { privateKey: NodeKey; publicKey: NodeKey }): Uint8Array;
  sign(algorithm: null, message: Uint8Array, key: NodeKey): Uint8Array;
  verify(algorithm: null, ...rest: [message: Uint8Array, key: NodeKey, signature: Uint8Array]): boolean;
}

/** {@link Crypto}, and keys from the secrets that a file keeps ({@link KEY_BYTES} each). */
export interface NodeCrypto extends Crypto {
  random(count: number): Uint8Array;
  agreementKey(secret: Uint8Array): AgreementKey;
  identity(secret: Uint8Array): IdentityKey;
}

/** Up to here one write of sealed text and tag costs less than two. */
const JOINED_BYTES = 16 * 1024;
/** DER before the 32 bytes of a key of X25519: RFC 8410. For Ed25519 the byte `X25519` is another. */
const PRIVATE_DER = Uint8Array.of(0x30, 46, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 34, 4, 32);
const PUBLIC_DER = Uint8Array.of(0x30, 42, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 3, 33, 0);
const X25519 = 0x6e;
const ED25519 = 0x70;
const NOTHING = new Uint8Array(0);

export function nodeCrypto(node: NodeCryptoModule): NodeCrypto {
  const privateKey = (secret: Uint8Array, curve: number): NodeKey => {
    const key = concat(withCurve(PRIVATE_DER, curve), secret);
    return node.createPrivateKey({ key, format: 'der', type: 'pkcs8' } as NodeKey) as NodeKey;
  };
  const publicKey = (bytes: Uint8Array, curve: number): NodeKey => {
    const key = concat(withCurve(PUBLIC_DER, curve), bytes);
    return node.createPublicKey({ key, format: 'der', type: 'spki' } as NodeKey) as NodeKey;
  };
  const publicBytes = (key: NodeKey): Uint8Array =>
    new Uint8Array(node.createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES));

  const agreementKey = (secret: Uint8Array): AgreementKey => {
    const key = privateKey(secret, X25519);
    return {
      publicKey: publicBytes(key),
      agree: (theirs) => node.diffieHellman({ privateKey: key, publicKey: publicKey(theirs, X25519) }),
    };
  };
  const identity = (secret: Uint8Array): IdentityKey => {
    const key = privateKey(secret, ED25519);
    return { publicKey: publicBytes(key), sign: (message) => node.sign(null, message, key) };
  };
  return {
    random: (count) => node.randomBytes(count),
    agreementKey,
    identity,
    makeAgreementKey: () => agreementKey(node.randomBytes(KEY_BYTES)),
    makeIdentity: () => identity(node.randomBytes(KEY_BYTES)),
    sha256: (bytes) => node.createHash('sha256').update(bytes).digest(),
    hkdf: (salt, secret, bytes) => new Uint8Array(node.hkdfSync('sha256', secret, salt, NOTHING, bytes)),
    sealingKey: (key) => sealingKey(node, key),
    verify: ({ publicKey: theirs, message, signature }) => {
      try {
        return node.verify(null, message, publicKey(theirs, ED25519), signature);
      } catch {
        return false;
      }
    },
  };
}

function withCurve(der: Uint8Array, curve: number): Uint8Array {
  return der.map((byte) => (byte === X25519 ? curve : byte));
}

function sealingKey(node: NodeCiphers, secret: Uint8Array): SealingKey {
  // As an object: bytes would be made one for every record, which costs more than sealing a small one.
  const key = node.createSecretKey(secret) as NodeKey;
  return {
    seal: (nonce, parts, associated) => {
      const cipher = node.createCipheriv('aes-256-gcm', key, nonce);
      if (associated !== undefined) cipher.setAAD(associated);
      const pieces = parts.map((part) => cipher.update(part));
      cipher.final();
      pieces.push(cipher.getAuthTag());
      const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
      return bytes <= JOINED_BYTES ? [concat(...pieces)] : (pieces as [Uint8Array, ...Uint8Array[]]);
    },
    open: (nonce, sealed, associated) => {
      if (sealed.length < TAG_BYTES) return undefined;
      const textBytes = sealed.length - TAG_BYTES;
      const cipher = node.createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
      if (associated !== undefined) cipher.setAAD(associated);
      cipher.setAuthTag(sealed.subarray(textBytes));
      const plain = cipher.update(sealed.subarray(0, textBytes));
      try {
        cipher.final();
      } catch {
        return undefined;
      }
      // Not as a Buffer, whose slices are no copies.
      return new Uint8Array(plain.buffer, plain.byteOffset, plain.length);
    },
  };
}

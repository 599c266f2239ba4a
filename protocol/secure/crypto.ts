// The Crypto seam: the primitives of the handshake and of sealing, whoever computes them. Beside layer 5.
// Implementations: node:crypto (node-crypto.ts), WebCrypto and @noble (in the SDK).
import type { Later } from './later.ts';

/** Bytes of an X25519 or Ed25519 public key, of a SHA-256, of a symmetric key. */
export const KEY_BYTES = 32;
/** What a sealed text is longer than the open one. */
export const TAG_BYTES = 16;
/** RFC 8032. */
export const SIGNATURE_BYTES = 64;

/** An X25519 key. */
export interface AgreementKey {
  readonly publicKey: Uint8Array;
  /** The secret shared with whoever has the key to `publicKey`. @throws (or rejects) for a point of low order */
  agree(publicKey: Uint8Array): Later<Uint8Array>;
}

/** An Ed25519 key: who a robot or a client is. */
export interface IdentityKey {
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Later<Uint8Array>;
}

/** AES-256-GCM under one key. Arguments are read before a call returns; a nonce (12 bytes) must never serve twice. */
export interface SealingKey {
  /** The sealed text in one or more pieces, the tag at the end. `parts` are those of one text, and are only read. */
  seal(
    nonce: Uint8Array,
    parts: readonly Uint8Array[],
    associated?: Uint8Array,
  ): Later<readonly [Uint8Array, ...Uint8Array[]]>;
  /** Undefined when `sealed` was not sealed with this key, nonce and associated data. */
  open(nonce: Uint8Array, sealed: Uint8Array, associated?: Uint8Array): Later<Uint8Array | undefined>;
}

export interface Crypto {
  makeAgreementKey(): Later<AgreementKey>;
  /** One that lives in memory only. */
  makeIdentity(): Later<IdentityKey>;
  sha256(bytes: Uint8Array): Later<Uint8Array>;
  /** HKDF-SHA256 (RFC 5869) without info, which is the HKDF of Noise. */
  hkdf(salt: Uint8Array, secret: Uint8Array, bytes: number): Later<Uint8Array>;
  sealingKey(key: Uint8Array): Later<SealingKey>;
  /** Ed25519; false too for what is no key. */
  verify(signed: Signed): Later<boolean>;
}

export interface Signed {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** The parts in one piece. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

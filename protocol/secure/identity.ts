// Who a robot or a client is: an Ed25519 key, the id that follows from it, and the proof that a static key is its own.
// Beside layer 5; knows no handshake.
import { type AgreementKey, type Crypto, concat, type IdentityKey, KEY_BYTES, SIGNATURE_BYTES } from './crypto.ts';
import { come, type Later, type Steps, walk } from './later.ts';

/** The public key of the identity, and its signature. */
export const PROOF_BYTES: number = KEY_BYTES + SIGNATURE_BYTES;

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const PURPOSE = new TextEncoder().encode('qiway static key');

/** Lower-case base32 (RFC 4648) without padding. */
function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(value >>> (bits - 5)) & 31];
    value &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + ALPHABET[(value << (5 - bits)) & 31];
}

/** May this text be the id of a robot or a client? */
export function isId(text: string): boolean {
  return /^[a-z2-7]{52}$/.test(text);
}

/** The id of whoever has the identity with this public key. */
export function idOf(crypto: Crypto, publicKey: Uint8Array): Later<string> {
  return walk(idSteps(crypto, publicKey));
}

function* idSteps(crypto: Crypto, publicKey: Uint8Array): Steps<string> {
  return base32(yield* come(crypto.sha256(publicKey)));
}

/** Who one is on a link. */
export interface Credentials {
  readonly identity: IdentityKey;
  /** The key of handshakes. */
  readonly staticKey: AgreementKey;
  /** What `makeProof` gives for the two; made anew when it is absent. */
  readonly proof?: Uint8Array;
}

/** That `staticKey` belongs to `identity`: {@link PROOF_BYTES} that may be told to anybody. */
export function* makeProof({ identity, staticKey, proof }: Credentials): Steps<Uint8Array> {
  if (proof !== undefined) return proof;
  const signature = yield* come(identity.sign(concat(PURPOSE, staticKey.publicKey)));
  return concat(identity.publicKey, signature);
}

/** A proof as it came, and the static key that the handshake showed to be theirs. */
export interface ShownProof {
  readonly proof: Uint8Array;
  readonly staticKey: Uint8Array;
}

/** The id of the identity that `proof` shows for this static key; undefined when it is false. */
export function* readProof(crypto: Crypto, { proof, staticKey }: ShownProof): Steps<string | undefined> {
  const publicKey = proof.subarray(0, KEY_BYTES);
  const signature = proof.subarray(KEY_BYTES);
  const isTrue = yield* come(crypto.verify({ publicKey, message: concat(PURPOSE, staticKey), signature }));
  return isTrue ? yield* idSteps(crypto, publicKey) : undefined;
}

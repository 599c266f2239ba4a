// What the messages of the handshake say: wishes, who one is, and the client's hello. Beside layer 5.
import { QiwayError } from '../errors.ts';
import { type Crypto, concat } from './crypto.ts';
import { PROOF_BYTES, readProof } from './identity.ts';
import type { Steps } from './later.ts';
import type { NoiseHandshake } from './noise.ts';

/** What both sides put first, so that no other protocol's handshake can be taken for one of this. */
export const PROLOGUE: Uint8Array = new TextEncoder().encode('qiway.2');
/** The byte before a client's first message. */
export const PATTERN_BYTE = { XX: 1, IK: 2 } as const;
/** Bit 0 of the flags. */
const WANTS_SEAL = 1;

export interface Introduction {
  readonly id: string;
  readonly wantsSeal: boolean;
  /** What follows the proof. */
  readonly rest: Uint8Array;
}

export interface OwnIntroduction {
  readonly proof: Uint8Array;
  readonly wantsSeal: boolean;
  readonly rest?: Uint8Array;
}

export function introduce({ proof, wantsSeal, rest = new Uint8Array(0) }: OwnIntroduction): Uint8Array {
  return concat(Uint8Array.of(wantsSeal ? WANTS_SEAL : 0), proof, rest);
}

/** Who the other side is. @param payload as `noise` has just read it. @throws `handshake-failed` for a false proof */
export function* readIntroduction(
  payload: Uint8Array,
  { crypto, noise }: { readonly crypto: Crypto; readonly noise: NoiseHandshake },
): Steps<Introduction> {
  const restAt = 1 + PROOF_BYTES;
  const proof = payload.subarray(1, restAt);
  const id = payload.length < restAt ? undefined : yield* readProof(crypto, { proof, staticKey: noise.remoteStatic });
  if (id === undefined)
    throw new QiwayError('handshake-failed', 'The other side does not prove that its key of this link is its own.', {
      data: { reason: 'proof' },
    });
  return { id, wantsSeal: ((payload[0] as number) & WANTS_SEAL) !== 0, rest: payload.subarray(restAt) };
}

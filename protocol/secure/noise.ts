// The Noise Protocol Framework, revision 34, as far as links need it: patterns XX and IK over 25519, AESGCM, SHA256.
// Beside layer 5; knows no transports and not what payloads mean. Source: https://noiseprotocol.org/noise.html
import { QiwayError } from '../errors.ts';
import { type AgreementKey, type Crypto, concat, KEY_BYTES, type SealingKey, TAG_BYTES } from './crypto.ts';
import { come, type Steps } from './later.ts';
import { Nonces } from './nonces.ts';

export type Pattern = 'XX' | 'IK';

/** Section 7.5; the pre-message of IK is the responder's static key. */
const MESSAGES = {
  XX: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']],
  IK: [
    ['e', 'es', 's', 'ss'],
    ['e', 'ee', 'se'],
  ],
} as const;

export interface NoiseOptions {
  readonly crypto: Crypto;
  readonly pattern: Pattern;
  readonly isInitiator: boolean;
  readonly prologue: Uint8Array;
  readonly staticKey: AgreementKey;
  /** The initiator of IK must know it. */
  readonly remoteStatic?: Uint8Array;
}

/** Section 5.2: what both sides know so far, and the key that follows from it. */
class SymmetricState {
  readonly #crypto: Crypto;
  #chainingKey: Uint8Array;
  #hash: Uint8Array;
  #key: SealingKey | undefined;
  #nonces = new Nonces();

  constructor(crypto: Crypto, protocolName: string) {
    this.#crypto = crypto;
    // The names of both protocols are shorter than a hash: padded with zeros, not hashed.
    const name = new Uint8Array(KEY_BYTES);
    name.set(new TextEncoder().encode(protocolName));
    this.#hash = name;
    this.#chainingKey = name;
  }

  get hash(): Uint8Array {
    return this.#hash;
  }

  *mixHash(bytes: Uint8Array): Steps<void> {
    this.#hash = yield* come(this.#crypto.sha256(concat(this.#hash, bytes)));
  }

  *mixKey(secret: Uint8Array): Steps<void> {
    const derived = yield* come(this.#crypto.hkdf(this.#chainingKey, secret, 2 * KEY_BYTES));
    this.#chainingKey = derived.subarray(0, KEY_BYTES);
    this.#key = yield* come(this.#crypto.sealingKey(derived.subarray(KEY_BYTES)));
    this.#nonces = new Nonces();
  }

  *encryptAndHash(plain: Uint8Array): Steps<Uint8Array> {
    const bytes =
      this.#key === undefined
        ? plain
        : concat(...(yield* come(this.#key.seal(this.#nonces.next(), [plain], this.#hash))));
    yield* this.mixHash(bytes);
    return bytes;
  }

  *decryptAndHash(bytes: Uint8Array): Steps<Uint8Array> {
    const plain = this.#key === undefined ? bytes : yield* come(this.#key.open(this.#nonces.next(), bytes, this.#hash));
    if (plain === undefined)
      throw new QiwayError(
        'handshake-failed',
        'A message of the handshake cannot be read with the keys of this link.',
        {
          data: { reason: 'unreadable' },
        },
      );
    yield* this.mixHash(bytes);
    return plain;
  }

  /** How much longer an encrypted text is now. */
  get tagBytes(): number {
    return this.#key === undefined ? 0 : TAG_BYTES;
  }

  /** Keys of the initiator's messages, and of the responder's. */
  *split(): Steps<[SealingKey, SealingKey]> {
    const derived = yield* come(this.#crypto.hkdf(this.#chainingKey, new Uint8Array(0), 2 * KEY_BYTES));
    return [
      yield* come(this.#crypto.sealingKey(derived.subarray(0, KEY_BYTES))),
      yield* come(this.#crypto.sealingKey(derived.subarray(KEY_BYTES))),
    ];
  }
}

/** One side of one handshake: `write` and `read` in turns, beginning with the initiator's `write`, then `split`. */
export class NoiseHandshake {
  readonly #options: NoiseOptions;
  readonly #symmetric: SymmetricState;
  #step = 0;
  #ephemeral: AgreementKey | undefined;
  #remoteEphemeral: Uint8Array | undefined;
  #remoteStatic: Uint8Array | undefined;

  private constructor(options: NoiseOptions) {
    this.#options = options;
    this.#symmetric = new SymmetricState(options.crypto, `Noise_${options.pattern}_25519_AESGCM_SHA256`);
    this.#remoteStatic = options.remoteStatic;
  }

  static *begin(options: NoiseOptions): Steps<NoiseHandshake> {
    const handshake = new NoiseHandshake(options);
    const { pattern, isInitiator, prologue, staticKey, remoteStatic } = options;
    yield* handshake.#symmetric.mixHash(prologue);
    const responderStatic = isInitiator ? remoteStatic : staticKey.publicKey;
    if (pattern === 'IK') yield* handshake.#symmetric.mixHash(required(responderStatic));
    return handshake;
  }

  /** The other side's static key, from where its message brought it. @throws `internal` before */
  get remoteStatic(): Uint8Array {
    return required(this.#remoteStatic);
  }

  /** Names this handshake: equal on both sides, different for every other. */
  get hash(): Uint8Array {
    return this.#symmetric.hash;
  }

  /** The next message, ours. */
  *write(payload: Uint8Array): Steps<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (const token of this.#nextTokens()) {
      if (token === 'e') {
        this.#ephemeral = yield* come(this.#options.crypto.makeAgreementKey());
        parts.push(this.#ephemeral.publicKey);
        yield* this.#symmetric.mixHash(this.#ephemeral.publicKey);
      } else if (token === 's') {
        parts.push(yield* this.#symmetric.encryptAndHash(this.#options.staticKey.publicKey));
      } else yield* this.#mixAgreement(token);
    }
    parts.push(yield* this.#symmetric.encryptAndHash(payload));
    return concat(...parts);
  }

  /** The payload of the next message, theirs. @throws `handshake-failed`: what was read is then worth nothing */
  *read(message: Uint8Array): Steps<Uint8Array> {
    let rest = message;
    const take = (count: number): Uint8Array => {
      if (rest.length < count)
        throw new QiwayError('handshake-failed', 'A message of the handshake is too short.', {
          data: { reason: 'malformed' },
        });
      const part = rest.subarray(0, count);
      rest = rest.subarray(count);
      return part;
    };
    for (const token of this.#nextTokens()) {
      if (token === 'e') {
        this.#remoteEphemeral = take(KEY_BYTES);
        yield* this.#symmetric.mixHash(this.#remoteEphemeral);
      } else if (token === 's') {
        const sealed = take(KEY_BYTES + this.#symmetric.tagBytes);
        this.#remoteStatic = yield* this.#symmetric.decryptAndHash(sealed);
      } else yield* this.#mixAgreement(token);
    }
    return yield* this.#symmetric.decryptAndHash(rest);
  }

  /** Keys for what follows the handshake. */
  *split(): Steps<{ readonly send: SealingKey; readonly receive: SealingKey }> {
    const [first, second] = yield* this.#symmetric.split();
    return this.#options.isInitiator ? { send: first, receive: second } : { send: second, receive: first };
  }

  #nextTokens(): readonly ('e' | 's' | 'ee' | 'es' | 'se' | 'ss')[] {
    return required(MESSAGES[this.#options.pattern][this.#step++]);
  }

  /** @param token the initiator's key, then the responder's */
  *#mixAgreement(token: 'ee' | 'es' | 'se' | 'ss'): Steps<void> {
    const [initiators, responders] = token;
    const [ours, theirs] = this.#options.isInitiator ? [initiators, responders] : [responders, initiators];
    const key = ours === 'e' ? required(this.#ephemeral) : this.#options.staticKey;
    const publicKey = required(theirs === 'e' ? this.#remoteEphemeral : this.#remoteStatic);
    let secret: Uint8Array;
    try {
      secret = yield* come(key.agree(publicKey));
    } catch (cause) {
      throw unusable(cause);
    }
    // Of a point of low order, should the platform let it pass: anybody could compute the keys.
    if (secret.every((byte) => byte === 0)) throw unusable();
    yield* this.#symmetric.mixKey(secret);
  }
}

function unusable(cause?: unknown): QiwayError {
  return new QiwayError('handshake-failed', 'A message of the handshake holds a key that is none.', {
    data: { reason: 'malformed' },
    cause,
  });
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new QiwayError('internal', 'A handshake was carried out in the wrong order.');
  return value;
}

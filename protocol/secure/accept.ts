// The agent's side of the handshake: from a transport that somebody opened to one of which the client is known. Between
// layers 5 and 6. Nothing that a stranger sends gets further than its own transport.
import type { Clock } from '../clock.ts';
import { asQiwayError, QiwayError } from '../errors.ts';
import type { Transport } from '../session/transport.ts';
import type { Crypto } from './crypto.ts';
import { closeCode, Exchange, faultOf } from './exchange.ts';
import { type Credentials, makeProof } from './identity.ts';
import { come, type Steps, walk } from './later.ts';
import { NoiseHandshake, type Pattern } from './noise.ts';
import { type Introduction, introduce, PATTERN_BYTE, PROLOGUE, readIntroduction } from './payload.ts';
import { SecureTransport } from './secure-transport.ts';

export interface AcceptOptions extends Credentials {
  readonly crypto: Crypto;
  /** Must be true unless the transport ends on this machine. */
  readonly mustSeal: boolean;
  readonly clock: Clock;
  /** For each message of the client. */
  readonly timeoutMs: number;
  /** Of the records that follow; without it the transport's own bound holds. */
  readonly maxMessageBytes?: number;
}

export interface Accepted {
  readonly transport: Transport;
  /** Body of the client's hello, not looked at. Somebody may have recorded and repeated it: see section 5, Resume. */
  readonly hello: Uint8Array;
  readonly clientId: string;
  readonly isSealed: boolean;
}

/**
 * Must be called in the turn in which `transport` opened. When it rejects, the transport is closed.
 * @throws `handshake-failed`, `timeout`, `limit-exceeded`
 */
export async function accept(transport: Transport, options: AcceptOptions): Promise<Accepted> {
  const exchange = new Exchange(transport, options.clock);
  try {
    return await walk(acceptSteps(exchange, { ...options, transport }));
  } catch (error) {
    transport.close(closeCode(error), asQiwayError(error).code);
    throw error;
  }
}

function* acceptSteps(exchange: Exchange, options: AcceptOptions & { readonly transport: Transport }): Steps<Accepted> {
  const { transport, crypto, staticKey, mustSeal, timeoutMs, maxMessageBytes } = options;
  const first = yield* come(exchange.next(timeoutMs));
  const pattern = patternOf(first[0]);
  const noise = yield* NoiseHandshake.begin({ crypto, pattern, isInitiator: false, prologue: PROLOGUE, staticKey });
  const proof = yield* makeProof(options);
  const answer = introduce({ proof, wantsSeal: mustSeal });
  let theirs: Introduction;
  if (pattern === 'IK') {
    const payload = yield* readWithStaticKey(noise, first.subarray(1));
    theirs = yield* readIntroduction(payload, { crypto, noise });
    exchange.send(yield* noise.write(answer));
  } else {
    const payload = yield* noise.read(first.subarray(1));
    if (payload.length > 0) throw malformed('The first message of the handshake is too long.');
    exchange.send(yield* noise.write(answer));
    const last = yield* come(exchange.next(timeoutMs));
    theirs = yield* readIntroduction(yield* noise.read(last), { crypto, noise });
  }
  const isSealed = mustSeal || theirs.wantsSeal;
  const keys = isSealed ? yield* noise.split() : undefined;
  const secure = new SecureTransport(transport, { keys, maxMessageBytes });
  exchange.handOver(secure.below);
  return { transport: secure, hello: theirs.rest, clientId: theirs.id, isSealed };
}

function patternOf(byte: number | undefined): Pattern {
  if (byte === PATTERN_BYTE.XX) return 'XX';
  if (byte === PATTERN_BYTE.IK) return 'IK';
  throw malformed('The link does not begin with a handshake of version 2.');
}

/** The first message of IK. What cannot be read was meant for another static key than ours. */
function* readWithStaticKey(noise: NoiseHandshake, message: Uint8Array): Steps<Uint8Array> {
  try {
    return yield* noise.read(message);
  } catch (cause) {
    if (faultOf(cause) !== 'unreadable') throw cause;
    throw new QiwayError('handshake-failed', 'The client knows another static key than this agent has.', {
      data: { reason: 'static-key-unknown' },
      cause,
    });
  }
}

function malformed(sentence: string): QiwayError {
  return new QiwayError('handshake-failed', sentence, { data: { reason: 'malformed' } });
}

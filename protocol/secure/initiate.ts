// The client's side of the handshake: from an open transport to one of which both ends are known. Between layers 5 and 6.
import type { Clock } from '../clock.ts';
import { asQiwayError, QiwayError } from '../errors.ts';
import type { Transport } from '../session/transport.ts';
import { within } from '../within.ts';
import { type Crypto, concat } from './crypto.ts';
import { closeCode, Exchange, faultOf } from './exchange.ts';
import { type Credentials, makeProof } from './identity.ts';
import { come, type Steps, walk } from './later.ts';
import { NoiseHandshake } from './noise.ts';
import { introduce, PATTERN_BYTE, PROLOGUE, readIntroduction } from './payload.ts';
import { SecureTransport } from './secure-transport.ts';

/** What is known of a robot. */
export interface KnownRobot {
  readonly id: string;
  /** Its key of handshakes: with it the next handshake takes one round trip less. */
  readonly staticKey: Uint8Array;
}

export interface InitiateOptions extends Credentials {
  readonly crypto: Crypto;
  /** Whom one expects; without an id anybody is accepted. With a static key the pattern is IK, else XX. */
  readonly robot?: { readonly id?: string | undefined; readonly staticKey?: Uint8Array | undefined } | undefined;
  /** Body of the hello; called once, when the handshake gets to it. */
  readonly hello: () => Uint8Array;
  /** Must be true unless the transport ends on this machine. */
  readonly wantsSeal: boolean;
  readonly clock: Clock;
  /** For the whole handshake. */
  readonly timeoutMs: number;
}

export interface Initiated {
  /** The hello is delivered: the welcome is the first record. */
  readonly transport: Transport;
  readonly robot: KnownRobot;
  readonly isSealed: boolean;
}

/**
 * Must be called in the turn in which `transport` opened. When it rejects, the transport is closed.
 * @throws `robot-identity-mismatch` before anything but random bytes was sent that others than the expected robot can read;
 * `handshake-failed`, see {@link isStaticKeyUnknown}; `timeout`; `limit-exceeded` for a hello that is too long
 */
export async function initiate(transport: Transport, options: InitiateOptions): Promise<Initiated> {
  const exchange = new Exchange(transport, options.clock);
  try {
    const steps = Promise.resolve(walk(initiateSteps(exchange, { ...options, transport })));
    return await within(steps, options, 'The handshake did not end');
  } catch (error) {
    transport.close(closeCode(error), asQiwayError(error).code);
    throw error;
  }
}

/** Was it refused only because the robot has another static key by now? Then begin anew, on a new transport, without it. */
export function isStaticKeyUnknown(error: unknown): boolean {
  return faultOf(error) === 'static-key-unknown';
}

function* initiateSteps(
  exchange: Exchange,
  options: InitiateOptions & { readonly transport: Transport },
): Steps<Initiated> {
  const { transport, crypto, staticKey, robot = {}, hello, wantsSeal, clock, timeoutMs } = options;
  const deadlineMs = clock.now() + timeoutMs;
  const pattern = robot.staticKey === undefined ? 'XX' : 'IK';
  const noise = yield* NoiseHandshake.begin({
    crypto,
    pattern,
    isInitiator: true,
    prologue: PROLOGUE,
    staticKey,
    ...(robot.staticKey !== undefined && { remoteStatic: robot.staticKey }),
  });
  const proof = yield* makeProof(options);
  const introduction = (): Uint8Array => introduce({ proof, wantsSeal, rest: hello() });
  const first = yield* noise.write(pattern === 'IK' ? introduction() : new Uint8Array(0));
  exchange.send(concat(Uint8Array.of(PATTERN_BYTE[pattern]), first));
  const answer = yield* come(exchange.next(deadlineMs - clock.now()));
  const theirs = yield* readIntroduction(yield* noise.read(answer), { crypto, noise });
  if (robot.id !== undefined && robot.id !== theirs.id) throw mismatch(robot.id, theirs.id);
  if (pattern === 'XX') exchange.send(yield* noise.write(introduction()));
  const isSealed = wantsSeal || theirs.wantsSeal;
  const secure = new SecureTransport(transport, isSealed ? { keys: yield* noise.split() } : {});
  exchange.handOver(secure.below);
  return { transport: secure, robot: { id: theirs.id, staticKey: noise.remoteStatic }, isSealed };
}

function mismatch(expected: string, found: string): QiwayError {
  return new QiwayError(
    'robot-identity-mismatch',
    `Another robot answers at this address: ${found} instead of ${expected}. If your robot got a new identity, open the URL that its agent prints now.`,
    { data: { expected, found } },
  );
}

// The handshake of the side that opened the socket: announce, authenticate, agree. It knows no calls beyond that one.
import { errorText } from '@qiway/protocol/bus/encode-error';
import { decodeError } from '@qiway/protocol/bus/error-payload';
import { asQiwayError, QiwayError, sentenceOf } from '@qiway/protocol/errors';
import { type MessageHeader, MessageType } from '@qiway/protocol/wire/message';
import {
  AUTHENTICATE_ACTION,
  AuthenticationState,
  type Authenticator,
  encodeMap,
  prefixed,
  readMap,
  reasonOf,
  stateOf,
  userData,
} from './authentication.ts';
import { agreeOn, type Capabilities, capabilityEntries } from './capabilities.ts';
import type { MessageSocket, SocketListener } from './message-socket.ts';

export interface ClientHandshakeOptions {
  readonly socket: MessageSocket;
  readonly capabilities: Capabilities;
  readonly authenticator?: Authenticator;
  /** Called in the turn of the last message of the handshake: what follows it is for the next listener. */
  readonly onDone: (agreed: Capabilities) => void;
  /** Once; the socket is closed then. @see code `unauthorized`, `protocol-mismatch`, `link-lost` */
  readonly onFailed: (error: QiwayError) => void;
}

const FIRST_ID = 2;
/** Rounds of questions and answers before this side gives up; pairing takes one. */
const MAX_ROUNDS = 16;

export class ClientHandshake implements SocketListener {
  readonly #options: ClientHandshakeOptions;
  #agreed: Capabilities | undefined;
  #rounds = 0;
  #isOver = false;

  constructor(options: ClientHandshakeOptions) {
    this.#options = options;
  }

  begin(): void {
    const { capabilities, authenticator } = this.#options;
    this.#ask({ ...capabilityEntries(capabilities), ...prefixed(authenticator?.begin() ?? {}) });
  }

  fail(error: QiwayError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onFailed(error);
    this.#options.socket.destroy(error);
  }

  message(header: MessageHeader, payload: Uint8Array): void {
    if (
      this.#isOver ||
      header.service !== 0 ||
      header.action !== AUTHENTICATE_ACTION ||
      header.id !== FIRST_ID + this.#rounds
    )
      return;
    if (header.type === MessageType.error) this.#refused(errorText(decodeError(payload)));
    else if (header.type === MessageType.reply) this.#answered(readMap(payload));
  }

  closed(reason: QiwayError): void {
    // More is known than that it closed: it speaks TLS, or refused the certificate.
    if (reason.code === 'protocol-mismatch' || reason.code === 'unauthorized') return this.fail(reason);
    if (reason.code === 'wire-invalid')
      return this.fail(
        new QiwayError('link-lost', sentenceOf(reason), { data: { reason: reason.message }, cause: reason }),
      );
    this.fail(
      new QiwayError(
        'link-lost',
        'The other side closed the socket during the handshake: it may speak something else than qi, or refuse this client.',
        { data: { reason: reason.message }, cause: reason },
      ),
    );
  }

  #answered(map: Readonly<Record<string, unknown>>): void {
    this.#agreed ??= agreeOn(this.#options.capabilities, map);
    const state = stateOf(map);
    if (state === AuthenticationState.done) return this.#done(this.#agreed);
    if (state === AuthenticationState.error) return this.fail(unauthorized(reasonOf(map)));
    if (state !== AuthenticationState.continue)
      return this.fail(
        new QiwayError(
          'protocol-mismatch',
          `The other side answered the authentication with the unknown state ${String(state)}.`,
        ),
      );
    const { authenticator } = this.#options;
    this.#rounds += 1;
    if (authenticator?.next === undefined || this.#rounds > MAX_ROUNDS)
      return this.fail(unauthorized('the other side wants more than this client can tell'));
    Promise.resolve(userData(map))
      .then((data) => authenticator.next?.(data) ?? {})
      .then((data) => this.#ask(prefixed(data)))
      .catch((error: unknown) => this.fail(asQiwayError(error, 'unauthorized')));
  }

  /** An old server does not know the question: then capabilities are sent alone. Not so if this client has something to prove. */
  #refused(text: string): void {
    const { authenticator, socket, capabilities } = this.#options;
    if (authenticator !== undefined || /^authentication failed/i.test(text))
      return this.fail(authenticator === undefined ? notLetIn(text) : unauthorized(text));
    const payload = encodeMap(capabilityEntries(capabilities));
    socket.send(
      {
        id: FIRST_ID + 1,
        size: payload.length,
        version: 0,
        type: MessageType.capability,
        flags: 0,
        service: 0,
        object: 0,
        action: 0,
      },
      payload,
    );
    this.#done(agreeOn(capabilities, {}));
  }

  #done(agreed: Capabilities): void {
    this.#isOver = true;
    this.#options.onDone(agreed);
  }

  #ask(map: Readonly<Record<string, unknown>>): void {
    if (this.#isOver) return;
    const payload = encodeMap(map);
    this.#options.socket.send(
      {
        id: FIRST_ID + this.#rounds,
        size: payload.length,
        version: 0,
        type: MessageType.call,
        flags: 0,
        service: 0,
        object: 0,
        action: AUTHENTICATE_ACTION,
      },
      payload,
    );
  }
}

/** A client without credentials: it lacks them, or a certificate. */
function notLetIn(text: string): QiwayError {
  const what = /certificate/.test(text) ? 'refused this client' : 'wants credentials, and none are given here';
  return new QiwayError('unauthorized', `The other side ${what}: ${text}.`);
}

function unauthorized(reason: string): QiwayError {
  return new QiwayError('unauthorized', `The other side refused the credentials: ${reason}.`);
}

// The handshake of the side that accepted the socket: nothing but service 0 is answered before the client is let in.
// Answers are those of libqi, word for word.
import { encodeError } from '@qiway/protocol/bus/encode-error';
import { NOBODY_THERE } from '@qiway/protocol/bus/error-payload';
import { asQiwayError, QiwayError, sentenceOf } from '@qiway/protocol/errors';
import { type MessageHeader, MessageType } from '@qiway/protocol/wire/message';
import {
  AUTHENTICATE_ACTION,
  type AuthenticationData,
  type AuthenticationProvider,
  AuthenticationState,
  encodeMap,
  prefixed,
  readMap,
  stateEntry,
  userData,
  type Verdict,
} from './authentication.ts';
import { agreeOn, type Capabilities, capabilityEntries } from './capabilities.ts';
import type { MessageSocket, SocketListener } from './message-socket.ts';

export interface ServerHandshakeOptions {
  readonly socket: MessageSocket;
  readonly capabilities: Capabilities;
  /** Absent: everybody is let in. */
  readonly provider?: AuthenticationProvider;
  /**
   * Called in the turn of the deciding message: what follows it is for the next listener. `data` is what the client said
   * in all rounds. What is thrown refuses the client after all; `onFailed` is not called then.
   */
  readonly onDone: (agreed: Capabilities, data: AuthenticationData) => void;
  /** The socket closed before the client was let in. */
  readonly onFailed: (error: QiwayError) => void;
}

/** Bytes a client may send before it is let in: credentials and certificates take a few hundred. */
const MAX_BYTES_BEFORE = 65_536;
/** Stands behind a refusal, as libqi writes its own protocol version. */
const VERSION = '[1.0]';

interface Address {
  readonly id: number;
  readonly service: number;
  readonly object: number;
  readonly action: number;
}

export class ServerHandshake implements SocketListener {
  readonly #options: ServerHandshakeOptions;
  #state: 'waiting' | 'deciding' | 'over' = 'waiting';
  /** What the client announced, by a capability message or with its first call. */
  #announced: Readonly<Record<string, unknown>> | undefined;
  #isIntroduced = false;
  /** Of all rounds. */
  #data: AuthenticationData = {};

  constructor(options: ServerHandshakeOptions) {
    this.#options = options;
    options.socket.maxReceivedBytes = MAX_BYTES_BEFORE;
  }

  message(header: MessageHeader, payload: Uint8Array): void {
    if (this.#state === 'over') return;
    const { provider } = this.#options;
    const address = { id: header.id, service: header.service, object: header.object, action: header.action };
    const isAuthenticate =
      header.type === MessageType.call && header.service === 0 && header.action === AUTHENTICATE_ACTION;
    if (isAuthenticate && this.#state === 'waiting') return this.#authenticate(address, payload);
    if (provider !== undefined) {
      const text = `Expected authentication (service #0, type #${MessageType.call}, action #${AUTHENTICATE_ACTION}), received service #${header.service}, type #${header.type}, action #${header.action}`;
      return this.#refuse(address, text);
    }
    if (header.type === MessageType.capability) this.#announced = readMap(payload);
    else if (header.type === MessageType.call) this.#error(address, NOBODY_THERE);
  }

  closed(reason: QiwayError): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#options.onFailed(reason);
  }

  #authenticate(address: Address, payload: Uint8Array): void {
    const map = readMap(payload);
    this.#announced = { ...this.#announced, ...map };
    const { provider, socket } = this.#options;
    const data: AuthenticationData = { ...userData(map), remoteEndpoint: socket.remoteEndpoint };
    this.#data = { ...this.#data, ...data };
    if (provider === undefined) return this.#answer(address, { state: 'done' });
    this.#state = 'deciding';
    try {
      const verdict = provider(data);
      if (!(verdict instanceof Promise)) return this.#answer(address, verdict);
      verdict.then(
        (settled) => this.#answer(address, settled),
        (error: unknown) => this.#answer(address, refusedWith(error)),
      );
    } catch (error) {
      this.#answer(address, refusedWith(error));
    }
  }

  #answer(address: Address, verdict: Verdict): void {
    if (this.#state === 'over') return;
    if (verdict.state === 'refused') return this.#refuse(address, textOf(verdict));
    const { capabilities, onDone, socket } = this.#options;
    const isDone = verdict.state === 'done';
    this.#state = isDone ? 'over' : 'waiting';
    if (isDone) {
      socket.maxReceivedBytes = Number.POSITIVE_INFINITY;
      try {
        onDone(agreeOn(capabilities, this.#announced ?? {}), this.#data);
      } catch (error) {
        this.#error(address, textOf(refusedWith(error)));
        return socket.end(asQiwayError(error));
      }
    }
    const own = this.#isIntroduced ? {} : capabilityEntries(capabilities);
    this.#isIntroduced = true;
    this.#reply(address, {
      ...own,
      ...stateEntry(isDone ? AuthenticationState.done : AuthenticationState.continue),
      ...prefixed(verdict.data ?? {}),
    });
  }

  #refuse(address: Address, text: string): void {
    this.#state = 'over';
    this.#error(address, text);
    const error = new QiwayError('unauthorized', text);
    this.#options.onFailed(error);
    this.#options.socket.end(error);
  }

  #reply(address: Address, map: Readonly<Record<string, unknown>>): void {
    const payload = encodeMap(map);
    this.#options.socket.send(
      { ...address, size: payload.length, version: 0, type: MessageType.reply, flags: 0 },
      payload,
    );
  }

  #error(address: Address, text: string): void {
    const payload = encodeError(new QiwayError('call-failed', text, { data: { text } }), 'text');
    this.#options.socket.send(
      { ...address, size: payload.length, version: 0, type: MessageType.error, flags: 0 },
      payload,
    );
  }
}

type Refusal = Verdict & { readonly state: 'refused' };

function refusedWith(error: unknown): Refusal {
  return { state: 'refused', reason: sentenceOf(asQiwayError(error)) };
}

/** As libqi writes it. */
function textOf({ reason }: Refusal): string {
  return reason === undefined ? 'Authentication failed' : `Authentication failed: ${reason} ${VERSION}`;
}

/** The answer to a client that authenticates once more: it is in already. */
export function repeatAnswer(): Uint8Array {
  return encodeMap(stateEntry(AuthenticationState.done));
}

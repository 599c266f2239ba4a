// A socket after the handshake: its messages go to a Peer. Both sides of a socket end up here.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { decodeError } from '@qiway/protocol/bus/error-payload';
import { objectGone } from '@qiway/protocol/bus/object-gone';
import { Peer, type PeerLimits } from '@qiway/protocol/bus/peer';
import { serving } from '@qiway/protocol/bus/serving';
import type { ServiceLookup, ServingGuard } from '@qiway/protocol/bus/serving-side';
import type { Clock } from '@qiway/protocol/clock';
import { asQiwayError, QiwayError } from '@qiway/protocol/errors';
import type { Budget } from '@qiway/protocol/session/budget';
import { type MessageHeader, MessageType } from '@qiway/protocol/wire/message';
import {
  AUTHENTICATE_ACTION,
  type AuthenticationData,
  type AuthenticationProvider,
  type Authenticator,
} from './authentication.ts';
import { type Capabilities, OWN_CAPABILITIES, peerAgreement } from './capabilities.ts';
import { ClientHandshake } from './client-handshake.ts';
import type { Scheme } from './endpoints.ts';
import { MessageSocket, type SocketListener } from './message-socket.ts';
import { repeatAnswer, ServerHandshake } from './server-handshake.ts';
import type { SocketWatch } from './socket-watch.ts';

export interface PeerSocketOptions {
  readonly clock: Clock;
  /** What the socket is. Default tcp. */
  readonly scheme?: Scheme;
  /** What the other side may address here. */
  readonly services: ServiceLookup;
  /** What of it may not be used at the moment. */
  readonly guard?: ServingGuard;
  /** Default: those of libqi 4. */
  readonly capabilities?: Capabilities;
  /** Time for the whole handshake. */
  readonly timeoutMs: number;
  readonly limits?: Partial<PeerLimits>;
  readonly maxQueuedBytes?: number;
  /** What may wait for many programs together. */
  readonly budget?: Budget;
  readonly watch?: SocketWatch;
  /** The bus goes on without this socket: what breaks with it is the service, not the caller's own link. */
  readonly isKept?: boolean;
  /** The directory is at the other end: without it there is no bus. */
  readonly isDirectory?: boolean;
}

/**
 * The socket of an agent carries the calls of all its sessions, each of which may have 65,536 under way: one of them must
 * not use up what is for all.
 */
const SOCKET_LIMITS: Partial<PeerLimits> = { maxIncomingCalls: 1_048_576 };

/** Bytes. Requests up to this size are bounded by their number. */
const SMALL_BYTES = 1024;

/** A qi program at the other end of a socket. */
export class PeerSocket {
  readonly peer: Peer;
  readonly agreed: Capabilities;
  /** Resolves, with why, once the socket is closed, from whichever side. */
  readonly closed: Promise<QiwayError>;
  readonly #socket: MessageSocket;

  constructor(
    socket: MessageSocket,
    peer: Peer,
    { agreed, closed }: { readonly agreed: Capabilities; readonly closed: Promise<QiwayError> },
  ) {
    this.#socket = socket;
    this.closed = closed;
    this.peer = peer;
    this.agreed = agreed;
  }

  /** `tcp://address:port` of the other end, with the scheme of the socket. */
  get remoteEndpoint(): string {
    return this.#socket.remoteEndpoint;
  }

  get isRemoteLoopback(): boolean {
    return this.#socket.isRemoteLoopback;
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedBytes;
  }

  /** Fails what is pending, and closes after what was sent has left. Idempotent. */
  close(error: QiwayError): void {
    this.peer.close(error, { ofObjects: objectsGone(error) });
    this.#socket.end(error);
  }
}

/** Authenticates on a socket that this side opened. @throws `unauthorized`, `protocol-mismatch`, `link-lost`, `timeout`; the socket is then closed */
export function openPeer(
  socket: Socket,
  options: PeerSocketOptions & { readonly authenticator?: Authenticator },
): Promise<PeerSocket> {
  return new Promise((resolve, reject) => {
    const { capabilities = OWN_CAPABILITIES, authenticator, clock, timeoutMs } = options;
    const messages = new MessageSocket(socket, silent, options);
    const handshake = new ClientHandshake({
      socket: messages,
      capabilities,
      ...(authenticator === undefined ? {} : { authenticator }),
      onDone: (agreed) => {
        stopTimer();
        resolve(attach(messages, agreed, options));
      },
      onFailed: (error) => {
        stopTimer();
        reject(error);
      },
    });
    const stopTimer = clock.after(timeoutMs, () =>
      handshake.fail(
        new QiwayError(
          'timeout',
          `The handshake took longer than ${timeoutMs} ms: the other side may not be a qi program.`,
          { data: { timeoutMs } },
        ),
      ),
    );
    messages.listen(handshake);
    handshake.begin();
  });
}

/** What becomes of a socket that came in. */
export interface AcceptOptions extends PeerSocketOptions {
  readonly provider?: AuthenticationProvider;
  /**
   * The client may come in, and is told so in a moment. `data`: what it authenticated with, and `remoteEndpoint`. What is
   * thrown here refuses it: it is told the sentence, and the socket closes.
   */
  readonly onOpen: (peerSocket: PeerSocket, data: AuthenticationData) => void;
  readonly onClosed: (peerSocket: PeerSocket, reason: QiwayError) => void;
  /** It closed before it was let in. */
  readonly onRefused: (reason: QiwayError) => void;
}

/** Waits for a client to authenticate on a socket that came in. */
export function acceptPeer(socket: Socket, options: AcceptOptions): void {
  const { capabilities = OWN_CAPABILITIES, provider, clock, timeoutMs, onOpen, onRefused } = options;
  const messages = new MessageSocket(socket, silent, options);
  const handshake = new ServerHandshake({
    socket: messages,
    capabilities,
    ...(provider === undefined ? {} : { provider }),
    onDone: (agreed, data) => {
      stopTimer();
      const peerSocket = attach(messages, agreed, options);
      try {
        onOpen(peerSocket, data);
      } catch (error) {
        peerSocket.peer.close(asQiwayError(error));
        throw error;
      }
    },
    onFailed: (error) => {
      stopTimer();
      onRefused(error);
    },
  });
  const stopTimer = clock.after(timeoutMs, () =>
    messages.destroy(new QiwayError('timeout', `No authentication within ${timeoutMs} ms.`, { data: { timeoutMs } })),
  );
  messages.listen(handshake);
}

function attach(
  messages: MessageSocket,
  agreed: Capabilities,
  options: PeerSocketOptions & Partial<Pick<AcceptOptions, 'onClosed'>>,
): PeerSocket {
  const { services, guard, limits, onClosed } = options;
  const peer = new Peer({
    send: (header, payload) => {
      if (isRequest(header) && payload.length > SMALL_BYTES && payload.length > messages.roomForRequests)
        throw readsTooSlowly();
      messages.send(header, payload);
    },
    serving: serving({ services, errors: 'text', ...(guard === undefined ? {} : { guard }) }),
    randomUid: () => new Uint8Array(randomBytes(20)),
    decodeError,
    limits: { ...SOCKET_LIMITS, ...limits },
  });
  peer.agree(peerAgreement(agreed));
  let settleClosed: (reason: QiwayError) => void = () => {};
  const closed = new Promise<QiwayError>((resolve) => {
    settleClosed = resolve;
  });
  const peerSocket = new PeerSocket(messages, peer, { agreed, closed });
  messages.listen({
    message: (header, payload) =>
      header.service === 0 ? answerServiceZero(messages, header) : peer.receive(header, payload),
    closed: (reason) => {
      const told =
        onClosed === undefined && options.isKept !== true ? reason : programGone(reason, options.isDirectory === true);
      peer.close(told, { ofObjects: objectsGone(told) });
      onClosed?.(peerSocket, reason);
      settleClosed(told);
    },
  });
  return peerSocket;
}

/** To those who call its services, the socket of a program is the program: `link-lost` is a client's own link. */
function programGone(reason: QiwayError, isDirectory: boolean): QiwayError {
  if (reason.code !== 'link-lost') return reason;
  if (isDirectory)
    return new QiwayError('bus-down', 'The service directory went away, or the network to it broke.', {
      cause: reason,
    });
  return new QiwayError('service-gone', 'The program that offers this ended, or the network to it broke.', {
    cause: reason,
  });
}

/** A service may come back; what it handed out does not. */
function objectsGone(error: QiwayError): QiwayError {
  return error.code === 'bus-down' || error.code === 'service-gone' ? objectGone(error) : error;
}

function isRequest({ type }: MessageHeader): boolean {
  return type === MessageType.call || type === MessageType.post;
}

/** Said to the one who asks for too much: the socket is for all, and is not to end by it. */
function readsTooSlowly(): QiwayError {
  return new QiwayError('limit-exceeded', 'The program that offers this reads too slowly for what it is sent.', {
    data: { limit: 'roomForRequests' },
  });
}

/** After the handshake only another authentication is answered there (as libqi). */
function answerServiceZero(messages: MessageSocket, header: MessageHeader): void {
  if (header.type !== MessageType.call || header.action !== AUTHENTICATE_ACTION) return;
  const payload = repeatAnswer();
  messages.send({ ...header, size: payload.length, type: MessageType.reply, flags: 0 }, payload);
}

const silent: SocketListener = { message: () => {}, closed: () => {} };

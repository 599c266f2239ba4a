// The agent's side of a session: checks hello, then serves the bus to the link as a qi peer. Layer 5.
// Everything a session holds is released when it ends. It knows no sockets and no HTTP: a transport is given.
import { decodeError } from '../bus/error-payload.ts';
import { FULL_AGREEMENT, Peer } from '../bus/peer.ts';
import { serving } from '../bus/serving.ts';
import type { Clock } from '../clock.ts';
import type { EmbeddedBus } from '../directory/embedded-bus.ts';
import { serveBus } from '../directory/serve-bus.ts';
import { QiwayError } from '../errors.ts';
import { toHex } from '../hex.ts';
import { ControlType } from '../wire/link-frame.ts';
import { PROTOCOL_VERSION, readErrorBody, readHello } from './control.ts';
import { DEFAULT_LINK_LIMITS, Link, type LinkLimits, MAX_BATCH_BYTES } from './link.ts';
import type { Transport } from './transport.ts';

export interface ServerSessionOptions {
  readonly bus: EmbeddedBus;
  readonly clock: Clock;
  readonly random: (count: number) => Uint8Array;
  readonly schedule: (flush: () => void) => void;
  /** Looks at the token in constant time. */
  readonly isTokenRight: (token: string) => boolean;
  readonly agent: { readonly name: string; readonly version: string };
  /** New with every start of the agent. */
  readonly epoch: string;
  /** Whether the agent has the robot's bus now. */
  readonly robotBus: () => 'up' | 'down';
  readonly limits?: LinkLimits;
  readonly heartbeatMs?: number;
  /** Until hello. */
  readonly helloTimeoutMs?: number;
  /** Called when the hello was accepted; may refuse by throwing (`limit-exceeded`). */
  readonly onOpen?: (session: ServerSession) => void;
  /** Called once after an accepted session ended; undefined: as wanted. */
  readonly onClose?: (session: ServerSession, error: QiwayError | undefined) => void;
}

/** A sign of life a second; also how often clients measure the round trip. */
const HEARTBEAT_MS = 1_000;
const HELLO_TIMEOUT_MS = 5_000;
/** A hello is short; who is not known yet gets no more memory than this. */
const MAX_HELLO_BYTES = 4 * 1024;

/** Serves one accepted transport until it closes. */
export function serveSession(transport: Transport, options: ServerSessionOptions): ServerSession {
  return new ServerSession(transport, options);
}

export class ServerSession {
  readonly id: string;
  /** What the client called itself; empty before its hello. */
  client = '';
  readonly #options: ServerSessionOptions;
  readonly #link: Link;
  readonly #peer: Peer;
  #state: 'waiting' | 'open' | 'closed' = 'waiting';
  readonly #stopHelloTimer: () => void;
  #stopServing: () => void = () => {};

  constructor(transport: Transport, options: ServerSessionOptions) {
    this.#options = options;
    this.id = toHex(options.random(8));
    const { bus, clock, schedule, limits = DEFAULT_LINK_LIMITS } = options;
    this.#peer = new Peer({
      send: (header, payload) => {
        try {
          this.#link.send(header, payload);
        } catch (error) {
          this.#link.close(error as QiwayError, 4413); // reads too slowly for what it asked for
        }
      },
      serving: serving({ services: (serviceId) => bus.objectOf(serviceId), errors: 'record' }),
      randomUid: () => options.random(20),
      decodeError,
    });
    this.#link = new Link({
      transport,
      clock,
      schedule,
      limits,
      onMessage: (header, payload) => {
        if (this.#state === 'waiting') throw new QiwayError('unauthorized', 'The first frame must be hello.');
        this.#peer.receive(header, payload);
      },
      onControl: (type, body) => this.#takeControl(type, body),
      onClose: (error) => this.#ended(error),
    });
    this.#link.maxBatchBytes = MAX_HELLO_BYTES;
    const helloTimeoutMs = options.helloTimeoutMs ?? HELLO_TIMEOUT_MS;
    this.#stopHelloTimer = clock.after(helloTimeoutMs, () =>
      this.#refuse(
        new QiwayError('timeout', `No hello within ${helloTimeoutMs} ms.`, { data: { timeoutMs: helloTimeoutMs } }),
      ),
    );
  }

  get state(): 'waiting' | 'open' | 'closed' {
    return this.#state;
  }

  /** What the session holds, for metrics and tests. */
  get counts(): Peer['counts'] & { readonly queuedBytes: number } {
    return { ...this.#peer.counts, queuedBytes: this.#link.queuedBytes };
  }

  /** The robot's bus came or went. */
  tellRobotBus(state: 'up' | 'down', reason?: string): void {
    if (this.#state === 'open')
      this.#link.control(ControlType.status, reason === undefined ? { bus: state } : { bus: state, reason });
  }

  /** Ends it; `error` is told to the client. */
  close(error?: QiwayError): void {
    this.#link.close(error);
  }

  #takeControl(type: number, body: Uint8Array): void {
    if (this.#state === 'waiting') {
      if (type !== ControlType.hello) throw new QiwayError('unauthorized', 'The first frame must be hello.');
      return this.#welcome(body);
    }
    if (type === ControlType.goodbye) this.#link.endedByOther(readErrorBody(body));
    else if (type === ControlType.hello) throw new QiwayError('wire-invalid', 'A second hello on one link.');
  }

  #welcome(body: Uint8Array): void {
    const {
      isTokenRight,
      agent,
      epoch,
      robotBus,
      bus,
      clock,
      limits = DEFAULT_LINK_LIMITS,
      heartbeatMs = HEARTBEAT_MS,
    } = this.#options;
    const hello = readHello(body);
    if (hello.protocol !== PROTOCOL_VERSION)
      return this.#refuse(
        new QiwayError(
          'protocol-mismatch',
          `This agent speaks version ${PROTOCOL_VERSION} of the link protocol, the client ${hello.protocol}. Update the older of the two.`,
        ),
      );
    if (!isTokenRight(hello.token))
      return this.#refuse(
        new QiwayError(
          'unauthorized',
          'The token is not the one this agent expects. Copy the whole URL that the agent printed, with what follows #.',
        ),
      );
    this.client = hello.client;
    this.#peer.agree({ ...FULL_AGREEMENT, tellsLosses: hello.losses });
    this.#stopHelloTimer();
    try {
      this.#options.onOpen?.(this);
    } catch (error) {
      return this.#refuse(error as QiwayError);
    }
    this.#state = 'open';
    this.#link.maxBatchBytes = MAX_BATCH_BYTES;
    this.#stopServing = serveBus(bus, { peer: this.#peer, clock, hasRelativeEndpoints: false, place: 'outside' });
    this.#link.control(ControlType.welcome, {
      protocol: PROTOCOL_VERSION,
      session: this.id,
      epoch,
      agent,
      bus: robotBus(),
      heartbeatMs,
      maxMessageBytes: limits.maxMessageBytes,
      losses: true,
    });
    this.#link.startHeartbeat(heartbeatMs, false);
  }

  #refuse(error: QiwayError): void {
    this.#link.close(error, 4401, ControlType.refuse);
  }

  #ended(error: QiwayError | undefined): void {
    const wasOpen = this.#state === 'open';
    this.#state = 'closed';
    this.#stopHelloTimer();
    this.#peer.close(error ?? new QiwayError('closed', 'The session ended.'));
    this.#stopServing();
    if (wasOpen) this.#options.onClose?.(this, error);
  }
}

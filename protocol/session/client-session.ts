// The client's side of a session: says hello, then is a qi peer over the link and a Bus for the page. Layer 5.
// See docs/link-protocol.md. It knows no sockets: a transport is given.
import type { Bus, BusListener, BusObject, BusState, HostedService, ServiceInfo } from '../bus/bus.ts';
import { FULL_AGREEMENT, Peer } from '../bus/peer.ts';
import type { ServingWith } from '../bus/serving-side.ts';
import type { Clock } from '../clock.ts';
import { type BusClient, joinDirectory } from '../directory/bus-client.ts';
import { QiwayError } from '../errors.ts';
import { toHex } from '../hex.ts';
import { ControlType } from '../wire/link-frame.ts';
import { MessageType } from '../wire/message.ts';
import { PROTOCOL_VERSION, readErrorBody, readStatus, readWelcome, type Welcome } from './control.ts';
import { DEFAULT_LINK_LIMITS, Link, type LinkLimits } from './link.ts';
import type { Transport } from './transport.ts';
import { afterMicrotasks } from './turn.ts';

export interface ClientSessionOptions {
  readonly token: string;
  readonly clock: Clock;
  /** `count` random bytes. */
  readonly random: (count: number) => Uint8Array;
  /** Program and version, for the agent's log. */
  readonly client: string;
  /** Until the session is ready, and for questions to the directory. */
  readonly timeoutMs: number;
  /** What objects of this side are served with: `serving`, or `lazyServing`. */
  readonly serving: ServingWith;
  readonly limits?: LinkLimits;
  readonly schedule?: (flush: () => void) => void;
}

/** What a session tells beside the bus. */
export interface SessionListener {
  rttMeasured?(rttMs: number): void;
  robotBusChanged?(state: 'up' | 'down'): void;
}

/** Says hello over an open transport. @throws `unauthorized`, `protocol-mismatch`, `timeout`, `link-lost`, `wire-invalid` */
export async function openSession(transport: Transport, options: ClientSessionOptions): Promise<ClientSession> {
  const session = new ClientSession(transport, options);
  await session.begin();
  return session;
}

export class ClientSession implements Bus {
  readonly #options: ClientSessionOptions;
  readonly #link: Link;
  readonly #peer: Peer;
  readonly #sessionListeners = new Set<SessionListener>();
  readonly closed: Promise<QiwayError | undefined>;
  #settleClosed: (error: QiwayError | undefined) => void = () => {};
  #bus: BusClient | undefined;
  #welcome: Welcome | undefined;
  #settleWelcome:
    | { readonly resolve: (welcome: Welcome) => void; readonly reject: (error: QiwayError) => void }
    | undefined;
  #robotBus: 'up' | 'down' = 'up';
  #rttMs: number | undefined;
  readonly #transport: Transport;

  constructor(transport: Transport, options: ClientSessionOptions) {
    this.#options = options;
    this.#transport = transport;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    const { clock, schedule = afterMicrotasks, limits = DEFAULT_LINK_LIMITS } = options;
    this.#peer = new Peer({
      send: (header, payload) => {
        try {
          this.#link.send(header, payload);
        } catch (error) {
          // Who calls is told; answers and events are not lost in silence: the session ends.
          const { type } = header;
          if (type === MessageType.call || type === MessageType.post || type === MessageType.cancel) throw error;
          this.#link.close(error as QiwayError, 4413);
        }
      },
      serving: options.serving({ services: (serviceId) => this.#bus?.ownService(serviceId), errors: 'record' }),
      randomUid: () => options.random(20),
    });
    this.#link = new Link({
      transport,
      clock,
      schedule,
      limits,
      onMessage: (header, payload) => this.#peer.receive(header, payload),
      onControl: (type, body) => this.#takeControl(type, body),
      onRtt: (rttMs) => {
        this.#rttMs = rttMs;
        for (const listener of [...this.#sessionListeners]) listener.rttMeasured?.(rttMs);
      },
      onClose: (error) =>
        this.#ended(
          error ?? new QiwayError('link-lost', 'The agent ended the session.', { data: { reason: 'goodbye' } }),
        ),
    });
  }

  /** Where the link goes. */
  get route(): Transport['route'] {
    return this.#transport.route;
  }

  get sessionId(): string {
    return this.#welcome?.session ?? '';
  }

  get agent(): { readonly name: string; readonly version: string } {
    return this.#welcome?.agent ?? { name: '', version: '' };
  }

  /** Of the last heartbeat. */
  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  /** Whether the agent has the robot's bus; the session itself goes on without. */
  get robotBus(): 'up' | 'down' {
    return this.#robotBus;
  }

  get state(): BusState {
    return this.#peer.closedWith === undefined ? 'up' : 'closed';
  }

  get machineId(): string {
    return this.#bus?.machineId ?? '';
  }

  /** Counts of what is held and served, for tests of bounds. */
  get counts(): Peer['counts'] {
    return this.#peer.counts;
  }

  async begin(): Promise<void> {
    const { clock, timeoutMs, token, client, random } = this.#options;
    const welcomed = new Promise<Welcome>((resolve, reject) => {
      this.#settleWelcome = { resolve, reject };
    });
    const stopTimer = clock.after(timeoutMs, () =>
      this.#link.close(
        new QiwayError('timeout', `The agent did not answer hello within ${timeoutMs} ms.`, { data: { timeoutMs } }),
      ),
    );
    this.#link.control(ControlType.hello, { protocol: PROTOCOL_VERSION, token, client, losses: true });
    try {
      this.#welcome = await welcomed;
    } finally {
      stopTimer();
      this.#settleWelcome = undefined;
    }
    this.#robotBus = this.#welcome.bus;
    this.#peer.agree({ ...FULL_AGREEMENT, tellsLosses: this.#welcome.losses });
    this.#link.startHeartbeat(this.#welcome.heartbeatMs, true);
    const identity = {
      machineId: toHex(random(16)),
      processId: 0,
      sessionId: this.#welcome.session,
      endpoints: () => [],
    };
    try {
      this.#bus = await joinDirectory({ peer: this.#peer, clock, timeoutMs, identity });
    } catch (error) {
      this.#link.close();
      throw error;
    }
  }

  services(): Promise<readonly ServiceInfo[]> {
    return this.#joined().services();
  }

  service(name: string): Promise<BusObject> {
    return this.#joined().service(name);
  }

  serviceInfo(name: string): Promise<ServiceInfo> {
    return this.#joined().serviceInfo(name);
  }

  host(name: string, object: BusObject): Promise<HostedService> {
    return this.#joined().host(name, object);
  }

  listen(listener: BusListener): () => void {
    return this.#joined().listen(listener);
  }

  listenSession(listener: SessionListener): () => void {
    this.#sessionListeners.add(listener);
    return () => this.#sessionListeners.delete(listener);
  }

  /** Measures the round trip now; the result comes to the listeners. */
  ping(): void {
    this.#link.ping();
  }

  async close(): Promise<void> {
    if (this.#peer.closedWith !== undefined) return;
    this.#ended(undefined);
    this.#link.close();
  }

  #joined(): BusClient {
    if (this.#bus === undefined) throw new QiwayError('closed', 'The session is not open yet.');
    return this.#bus;
  }

  #takeControl(type: number, body: Uint8Array): void {
    switch (type) {
      case ControlType.welcome:
        this.#settleWelcome?.resolve(readWelcome(body));
        return;
      case ControlType.refuse:
      case ControlType.goodbye:
        this.#link.endedByOther(readErrorBody(body));
        return;
      case ControlType.status: {
        const { bus } = readStatus(body);
        this.#robotBus = bus;
        for (const listener of [...this.#sessionListeners]) listener.robotBusChanged?.(bus);
        return;
      }
      default:
        return; // newer agents may say more
    }
  }

  /** @param error undefined: closed here */
  #ended(error: QiwayError | undefined): void {
    if (this.#peer.closedWith !== undefined) return;
    this.#settleWelcome?.reject(error ?? new QiwayError('closed', 'The session was closed.'));
    if (error === undefined) void this.#bus?.close();
    this.#peer.close(error ?? new QiwayError('closed', 'The session was closed here.'));
    this.#settleClosed(error);
  }
}

// The sessions of an agent: new ones for those who show the token, and those that go on when their client comes back.
// Layer 5; it knows no sockets: what arrives is a transport whose client has proved who it is.
import { QiwayError } from '../errors.ts';
import { toHex } from '../hex.ts';
import { ControlType } from '../wire/link-frame.ts';
import { type Hello, PROTOCOL_VERSION, type Resume, readHello, type Told, type Welcome } from './control.ts';
import { DEFAULT_LINK_LIMITS, Link, type LinkLimits, type LinkOwner } from './link.ts';
import { DETACHED, ServerSession, type ServerSessionOptions } from './server-session.ts';
import type { Transport } from './transport.ts';

export interface SessionHostOptions
  extends Omit<ServerSessionOptions, 'id' | 'clientId' | 'client' | 'limits' | 'heartbeatMs' | 'keepMs'> {
  /** Looks at the token in constant time. */
  readonly isTokenRight: (token: string) => boolean;
  readonly agent: { readonly name: string; readonly version: string };
  /** New with every start of the agent. */
  readonly epoch: string;
  /** What is told of the agent now. */
  readonly told: () => Told;
  readonly limits?: LinkLimits;
  readonly heartbeatMs?: number;
  /** How long a session is kept without a link. Default two minutes. */
  readonly keepMs?: number;
  /** No further session is taken unless another ends. */
  readonly isFull?: () => boolean;
  /** Called when a session begins; may refuse it by throwing (`limit-exceeded`). */
  readonly onOpen?: (session: ServerSession, arrival: Arrival) => void;
}

/** How a client came in. */
export interface Arrival {
  /** Body of its hello. */
  readonly hello: Uint8Array;
  /** Id of its identity, proved by the handshake. */
  readonly clientId: string;
  /** For people. */
  readonly address: string;
  /** Called when the client may be taken in: it has shown the token, or its session is here. */
  readonly known?: () => void;
}

/** A sign of life a second; also how often clients measure the round trip. */
const HEARTBEAT_MS = 1_000;
const KEEP_MS = 120_000;
/** From the welcome to the client's first frame. */
const ATTACH_TIMEOUT_MS = 5_000;

/** Takes clients in, and keeps their sessions. */
export class SessionHost {
  readonly #options: SessionHostOptions;
  readonly #sessions = new Map<string, ServerSession>();
  readonly #pending = new Set<Link>();
  #closedWith: QiwayError | undefined;

  constructor(options: SessionHostOptions) {
    this.#options = options;
  }

  get sessions(): readonly ServerSession[] {
    return [...this.#sessions.values()];
  }

  /** Answers a client's hello. Never throws: who is refused is told. */
  accept(transport: Transport, arrival: Arrival): void {
    const { clock, limits = DEFAULT_LINK_LIMITS } = this.#options;
    const waiting = new WaitingOwner(() => {
      stopTimer();
      this.#pending.delete(link);
    });
    const link = new Link({ transport, clock, owner: waiting, maxBufferedBytes: limits.maxQueuedBytes });
    this.#pending.add(link);
    const refuse = (error: QiwayError): void => link.close(error, 4401, ControlType.refuse);
    const stopTimer = clock.after(ATTACH_TIMEOUT_MS, () =>
      link.close(new QiwayError('timeout', 'The client did not go on after the welcome.'), 4408),
    );
    // Its handshake ended too late, or it came over a connection that was there before.
    if (this.#closedWith !== undefined) return link.close(this.#closedWith, 1000, ControlType.goodbye);
    try {
      const hello = readHello(arrival.hello);
      const take = this.#welcome(link, hello, arrival);
      const welcomed = this.#options.told();
      waiting.onAttached = (start) => {
        stopTimer();
        this.#pending.delete(link);
        try {
          const session = take(start);
          const now = this.#options.told();
          // Between the welcome and now the client had no session to be told by.
          if (JSON.stringify(now) !== JSON.stringify(welcomed)) session.tell(now);

          arrival.known?.();
        } catch (error) {
          refuse(error as QiwayError);
        }
      };
    } catch (error) {
      refuse(error as QiwayError);
    }
  }

  /** Is there a session that can end so that another may begin: one without a link? */
  get canMakeRoom(): boolean {
    return this.sessions.some(({ isAttached }) => !isAttached);
  }

  /** Tells all clients what changed. */
  tell(changes: Partial<Told>): void {
    for (const session of this.#sessions.values()) session.tell(changes);
  }

  /** Ends all sessions, and links that are none yet; nobody is taken in any more. */
  close(error: QiwayError): void {
    this.#closedWith = error;
    for (const link of [...this.#pending]) link.close(error, 1000, ControlType.goodbye);
    for (const session of this.sessions) session.close(error);
  }

  /** Says welcome; returns what to do when the client has said that it is there. @throws why it is refused */
  #welcome(link: Link, hello: Hello, arrival: Arrival): (start: number) => ServerSession {
    const { isTokenRight, random } = this.#options;
    if (hello.protocol !== PROTOCOL_VERSION)
      throw new QiwayError(
        'protocol-mismatch',
        `This agent speaks version ${PROTOCOL_VERSION} of the link protocol, the client ${hello.protocol}. Update the older of the two.`,
      );
    const { resume, attempt } = hello;
    const session = resume === undefined ? undefined : this.#resumable(resume, arrival);
    if (resume !== undefined && session !== undefined) {
      refuseOld(session, attempt);
      this.#say(link, { session: session.id, received: session.received });
      return (start) => {
        refuseOld(session, attempt);
        session.attach(link, { attempt, start, clientHas: resume.received, clientSent: resume.sent });
        return session;
      };
    }
    // One that came back has shown the token before; its session may be gone, or the agent was started again.
    if (!isTokenRight(hello.token))
      throw new QiwayError(
        'unauthorized',
        'The token is not the one this agent expects. Copy the whole URL that the agent printed, with what follows #.',
      );
    const id = toHex(random(8));
    this.#say(link, { session: id, received: 0 });
    return (start) => this.#open(id, { link, hello, arrival, start });
  }

  #resumable({ session, epoch }: Resume, { clientId }: Arrival): ServerSession | undefined {
    const found = epoch === this.#options.epoch ? this.#sessions.get(session) : undefined;
    return found?.clientId === clientId ? found : undefined;
  }

  #open(
    id: string,
    { link, hello, arrival, start }: { link: Link; hello: Hello; arrival: Arrival; start: number },
  ): ServerSession {
    const {
      limits = DEFAULT_LINK_LIMITS,
      heartbeatMs = HEARTBEAT_MS,
      keepMs = KEEP_MS,
      onOpen,
      ...common
    } = this.#options;
    const { clientId } = arrival;
    if (this.#options.isFull?.() === true) this.#makeRoom();
    const session = new ServerSession({ ...common, id, clientId, client: hello.client, limits, heartbeatMs, keepMs });
    try {
      onOpen?.(session, arrival);
    } catch (error) {
      session.close(error as QiwayError);
      throw error;
    }
    this.#sessions.set(id, session);
    session.listen({ closed: () => this.#sessions.delete(id) });
    session.attach(link, { attempt: hello.attempt, start, clientHas: 0, clientSent: 0 });
    return session;
  }

  /** Ends a session without a link, if there is one: of the client that has most of them, the one longest away. */
  #makeRoom(): void {
    const detached = this.sessions.filter(({ detachedMs }) => detachedMs !== undefined);
    const counts = new Map<string, number>();
    for (const { clientId } of detached) counts.set(clientId, (counts.get(clientId) ?? 0) + 1);
    const countOf = ({ clientId }: ServerSession): number => counts.get(clientId) ?? 0;
    const [oldest] = detached.sort(
      (one, other) => countOf(other) - countOf(one) || (one.detachedMs as number) - (other.detachedMs as number),
    );
    oldest?.close(new QiwayError('link-lost', 'The client was away, and others came.', { data: { reason: DETACHED } }));
  }

  #say(link: Link, told: Pick<Welcome, 'session' | 'received'>): void {
    const { agent, epoch, heartbeatMs = HEARTBEAT_MS, limits = DEFAULT_LINK_LIMITS } = this.#options;
    // Rules are as long as all the rest, and the same as long as the agent runs: who has the session has them.
    const { classes, ...rest } = this.#options.told();
    const welcome: Welcome = {
      protocol: PROTOCOL_VERSION,
      epoch,
      agent,
      heartbeatMs,
      maxMessageBytes: limits.maxMessageBytes,
      ...told,
      ...rest,
      ...(told.received === 0 && classes !== undefined && { classes }),
    };
    link.control(ControlType.welcome, welcome);
  }
}

/** Has a link between welcome and the client's first frame. */
class WaitingOwner implements LinkOwner {
  onAttached: ((start: number) => void) | undefined;
  readonly #onClosed: () => void;

  constructor(onClosed: () => void) {
    this.#onClosed = onClosed;
  }

  frame(): void {
    throw new QiwayError('wire-invalid', 'The first frame after the welcome must be attached.');
  }

  control(type: number, id: number): void {
    if (type === ControlType.attached) this.onAttached?.(id);
    else if (type !== ControlType.goodbye)
      throw new QiwayError('wire-invalid', 'The first frame after the welcome must be attached.');
  }

  batchTaken(): void {}

  drained(): void {}

  rttMeasured(): void {}

  closed(): void {
    this.#onClosed();
  }
}

function refuseOld(session: ServerSession, attempt: number): void {
  if (session.state === 'closed')
    throw new QiwayError('link-lost', 'The session ended while its client came back; dial again.', {
      data: { reason: DETACHED },
    });
  if (attempt <= session.attempt)
    throw new QiwayError('superseded', 'A later link of the same session was taken already.');
}

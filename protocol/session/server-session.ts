// The agent's side of a session: a qi peer that the bus is served to, over whatever link its client has now. Layer 5.
// Everything it holds is released when it ends, not when a link does. It knows no sockets and no HTTP.
import type { BusObject } from '../bus/bus.ts';
import { decodeError } from '../bus/error-payload.ts';
import { type EventCounts, EventFlows } from '../bus/event-flow.ts';
import { Peer } from '../bus/peer.ts';
import { serving } from '../bus/serving.ts';
import type { ServingOptions } from '../bus/serving-side.ts';
import type { Clock } from '../clock.ts';
import type { EmbeddedBus } from '../directory/embedded-bus.ts';
import { serveBus } from '../directory/serve-bus.ts';
import { type ErrorData, QiwayError } from '../errors.ts';
import { ControlType } from '../wire/link-frame.ts';
import { MessageType } from '../wire/message.ts';
import type { Budget, Share } from './budget.ts';
import { Conduit } from './conduit.ts';
import { readErrorBody, type Told } from './control.ts';
import { eventBudget, GOING_AWAY, type Link, type LinkLimits } from './link.ts';

export interface ServerSessionOptions {
  readonly id: string;
  readonly clientId: string;
  readonly client: string;
  readonly bus: EmbeddedBus;
  readonly clock: Clock;
  readonly random: (count: number) => Uint8Array;
  readonly schedule: (flush: () => void) => void;
  readonly limits: LinkLimits;
  readonly heartbeatMs: number;
  /** How long it waits for a link. */
  readonly keepMs: number;
  /** What the client asks of the agent for its session; see docs/link-protocol.md section 7. */
  readonly ownObject?: (session: ServerSession) => BusObject;
  /** What all sessions of the agent may keep waiting together. */
  readonly budget?: Budget;
  /** Raised by events that a slow client does not get. */
  readonly eventCounts?: EventCounts;
  /** Looks at calls before they are passed on. */
  readonly guard?: (session: ServerSession) => ServingOptions['guard'];
}

/** What happens to a session. */
export interface ServerSessionListener {
  attached?(): void;
  /** The link is gone, and why; another may follow. */
  detached?(error: QiwayError): void;
  /** Something came from the client, whatever it was. */
  heard?(): void;
  /** Once. Undefined: the client ended it as wanted. */
  closed?(error: QiwayError | undefined): void;
}

/** How a link is taken. */
export interface Arrived {
  readonly attempt: number;
  /** Number of the last frame that the client has, and of the one after which it begins on this link. */
  readonly clientHas: number;
  readonly start: number;
  /** Number of the last frame that the client had given before this link. */
  readonly clientSent: number;
}

/** Silence after which what was sent before comes too late for a robot that moves, ms. */
const STALE_AFTER_MS = 500;
/** Reason of the `link-lost` with which a session ends whose client did not come back. */
export const DETACHED = 'detached';
const NO_BYTES = new Uint8Array(0);
/** Service id of the session object. */
const OWN_OBJECT = 0;

export class ServerSession {
  readonly id: string;
  /** Id of the client's identity. */
  readonly clientId: string;
  /** What the client called itself. */
  readonly client: string;
  /** How its client wants events. */
  readonly flows: EventFlows;
  readonly #options: ServerSessionOptions;
  readonly #conduit: Conduit;
  readonly #peer: Peer;
  readonly #listeners = new Set<ServerSessionListener>();
  readonly #stopServing: () => void;
  readonly #own: BusObject | undefined;
  readonly #share: Share | undefined;
  #state: 'attached' | 'detached' | 'closed' = 'detached';
  #stopKeeping: () => void = () => {};
  #attempt = 0;
  #detachedMs = 0;
  #lastHeardMs: number;

  constructor(options: ServerSessionOptions) {
    this.#options = options;
    const { bus, clock, schedule, limits, random, guard } = options;
    this.id = options.id;
    this.clientId = options.clientId;
    this.client = options.client;
    this.#lastHeardMs = clock.now();
    this.#share = options.budget?.open({
      bytes: () => this.#conduit.keptBytes,
      end: (error) => this.close(error),
    });
    this.#conduit = new Conduit({
      clock,
      schedule,
      limits,
      refuse: (more) => this.#share?.refuse(more),
      onMessage: (header, payload) => this.#peer.receive(header, payload),
      onControl: (type, body) => {
        if (type === ControlType.goodbye) this.#end(readErrorBody(body), false);
        else if (type === ControlType.hello) throw new QiwayError('wire-invalid', 'A second hello on one link.');
      },
      onRtt: () => {},
      onHeard: () => {
        this.#lastHeardMs = clock.now();
        for (const listener of this.#listeners) listener.heard?.();
      },
      onLost: (error) => this.#lost(error),
    });
    const own = options.ownObject?.(this);
    this.#own = own;
    const guarded = guard?.(this);
    const counts = options.eventCounts;
    this.flows = new EventFlows({
      flow: this.#conduit.outbox.flow,
      clock,
      budgetBytes: eventBudget(limits),
      ...(counts !== undefined && { counts }),
    });
    const served: ServingOptions = {
      services: (serviceId) => (serviceId === OWN_OBJECT ? own : bus.objectOf(serviceId)),
      errors: 'record',
      events: this.flows,
      ...(guarded !== undefined && { guard: guarded }),
    };
    this.#peer = new Peer({
      send: (header, payload) => {
        try {
          this.#conduit.outbox.send(header, payload);
        } catch (error) {
          // Too large an answer becomes an error; whoever does not read even that has asked for too much.
          if (header.type === MessageType.reply) throw error;
          this.close(error as QiwayError);
        }
      },
      serving: serving(served),
      randomUid: () => random(20),
      decodeError,
    });
    this.#stopServing = serveBus(bus, { peer: this.#peer, clock, hasRelativeEndpoints: false, place: 'outside' });
  }

  get state(): 'attached' | 'detached' | 'closed' {
    return this.#state;
  }

  /** Since when it has no link, on the session's clock; undefined: it has one. */
  get detachedMs(): number | undefined {
    return this.#state === 'detached' ? this.#detachedMs : undefined;
  }

  get isAttached(): boolean {
    return this.#state === 'attached';
  }

  /** Who calls, as calls carry it. */
  get caller(): object {
    return this.#peer;
  }

  /** On the session's clock. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  /** Was the message that is being taken sent before a silence that is too long for a robot that moves? */
  get isStale(): boolean {
    return this.#conduit.isStale;
  }

  /** Of the last link that was attached. */
  get attempt(): number {
    return this.#attempt;
  }

  /** Number of the last frame taken. */
  get received(): number {
    return this.#conduit.received;
  }

  /** What the session holds, for metrics and tests. */
  get counts(): Peer['counts'] & { readonly queuedBytes: number } {
    return { ...this.#peer.counts, queuedBytes: this.#conduit.keptBytes };
  }

  /** Returns how to stop listening. */
  listen(listener: ServerSessionListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Goes on over this link, on which the client has said that it is there; the one before is dropped.
   * @throws `wire-invalid` when what both have cannot be
   */
  attach(link: Link, { attempt, clientHas, start, clientSent }: Arrived): void {
    const { clock, heartbeatMs } = this.#options;
    const silentMs = clock.now() - this.#lastHeardMs;
    this.#conduit.attach(link, { otherHas: clientHas, heartbeatMs, probes: false });
    if (silentMs > STALE_AFTER_MS) this.#conduit.markStale(clientSent);
    this.#attempt = attempt;
    this.#lastHeardMs = clock.now();
    this.#stopKeeping();
    this.#state = 'attached';
    this.#conduit.control(ControlType.attached, start, NO_BYTES);
    for (const listener of [...this.#listeners]) listener.attached?.();
  }

  /** Tells what changed; a client without a link is told by the next welcome. */
  tell(changes: Partial<Told>): void {
    this.#conduit.link?.control(ControlType.status, changes);
  }

  /** Ends it; `error` is told to the client. Idempotent. */
  close(error?: QiwayError): void {
    this.#end(error, true);
  }

  #lost(error: QiwayError): void {
    if (this.#state !== 'attached') return;
    if (error.code !== 'link-lost') return this.#end(error, false);
    const { clock, keepMs } = this.#options;
    // Its page was left: who comes back from the back/forward cache begins anew, as a reload does.
    if ((error.data as ErrorData['link-lost']).reason === GOING_AWAY) return this.#end(error, false);
    this.#detachedMs = clock.now();
    this.#state = 'detached';
    this.#stopKeeping = clock.after(keepMs, () =>
      this.#end(
        new QiwayError('link-lost', `The client did not come back within ${keepMs / 1000} s.`, {
          data: { reason: DETACHED },
          cause: error,
        }),
        true,
      ),
    );
    for (const listener of [...this.#listeners]) listener.detached?.(error);
  }

  #end(error: QiwayError | undefined, isTold: boolean): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#share?.close();
    this.#stopKeeping();
    if (isTold) this.#conduit.close(error);
    this.#peer.close(error ?? new QiwayError('closed', 'The session ended.'));
    this.#stopServing();
    this.#conduit.close(undefined);
    for (const listener of [...this.#listeners]) listener.closed?.(error);
    this.#listeners.clear();
    this.#own?.release();
  }
}

// An object that the other side of a peer serves. Layer 2. One registration per signal, however many subscribe here.
import { QiwayError } from '../errors.ts';
import { writeUint32 } from '../wire/bytes.ts';
import { MessageType } from '../wire/message.ts';
import {
  type BusObject,
  type CallHandle,
  type CallRequest,
  type EventSink,
  NO_OBJECTS,
  type Payload,
  type PostOptions,
  type ReplySink,
  releasePayload,
  type Subscription,
} from './bus.ts';
import { type Demand, EVERY } from './demand.ts';
import type { MetaObject } from './metaobject.ts';
import { StandardAction } from './metaobject.ts';
import type { Peer } from './peer.ts';
import { encodeSetFlow, isSameDemand, SET_FLOW, strongestOf } from './set-flow.ts';

interface PeerObjectIdentity {
  readonly service: number;
  readonly object: number;
  readonly metaObject: MetaObject;
  readonly uid: Uint8Array;
}

/** One signal of the object that somebody here listens to. */
interface Registration {
  readonly link: number;
  readonly sinks: Set<EventSink>;
  readonly ready: Promise<void>;
  /** Settle `ready`. */
  readonly confirmed: () => void;
  readonly refused: (error: QiwayError) => void;
  /** What the other side was told last of how the events are wanted. */
  demand: Demand;
}

/** Of a call that is not under way. */
export const IDLE_HANDLE: CallHandle = { cancel: () => {} };
/** Counts registrations; the low half of the 64-bit link id, whose high half is the signal id (as libqi does). */
const FIRST_LINK = 1;
/** Where the agent serves what concerns the session itself. */
const SESSION_OBJECT = { service: 0, object: 1 } as const;

export class PeerObject implements BusObject {
  /**
   * Undefined once gone: whoever still holds the object must not keep a whole session with it. And while suspended: then
   * it has not gone, but nobody knows where it is.
   */
  #peer: Peer | undefined;
  #service: number;
  readonly object: number;
  readonly metaObject: MetaObject;
  readonly uid: Uint8Array;
  /** Made when needed: there may be a hundred thousand objects that nobody listens to. */
  #registrations: Map<number, Registration> | undefined;
  #goneListeners: Set<(error: QiwayError) => void> | undefined;
  /** Set while suspended. */
  #suspendedAt: Peer | undefined;
  #suspendedFor: QiwayError | undefined;
  /** Told when it is suspended no more; made when somebody waits for that. */
  #waiting: { readonly over: Promise<void>; readonly end: () => void } | undefined;
  #references = 1;
  #nextLink = FIRST_LINK;
  #goneWith: QiwayError | undefined;

  constructor(peer: Peer, identity: PeerObjectIdentity) {
    this.#peer = peer;
    this.#service = identity.service;
    this.object = identity.object;
    this.metaObject = identity.metaObject;
    this.uid = identity.uid;
  }

  get service(): number {
    return this.#service;
  }

  get goneWith(): QiwayError | undefined {
    return this.#goneWith;
  }

  call(request: CallRequest, sink: ReplySink): CallHandle {
    if (this.#peer !== undefined) return this.#peer.call(this, request, sink) ?? IDLE_HANDLE;
    releasePayload(request.payload);
    sink.error(this.#goneWith ?? this.#suspendedFor ?? suspended());
    return IDLE_HANDLE;
  }

  post(action: number, payload: Payload, options?: PostOptions): void {
    if (this.#peer === undefined) releasePayload(payload);
    else this.#peer.post(this, { action, payload, ...options });
  }

  subscribe(signal: number, sink: EventSink): Subscription {
    if (this.#goneWith !== undefined) return failedSubscription(this.#goneWith);
    // A sink object may be given twice: each subscription has an entry of its own.
    const own: EventSink & { demand?: Demand } = {
      ...(sink.demand === undefined ? undefined : { demand: sink.demand }),
      event: (payload) => sink.event(payload),
      gap: (missed) => sink.gap?.(missed),
      gone: (error) => sink.gone(error),
    };
    const registration = this.#registrations?.get(signal) ?? this.#register(signal, own);
    registration.sinks.add(own);
    this.#tellDemand(signal, registration);
    let isOpen = true;
    const ready = registration.ready.catch((error: unknown) => {
      isOpen = false;
      registration.sinks.delete(own);
      throw error;
    });
    ready.catch(() => {});
    const close = async (): Promise<void> => {
      if (!isOpen) return;
      isOpen = false;
      registration.sinks.delete(own);
      if (registration.sinks.size > 0) this.#tellDemand(signal, registration);
      else if (this.#registrations?.get(signal) === registration) await this.#unregister(signal, registration);
    };
    const demand = (wanted: Demand): void => {
      own.demand = wanted;
      if (isOpen) this.#tellDemand(signal, registration);
    };
    if (this.#suspendedAt === undefined) return { ready, demand, close };
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    this.#waiting ??= { over, end };
    return { ready, asked: this.#waiting.over, demand, close };
  }

  retain(): void {
    this.#references += 1;
  }

  release(): void {
    if (this.#references === 0) return;
    this.#references -= 1;
    if (this.#references > 0) return;
    this.#peer?.forget(this);
    this.#suspendedAt?.forget(this);
    this.end(new QiwayError('object-gone', 'The object was released.', { data: { object: this.object } }));
  }

  onGone(listener: (error: QiwayError) => void): () => void {
    if (this.#goneWith !== undefined) {
      listener(this.#goneWith);
      return () => {};
    }
    this.#goneListeners ??= new Set();
    const listeners = this.#goneListeners;
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  // ---- used by the peer --------------------------------------------------------------------------------------------

  isSubscribed(signal: number): boolean {
    return this.#registrations?.has(signal) === true;
  }

  /** Hands one event to all subscribers; each gets references of its own. */
  dispatch(signal: number, payload: Payload): void {
    const sinks = this.#registrations?.get(signal)?.sinks;
    if (sinks === undefined || sinks.size === 0) {
      releasePayload(payload);
      return;
    }
    if (payload.objects !== NO_OBJECTS)
      for (let extra = 1; extra < sinks.size; extra += 1) for (const object of payload.objects) object.retain();
    for (const sink of [...sinks]) sink.event(payload);
  }

  /** Tells all subscribers that events were missed. */
  gap(signal: number, missed: number | undefined): void {
    for (const sink of [...(this.#registrations?.get(signal)?.sinks ?? [])]) sink.gap?.(missed);
  }

  /** Nobody knows where it is now; subscriptions are kept. */
  suspend(): void {
    this.#suspendedAt = this.#peer;
    this.#peer = undefined;
  }

  /** Calls fail with this while it is suspended. */
  suspendFor(error: QiwayError): void {
    this.#suspendedFor = error;
  }

  /** It is here now: what somebody listens to is registered again. */
  settle(peer: Peer, service: number): void {
    this.#peer = peer;
    this.#suspendedAt = undefined;
    this.#suspendedFor = undefined;
    this.#service = service;
    this.#isOver();
    for (const [signal, registration] of [...(this.#registrations ?? [])]) {
      this.gap(signal, undefined);
      this.#confirm(signal, registration, (error) => {
        for (const sink of [...registration.sinks]) sink.gone(error);
      });
    }
  }

  end(error: QiwayError): void {
    if (this.#goneWith !== undefined) return;
    this.#goneWith = error;
    this.#peer = undefined;
    this.#suspendedAt = undefined;
    this.#isOver();
    const registrations = this.#registrations;
    const listeners = this.#goneListeners;
    this.#registrations = undefined;
    this.#goneListeners = undefined;
    for (const { sinks, refused } of registrations?.values() ?? []) {
      refused(error);
      for (const sink of [...sinks]) sink.gone(error);
    }
    for (const listener of [...(listeners ?? [])]) listener(error);
  }

  #isOver(): void {
    this.#waiting?.end();
    this.#waiting = undefined;
  }

  #register(signal: number, first: EventSink): Registration {
    const link = this.#nextLink++;
    let confirmed: () => void = () => {};
    let refused: (error: QiwayError) => void = () => {};
    const ready = new Promise<void>((resolve, reject) => {
      confirmed = resolve;
      refused = reject;
    });
    ready.catch(() => {});
    const registration: Registration = { link, sinks: new Set([first]), ready, confirmed, refused, demand: EVERY };
    this.#registrations ??= new Map();
    this.#registrations.set(signal, registration);
    // A suspended object is registered with when it is settled.
    if (this.#peer !== undefined) this.#confirm(signal, registration, () => {});
    return registration;
  }

  #confirm(signal: number, registration: Registration, failed: (error: QiwayError) => void): void {
    const { link, confirmed, refused } = registration;
    registration.demand = EVERY;
    this.#tellDemand(signal, registration);
    this.#callRegistration(StandardAction.registerEvent, signal, link).then(confirmed, (error: QiwayError) => {
      const isWanted = this.#registrations?.get(signal) === registration;
      if (isWanted && this.#suspendedAt !== undefined) return; // it is registered anew when the object is settled
      if (isWanted) this.#registrations?.delete(signal);
      refused(error);
      failed(error);
    });
  }

  /** In order with the registration, which it comes before: from the first event on. */
  #tellDemand(signal: number, registration: Registration): void {
    const peer = this.#peer;
    if (peer?.agreement.tellsLosses !== true) return;
    const wanted = strongestOf(registration.sinks);
    if (isSameDemand(wanted, registration.demand)) return;
    registration.demand = wanted;
    const address = { service: this.service, object: this.object, signal };
    peer.tell(MessageType.post, 0, SESSION_OBJECT, SET_FLOW, encodeSetFlow(address, wanted));
  }

  async #unregister(signal: number, registration: Registration): Promise<void> {
    this.#registrations?.delete(signal);
    if (this.#peer === undefined) {
      registration.refused(new QiwayError('canceled', 'The subscription was closed before it was confirmed.'));
      return;
    }
    try {
      await this.#callRegistration(StandardAction.unregisterEvent, signal, registration.link);
    } catch {
      // The object or its socket ended meanwhile: then the registration is gone too.
    }
  }

  #callRegistration(action: number, signal: number, link: number): Promise<void> {
    const bytes = new Uint8Array(16);
    for (const [index, value] of [this.service, signal, link, signal].entries()) writeUint32(bytes, index * 4, value);
    return new Promise((resolve, reject) => {
      const sink: ReplySink = {
        reply: () => resolve(),
        error: reject,
        canceled: () => reject(new QiwayError('canceled', 'The registration was cancelled.')),
      };
      this.call({ action, payload: { signature: '(IIL)', bytes, objects: NO_OBJECTS } }, sink);
    });
  }
}

function suspended(): QiwayError {
  return new QiwayError(
    'offline',
    'The session is being made anew, and nothing was sent; call again when it is online.',
  );
}

/** A subscription that never was. */
export function failedSubscription(error: QiwayError): Subscription {
  const ready = Promise.reject(error);
  ready.catch(() => {});
  return { ready, close: () => Promise.resolve() };
}

// An object that the other side of a peer serves. Layer 2. One registration per signal, however many subscribe here.
import { QiwayError } from '../errors.ts';
import { writeUint32 } from '../wire/bytes.ts';
import {
  type BusObject,
  type CallHandle,
  type CallRequest,
  type EventSink,
  NO_OBJECTS,
  type Payload,
  type ReplySink,
  releasePayload,
  type Subscription,
} from './bus.ts';
import type { MetaObject } from './metaobject.ts';
import { StandardAction } from './metaobject.ts';
import type { Peer } from './peer.ts';

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
}

/** Of a call that is not under way. */
export const IDLE_HANDLE: CallHandle = { cancel: () => {} };
/** Counts registrations; the low half of the 64-bit link id, whose high half is the signal id (as libqi does). */
const FIRST_LINK = 1;

export class PeerObject implements BusObject {
  /** Undefined once gone: whoever still holds the object must not keep a whole session with it. */
  #peer: Peer | undefined;
  readonly service: number;
  readonly object: number;
  readonly metaObject: MetaObject;
  readonly uid: Uint8Array;
  /** Made when needed: there may be a hundred thousand objects that nobody listens to. */
  #registrations: Map<number, Registration> | undefined;
  #goneListeners: Set<(error: QiwayError) => void> | undefined;
  #references = 1;
  #nextLink = FIRST_LINK;
  #goneWith: QiwayError | undefined;

  constructor(peer: Peer, identity: PeerObjectIdentity) {
    this.#peer = peer;
    this.service = identity.service;
    this.object = identity.object;
    this.metaObject = identity.metaObject;
    this.uid = identity.uid;
  }

  get goneWith(): QiwayError | undefined {
    return this.#goneWith;
  }

  call(request: CallRequest, sink: ReplySink): CallHandle {
    if (this.#peer !== undefined) return this.#peer.call(this, request, sink) ?? IDLE_HANDLE;
    releasePayload(request.payload);
    sink.error(this.#goneWith as QiwayError);
    return IDLE_HANDLE;
  }

  post(action: number, payload: Payload): void {
    if (this.#peer === undefined) releasePayload(payload);
    else this.#peer.post(this, action, payload);
  }

  subscribe(signal: number, sink: EventSink): Subscription {
    if (this.#goneWith !== undefined) return failedSubscription(this.#goneWith);
    const registration = this.#registrations?.get(signal) ?? this.#register(signal);
    // A sink object may be given twice: each subscription has an entry of its own.
    const own: EventSink = {
      event: (payload) => sink.event(payload),
      gap: (missed) => sink.gap?.(missed),
      gone: (error) => sink.gone(error),
    };
    registration.sinks.add(own);
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
      if (registration.sinks.size === 0 && this.#registrations?.get(signal) === registration)
        await this.#unregister(signal, registration);
    };
    return { ready, close };
  }

  retain(): void {
    this.#references += 1;
  }

  release(): void {
    if (this.#references === 0) return;
    this.#references -= 1;
    if (this.#references > 0) return;
    this.#peer?.forget(this);
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

  end(error: QiwayError): void {
    if (this.#goneWith !== undefined) return;
    this.#goneWith = error;
    this.#peer = undefined;
    const registrations = this.#registrations;
    const listeners = this.#goneListeners;
    this.#registrations = undefined;
    this.#goneListeners = undefined;
    for (const { sinks } of registrations?.values() ?? []) for (const sink of [...sinks]) sink.gone(error);
    for (const listener of [...(listeners ?? [])]) listener(error);
  }

  #register(signal: number): Registration {
    const link = this.#nextLink++;
    const ready = this.#callRegistration(StandardAction.registerEvent, signal, link).catch((error: unknown) => {
      if (this.#registrations?.get(signal)?.link === link) this.#registrations.delete(signal);
      throw error;
    });
    ready.catch(() => {});
    const registration: Registration = { link, sinks: new Set(), ready };
    this.#registrations ??= new Map();
    this.#registrations.set(signal, registration);
    return registration;
  }

  async #unregister(signal: number, registration: Registration): Promise<void> {
    this.#registrations?.delete(signal);
    if (this.#goneWith !== undefined) return;
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

/** A subscription that never was. */
export function failedSubscription(error: QiwayError): Subscription {
  const ready = Promise.reject(error);
  ready.catch(() => {});
  return { ready, close: () => Promise.resolve() };
}

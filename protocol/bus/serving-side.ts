// What a peer needs of the side that serves objects: the seam at which a page leaves it out until it serves any.
// Layer 2; types only.

import type { QiwayError } from '../errors.ts';
import type { MessageHeader } from '../wire/message.ts';
import type { BusObject, Payload } from './bus.ts';
import type { EventFlows, EventFlowsOptions } from './event-flow.ts';
import type { Peer } from './peer.ts';

/** Of a message that is to be answered. */
export interface CallAddress {
  readonly id: number;
  readonly service: number;
  readonly object: number;
  readonly action: number;
}

export interface ServingCounts {
  /** Objects that the other side may address, beside the main objects of services. */
  readonly servedObjects: number;
  readonly incomingCalls: number;
  readonly subscriptions: number;
}

/** Objects by address, calls under way on them, registrations of the other side. */
export interface ServingSide {
  readonly counts: ServingCounts;
  /** The bytes to send of a payload that may hold objects: see `Peer.lower`. */
  lower(payload: Payload, service: number, role: 'argument' | 'returned'): Uint8Array;
  /** The three kinds of message that come in for objects. The header is the caller's, and used again. */
  call(header: MessageHeader, bytes: Uint8Array): void;
  post(header: MessageHeader, bytes: Uint8Array): void;
  cancel(bytes: Uint8Array): void;
  /** Drops what hangs on one of our services: it left the bus. */
  stop(service: number, error: QiwayError): void;
  /** The other side has forgotten everything: its calls are cancelled, its registrations closed, its objects released. */
  reset(): void;
  /** The same for good: the other side is gone. */
  close(): void;
}

/** A promise: messages for the service wait, in order, until it is fetched. */
export type ServiceLookup = (serviceId: number) => BusObject | Promise<BusObject> | undefined;

/** A call or post of a method of its own, of a property's new value, or of a signal, before it reaches the object. */
export interface GuardedMessage {
  readonly service: number;
  readonly object: BusObject;
  readonly action: number;
  /** Lent. */
  readonly payload: Payload;
  /** What {@link ServingGuard.isLate} was when the message came; it may have waited for its service since. */
  readonly isLate: boolean;
}

/** Looks at what the other side asks of objects; describing, subscribing and reading properties are not asked about. */
export interface ServingGuard {
  /** False: nothing is to be refused now. Read for every message, so it must cost next to nothing. */
  readonly isOnDuty: boolean;
  /** What comes now was sent before a silence. Read only while on duty. */
  readonly isLate: boolean;
  /** Why the message goes no further; posts are dropped without a word. Must not throw. */
  refuse(message: GuardedMessage): QiwayError | undefined;
}

export interface ServingOptions {
  /** The main object (object id 1) of a service, if the other side may address it; no reference is added. */
  readonly services: ServiceLookup;
  /** How errors are written: `text` for qi programs, `record` for our own links. */
  readonly errors: 'text' | 'record';
  /** Default: the other side may use whatever it can address. */
  readonly guard?: ServingGuard;
  /** How fast events go to the other side. Default: as they come. */
  readonly events?: EventFlows;
  /** In place of `events`, where these are to be made by the serving side itself. */
  readonly flow?: EventFlowsOptions;
}

/** Makes the serving side of one peer. */
export type ServePeer = (peer: Peer) => ServingSide;

/** `serving`, or `lazyServing(part)`. */
export type ServingWith = (options: ServingOptions) => ServePeer;

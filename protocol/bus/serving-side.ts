// What a peer needs of the side that serves objects: the seam at which a page leaves it out until it serves any.
// Layer 2; types only.

import type { QiwayError } from '../errors.ts';
import type { MessageHeader } from '../wire/message.ts';
import type { BusObject, Payload } from './bus.ts';
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
  /** The other side is gone: its calls are cancelled, its registrations closed, its objects released. */
  close(): void;
}

/** A promise: messages for the service wait, in order, until it is fetched. */
export type ServiceLookup = (serviceId: number) => BusObject | Promise<BusObject> | undefined;

export interface ServingOptions {
  /** The main object (object id 1) of a service, if the other side may address it; no reference is added. */
  readonly services: ServiceLookup;
  /** How errors are written: `text` for qi programs, `record` for our own links. */
  readonly errors: 'text' | 'record';
}

/** Makes the serving side of one peer. */
export type ServePeer = (peer: Peer) => ServingSide;

/** `serving`, or `lazyServing(part)`. */
export type ServingWith = (options: ServingOptions) => ServePeer;

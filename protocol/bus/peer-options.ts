// What a peer is made with: how it sends, what both sides understand, what it bears. Layer 2; data only.
import type { QiwayError } from '../errors.ts';
import type { MessageHeader } from '../wire/message.ts';
import type { ObjectEncoding } from '../wire/rewrite.ts';
import type { ServePeer } from './serving-side.ts';

/**
 * Takes one outgoing message. The header object is reused by the caller; the payload is never written to again.
 * @throws `limit-exceeded` when more waits for the other side than it may; nothing was sent then
 */
export type MessageSender = (header: MessageHeader, payload: Uint8Array) => void;

/** What both sides understand; settled by the handshake of whoever owns the peer. */
export interface PeerAgreement {
  /** How objects inside payloads are written on this socket, per direction. */
  readonly incoming: ObjectEncoding;
  readonly outgoing: ObjectEncoding;
  /** The other side understands Cancel. */
  readonly canCancel: boolean;
  /** The other side understands header flags. */
  readonly hasFlags: boolean;
  /** The other side is told when events were missed and when objects end: our links only. */
  readonly tellsLosses: boolean;
}

export interface PeerLimits {
  /** Calls of the other side under way at once. */
  readonly maxIncomingCalls: number;
  /** Calls of this side that the other has not answered; those that nobody waits for any more count too. */
  readonly maxPendingCalls: number;
  /** Objects served to the other side at once, and objects of it held. */
  readonly maxObjects: number;
  /** Signal registrations of the other side. */
  readonly maxSubscriptions: number;
  /** Different metaobjects of the objects held, together. A robot's services have some 5 kB each, and share what its objects have. */
  readonly maxMetaObjectBytes: number;
}

export interface PeerOptions {
  readonly send: MessageSender;
  /** The same for posts of which only the newest is worth anything; never throws. Without it they go as all others. */
  readonly sendLossy?: MessageSender;
  /** What this side offers to the other. */
  readonly serving: ServePeer;
  /** 20 random bytes: the uid of objects that come without one. */
  readonly randomUid: () => Uint8Array;
  readonly limits?: Partial<PeerLimits>;
  /** How errors are read: `decodeError` where qi programs may be at the other end. Default: as our links write them. */
  readonly decodeError?: (payload: Uint8Array) => QiwayError;
}

/** As on our links: everything understood, objects with uid and without metaobject cache. */
export const FULL_AGREEMENT: PeerAgreement = {
  incoming: { hasUid: true },
  outgoing: { hasUid: true },
  canCancel: true,
  hasFlags: true,
  tellsLosses: true,
};

/** In a gap message: nobody can say how many events were missed. */
export const UNKNOWN_COUNT = 0xffff_ffff;

/** Bounds against a greedy peer; far above what robots and pages use. */
export const DEFAULT_LIMITS: PeerLimits = {
  maxIncomingCalls: 65_536,
  maxPendingCalls: 1_048_576,
  maxObjects: 1_048_576,
  maxSubscriptions: 65_536,
  maxMetaObjectBytes: 67_108_864,
};

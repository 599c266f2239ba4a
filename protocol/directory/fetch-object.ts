// Asks the other side of a peer for the main object of a service: one call of `metaObject`. Layer 4.

import { type BusObject, NO_OBJECTS } from '../bus/bus.ts';
import { callObject } from '../bus/call.ts';
import { makeMetaObject, StandardAction } from '../bus/metaobject.ts';
import type { Peer } from '../bus/peer.ts';
import { PeerObject } from '../bus/peer-object.ts';
import type { Clock } from '../clock.ts';

const MAIN_OBJECT = 1;
/** Stands for a metaobject that is not known yet. */
const BARE = makeMetaObject({ methods: new Map(), signals: new Map(), properties: new Map(), description: '' });

export interface FetchLimit {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Of the service's info, when it has one. */
  readonly uid?: Uint8Array;
}

/**
 * The main object of a service, with one reference for the caller; without asking again while it is held.
 * @throws `timeout`, `object-gone` (nobody serves it there), `wire-invalid`, or with what the peer was closed
 */
export async function fetchObject(peer: Peer, serviceId: number, limit: FetchLimit): Promise<BusObject> {
  const known = peer.heldObject(serviceId, MAIN_OBJECT);
  if (known !== undefined) return known;
  const bytes = await fetchMetaObject(peer, serviceId, limit);
  const uid = limit.uid?.length === 20 ? { uid: limit.uid } : {};
  return peer.remoteObject(serviceId, MAIN_OBJECT, { metaObject: bytes, ...uid });
}

/** The bytes of its metaobject. @throws as `fetchObject` */
export async function fetchMetaObject(peer: Peer, serviceId: number, limit: FetchLimit): Promise<Uint8Array> {
  // Not in the peer's table: it only carries the question.
  const asked = new PeerObject(peer, {
    service: serviceId,
    object: MAIN_OBJECT,
    metaObject: BARE,
    uid: new Uint8Array(20),
  });
  const request = {
    action: StandardAction.metaObject,
    payload: { signature: '(I)', bytes: new Uint8Array(4), objects: NO_OBJECTS },
  };
  const reply = await callObject(asked, request, limit);
  return reply.bytes;
}

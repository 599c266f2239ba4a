// The objects of the other side that a peer holds: by address, and their metaobjects, which many share. Layer 2.
import { overLimit } from '../errors.ts';
import { AddressTable } from './address-table.ts';
import { MetaObjectTable } from './metaobject-table.ts';
import type { Peer } from './peer.ts';
import { PeerObject } from './peer-object.ts';
import type { PeerLimits } from './peer-options.ts';

const MAIN_OBJECT = 1;
/** No service has this id. */
const NOWHERE = 0xffff_ffff;

/** What the other side handed out, and where it serves it. */
interface HandedOut {
  readonly service: number;
  readonly object: number;
  readonly metaObject: Uint8Array;
  readonly uid: Uint8Array;
}

export class HeldObjects {
  readonly #maxObjects: number;
  readonly #objects = new AddressTable<PeerObject>();
  readonly #metaObjects: MetaObjectTable;

  constructor({ maxObjects, maxMetaObjectBytes }: PeerLimits) {
    this.#maxObjects = maxObjects;
    this.#metaObjects = new MetaObjectTable(maxMetaObjectBytes);
  }

  get size(): number {
    return this.#objects.size;
  }

  get(service: number, object: number): PeerObject | undefined {
    return this.#objects.get(service, object);
  }

  /** One more, at an address that is free, with one reference for the caller. @throws `limit-exceeded`, `wire-invalid` */
  add(peer: Peer, at: HandedOut): PeerObject {
    const made = this.#make(peer, at);
    this.#objects.set(at.service, at.object, made);
    return made;
  }

  /** The main object of a service, at no address: to be put, or dismissed. @throws as `add` */
  addSuspended(peer: Peer, made: Pick<HandedOut, 'metaObject' | 'uid'>): PeerObject {
    return this.#make(peer, { ...made, service: NOWHERE, object: MAIN_OBJECT });
  }

  #make(peer: Peer, at: HandedOut): PeerObject {
    const maximum = this.#maxObjects;
    if (this.size >= maximum)
      throw overLimit(`The other side handed out more than ${maximum} objects.`, { limit: 'maxObjects', maximum });
    return new PeerObject(peer, { ...at, metaObject: this.#metaObjects.take(at.metaObject) });
  }

  /** Takes all main objects off their addresses, without forgetting what they are: each is to be put back, or dismissed. */
  suspendMain(): PeerObject[] {
    const main = this.#objects.entries().filter((held) => held.object === MAIN_OBJECT);
    for (const { service, object } of main) this.#objects.delete(service, object);
    return main;
  }

  /** A suspended one is held again, at the address it has now. */
  put(held: PeerObject): void {
    this.#objects.set(held.service, held.object, held);
  }

  /** A suspended one is not held any more. */
  dismiss(held: PeerObject): void {
    this.#metaObjects.drop(held.metaObject);
  }

  /** False: it was not held any more. */
  drop(held: PeerObject): boolean {
    const { service, object, metaObject } = held;
    if (this.get(service, object) !== held) return false;
    this.#objects.delete(service, object);
    this.#metaObjects.drop(metaObject);
    return true;
  }

  /** Drops those of one service, or all, and returns them. */
  dropAll(service?: number): PeerObject[] {
    return this.#objects.entries(service).filter((held) => this.drop(held));
  }
}

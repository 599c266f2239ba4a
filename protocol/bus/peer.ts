// A qi peer: turns the messages of one socket or link into calls on objects, both ways. Layer 2, sans I/O:
// messages come in by `receive`, go out by `send`; it knows no framing, no handshake, no time.
import type { QiwayError } from '../errors.ts';
import { readUint32, writeUint32 } from '../wire/bytes.ts';
import { MessageFlags, type MessageHeader, MessageType } from '../wire/message.ts';
import { holdsObjects } from '../wire/signature.ts';
import { type CallHandle, type CallRequest, NO_OBJECTS, type Payload, type ReplySink } from './bus.ts';
import { CallingSide, type PostRequest } from './calling-side.ts';
import { decodeErrorRecord } from './error-record.ts';
import { HeldObjects } from './held-objects.ts';
import { liftPayload } from './lift-payload.ts';
import { StandardAction } from './metaobject.ts';
import { objectGone } from './object-gone.ts';
import type { PeerObject } from './peer-object.ts';
import {
  DEFAULT_LIMITS,
  FULL_AGREEMENT,
  type PeerAgreement,
  type PeerLimits,
  type PeerOptions,
  UNKNOWN_COUNT,
} from './peer-options.ts';
import type { ServingCounts, ServingSide } from './serving-side.ts';

export {
  FULL_AGREEMENT,
  type MessageSender,
  type PeerAgreement,
  type PeerLimits,
  type PeerOptions,
} from './peer-options.ts';

/** One per socket or link. */
export class Peer {
  readonly #options: PeerOptions;
  readonly limits: PeerLimits;
  #agreement: PeerAgreement = FULL_AGREEMENT;
  readonly #header: MessageHeader = { id: 0, size: 0, version: 0, type: 0, flags: 0, service: 0, object: 0, action: 0 };
  readonly #calling: CallingSide;
  readonly #remotes: HeldObjects;
  readonly #serving: ServingSide;
  /** Main objects of which it is not known yet whether the other side still has them. */
  readonly #suspended = new Set<PeerObject>();
  #nextId = 2;
  #closedWith: QiwayError | undefined;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#remotes = new HeldObjects(this.limits);
    this.#calling = new CallingSide(this, options.sendLossy);
    this.#serving = options.serving(this);
  }

  /** Set once the peer is closed. */
  get closedWith(): QiwayError | undefined {
    return this.#closedWith;
  }

  get agreement(): PeerAgreement {
    return this.#agreement;
  }

  /** Counts, for metrics and for tests of bounds. */
  get counts(): {
    readonly pendingCalls: number;
    readonly remoteObjects: number;
  } & ServingCounts {
    return { pendingCalls: this.#calling.size, remoteObjects: this.#remotes.size, ...this.#serving.counts };
  }

  /** What the handshake settled; until then everything is taken for understood. */
  agree(agreement: PeerAgreement): void {
    this.#agreement = agreement;
  }

  /**
   * Takes one message. `payload` may be a view and is kept as long as it is needed.
   * @throws `wire-invalid` for a message type that no peer may send; the socket should then be closed
   */
  receive(header: MessageHeader, payload: Uint8Array): void {
    if (this.#closedWith !== undefined) return;
    switch (header.type) {
      case MessageType.reply:
        this.#calling.reply(header, payload);
        return;
      case MessageType.event:
        this.#dispatchEvent(header, payload);
        return;
      case MessageType.gap:
        if (this.#agreement.tellsLosses)
          this.#remotes.get(header.service, header.object)?.gap(header.action, readMissed(payload));
        return;
      case MessageType.gone:
        this.#endObject(header, payload);
        return;
      case MessageType.error:
        this.#calling.delete(header.id)?.sink.error(this.#readError(payload));
        return;
      case MessageType.canceled:
        this.#calling.delete(header.id)?.sink.canceled();
        return;
      case MessageType.call:
        this.#serving.call(header, payload);
        return;
      case MessageType.post:
        this.#serving.post(header, payload);
        return;
      case MessageType.cancel:
        this.#serving.cancel(payload);
        return;
      default:
        return; // capability and unknown types: never answered (as libqi)
    }
  }

  /** The object at an address of the other side if it is held already, with one more reference. */
  heldObject(service: number, object: number): PeerObject | undefined {
    const known = this.#remotes.get(service, object);
    known?.retain();
    return known;
  }

  /**
   * The object at an address of the other side, with one reference for the caller. The same address gives the same
   * object while it is held. Of the bytes given nothing is kept.
   * @throws `limit-exceeded`, `wire-invalid` for bytes that are no metaobject
   */
  remoteObject(
    service: number,
    object: number,
    identity: { readonly metaObject: Uint8Array; readonly uid?: Uint8Array },
  ): PeerObject {
    const known = this.#remotes.get(service, object);
    if (known !== undefined) {
      known.retain();
      return known;
    }
    const uid = identity.uid?.slice() ?? this.#options.randomUid();
    const made = this.#remotes.add(this, { service, object, metaObject: identity.metaObject, uid });
    if (this.#closedWith !== undefined && this.#remotes.drop(made)) made.end(this.#closedWith);
    return made;
  }

  /**
   * The main object of a service of which it is not known where it is, with one reference for the caller: to be settled, or
   * given up. Of the bytes given nothing is kept. @throws `wire-invalid` for bytes that are no metaobject, `limit-exceeded`
   */
  suspendedObject(identity: { readonly metaObject: Uint8Array; readonly uid?: Uint8Array }): PeerObject {
    const uid = identity.uid?.slice() ?? this.#options.randomUid();
    const made = this.#remotes.addSuspended(this, { metaObject: identity.metaObject, uid });
    made.suspend();
    this.#suspended.add(made);
    return made;
  }

  /** Ends every object of one service of the other side, and what was asked of it: it left the bus. */
  endService(service: number, error: QiwayError): void {
    const remotes = this.#remotes.dropAll(service);
    this.#calling.failAll(error, { service });
    for (const remote of remotes) remote.end(remote.object === 1 ? error : objectGone(error));
    // What was given to that service as arguments goes with it (as libqi).
    this.#serving.stop(service, error);
  }

  /** Stops serving one of our own services here: its registrations and the objects that hang on it are dropped. */
  stopServing(service: number, error: QiwayError): void {
    this.#serving.stop(service, error);
  }

  /**
   * Fails what is pending, ends what is held, releases what is served. Idempotent.
   * @param details.ofObjects how objects end that are no services: a service may come back, they do not
   * @param details.neverSent ids of calls that certainly were not made
   */
  close(
    error: QiwayError,
    { ofObjects = error, neverSent }: { ofObjects?: QiwayError; neverSent?: ReadonlySet<number> } = {},
  ): void {
    if (this.#closedWith !== undefined) return;
    this.#closedWith = error;
    const remotes = [...this.#remotes.dropAll(), ...this.#suspended];
    this.#suspended.clear();
    this.#calling.failAll(error, { neverSent });
    for (const remote of remotes) remote.end(remote.object === 1 ? error : ofObjects);
    this.#serving.close();
  }

  /**
   * The other side has forgotten everything: what was pending fails, objects that were handed over end, what was served is
   * released. Services' main objects are suspended until `settle` or `giveUp`.
   * @returns how many calls and objects were lost
   */
  renew(error: QiwayError, neverSent: ReadonlySet<number>): { readonly calls: number; readonly objects: number } {
    const calls = this.#calling.size;
    this.#calling.renew();
    for (const remote of this.#remotes.suspendMain()) {
      this.#suspended.add(remote);
      remote.suspend();
    }
    const ended = this.#remotes.dropAll();
    this.#serving.reset();
    this.#calling.failAll(error, { neverSent });
    for (const remote of ended) remote.end(objectGone(error));
    return { calls, objects: ended.length };
  }

  /** A suspended object goes on: the other side has it as the main object of this service now. Its subscriptions are told of a gap. */
  settle(object: PeerObject, service: number): void {
    if (!this.#suspended.delete(object) || this.#closedWith !== undefined) return;
    object.settle(this, service);
    this.#remotes.put(object);
  }

  /** A suspended object ends: the other side has it no more. */
  giveUp(object: PeerObject, error: QiwayError): void {
    if (!this.#suspended.delete(object)) return;
    this.#remotes.dismiss(object);
    object.end(error);
  }

  /** Name of a method of an object that is held. */
  memberName(at: { readonly service: number; readonly object: number; readonly action: number }): string | undefined {
    return this.#remotes.get(at.service, at.object)?.metaObject.methods.get(at.action)?.name;
  }

  /** Writes a call and keeps its sink until the answer. */
  call(target: PeerObject, request: CallRequest, sink: ReplySink): CallHandle | undefined {
    return this.#calling.call(target, request, sink);
  }

  /** A failing post is silent. */
  post(target: PeerObject, request: PostRequest): void {
    this.#calling.post(target, request);
  }

  /** Fails one call of this side; of what the other side may answer to it yet, objects are let go of. */
  failCall(id: number, error: QiwayError): void {
    this.#calling.fail(id, error);
  }

  /** Forgets a remote object whose last reference was dropped, and tells its host. */
  forget(remote: PeerObject): void {
    if (this.#suspended.delete(remote)) return this.#remotes.dismiss(remote);
    if (!this.#remotes.drop(remote) || remote.object === 1) return; // a service's main object is not ours to end
    const body = new Uint8Array(4);
    writeUint32(body, 0, remote.service);
    this.tell(MessageType.post, 0, remote, StandardAction.terminate, body);
  }

  /** An id for a message that is no answer. */
  freshId(): number {
    do {
      this.#nextId = this.#nextId >= 0xffff_ffff ? 2 : this.#nextId + 1;
    } while (this.#calling.has(this.#nextId));
    return this.#nextId;
  }

  write(
    type: number,
    flags: number,
    id: number,
    service: number,
    object: number,
    action: number,
    payload: Uint8Array,
  ): void {
    if (this.#closedWith !== undefined) return;
    const header = this.#header;
    header.id = id;
    header.size = payload.length;
    header.type = type;
    header.flags = flags;
    header.service = service;
    header.object = object;
    header.action = action;
    this.#options.send(header, payload);
  }

  /** Bytes as received -> payload of the seam: objects become {@link PeerObject}s, one reference each for the receiver. */
  lift(signature: string, bytes: Uint8Array): Payload {
    if (!holdsObjects(signature)) return { signature, bytes, objects: NO_OBJECTS };
    return liftPayload({ signature, bytes }, this.#agreement.incoming, ({ service, object, metaObject, uid }) =>
      this.remoteObject(service, object, uid.some((byte) => byte !== 0) ? { metaObject, uid } : { metaObject }),
    );
  }

  /**
   * Payload of the seam -> bytes to send: its objects are served here from now on, and their references are taken over.
   * @throws `limit-exceeded`, `wire-invalid`; the references are then released
   */
  lower(payload: Payload, service: number, role: 'argument' | 'returned'): Uint8Array {
    const { outgoing } = this.#agreement;
    if (payload.objects === NO_OBJECTS && outgoing.hasUid && outgoing.cache === undefined) return payload.bytes;
    return holdsObjects(payload.signature) ? this.#serving.lower(payload, service, role) : payload.bytes;
  }

  /** Writes what nobody waits for: to another side that reads too slowly it is not said. */
  tell(
    type: number,
    flags: number,
    target: { readonly service: number; readonly object: number },
    action: number,
    payload: Uint8Array,
  ): void {
    try {
      this.write(type, flags, this.freshId(), target.service, target.object, action, payload);
    } catch {
      // Nobody is there to be told; calls tell it.
    }
  }

  #readError(payload: Uint8Array): QiwayError {
    return (this.#options.decodeError ?? decodeErrorRecord)(payload);
  }

  /** An object that we hold has ended at its host. Services end by the directory's word only. */
  #endObject({ service, object }: MessageHeader, payload: Uint8Array): void {
    const remote = this.#remotes.get(service, object);
    if (this.#agreement.tellsLosses && object !== 1 && remote !== undefined && this.#remotes.drop(remote))
      remote.end(this.#readError(payload));
  }

  #dispatchEvent(header: MessageHeader, bytes: Uint8Array): void {
    const remote = this.#remotes.get(header.service, header.object);
    const declared = remote?.metaObject.signals.get(header.action)?.signature ?? 'm';
    const signature = (header.flags & MessageFlags.dynamicPayload) === 0 ? declared : 'm';
    if (remote === undefined || !(remote.isSubscribed(header.action) || holdsObjects(signature))) return;
    let payload: Payload;
    try {
      payload = this.lift(signature, bytes);
    } catch {
      return; // an event that cannot be read has no one to answer to
    }
    remote.dispatch(header.action, payload); // lets go of its objects if nobody listens any more
  }
}

/** A gap's count; undefined when it is not known. */
function readMissed(payload: Uint8Array): number | undefined {
  const missed = payload.length < 4 ? UNKNOWN_COUNT : readUint32(payload, 0);
  return missed === UNKNOWN_COUNT ? undefined : missed;
}

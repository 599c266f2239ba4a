// What this side of a peer serves to the other: objects by address, their calls under way, their registrations. Layer 2.
import { asQiwayError, ofCallUnderWay, overLimit, QiwayError, sentenceOf } from '../errors.ts';
import { readUint32 } from '../wire/bytes.ts';
import { FrameFlags } from '../wire/link-frame.ts';
import { MessageFlags, type MessageHeader, MessageType } from '../wire/message.ts';
import { type ObjectReference, rewriteObjects } from '../wire/rewrite.ts';
import { AddressTable } from './address-table.ts';
import { type BusObject, type Payload, type PostOptions, releasePayload, SEAM_ENCODING } from './bus.ts';
import { CallTable } from './call-table.ts';
import { encodeError } from './encode-error.ts';
import { NOBODY_THERE } from './error-payload.ts';
import { EventFlows } from './event-flow.ts';
import { answerCanceled, IncomingCall } from './incoming-call.ts';
import { FIRST_OWN_ACTION, StandardAction, standardReturn } from './metaobject.ts';
import { objectGone } from './object-gone.ts';
import type { Peer } from './peer.ts';
import { Registrations } from './registrations.ts';
import type { CallAddress, ServePeer, ServingCounts, ServingOptions, ServingSide } from './serving-side.ts';
import { splitReturnSignature } from './split-return-signature.ts';
import { STANDARD_METHODS } from './standard-members.ts';
import { WaitingMessages } from './waiting-messages.ts';

/** An object that the other side may address, until it terminates it. */
interface Binding {
  readonly service: number;
  readonly objectId: number;
  readonly object: BusObject;
  stopListening: () => void;
}

const MAIN_OBJECT = 1;
const RELIABLE: PostOptions = {};
const LOSSY: PostOptions = { lane: 'lossy' };
/** First ids of objects that are returned, and of those that travel as arguments, each up to the next range (as libqi). */
const FIRST_ID = { returned: 2, argument: 0x8000_0000 } as const;
const END_OF_IDS = { returned: 0x8000_0000, argument: 0x1_0000_0000 } as const;
const standardParameters = new Map(STANDARD_METHODS.map((method) => [method.uid, method.parametersSignature]));

/** The serving side of a peer, linked in. */
export function serving(options: ServingOptions): ServePeer {
  return (peer) => new Serving(peer, options);
}

export class Serving implements ServingSide {
  readonly #peer: Peer;
  readonly #options: ServingOptions;
  readonly #bindings = new AddressTable<Binding>();
  readonly #calls = new CallTable<IncomingCall>();
  readonly #waiting: WaitingMessages;
  readonly #registrations: Registrations;
  readonly #nextId: { returned: number; argument: number } = { ...FIRST_ID };

  constructor(peer: Peer, options: ServingOptions) {
    this.#peer = peer;
    this.#options = options;
    this.#waiting = new WaitingMessages(peer.limits.maxIncomingCalls);
    this.#registrations = new Registrations(peer, {
      refuse: (address, error) => this.#error(address, error),
      events: options.events ?? (options.flow && new EventFlows(options.flow)),
    });
  }

  get counts(): ServingCounts {
    return {
      servedObjects: this.#bindings.size,
      incomingCalls: this.#calls.size,
      subscriptions: this.#registrations.count,
    };
  }

  lower(payload: Payload, service: number, role: 'argument' | 'returned'): Uint8Array {
    const { outgoing } = this.#peer.agreement;
    const served: boolean[] = [];
    const bound: number[] = [];
    try {
      return rewriteObjects(payload.signature, payload.bytes, SEAM_ENCODING, outgoing, (reference) => {
        if (reference.object === 0) return { ...reference, service };
        const object = payload.objects[reference.object - 1];
        if (object === undefined)
          throw new QiwayError('internal', `A payload names object ${reference.object} of ${payload.objects.length}.`);
        const id = this.#freshId(service, role);
        this.#bind(service, id, object);
        bound.push(id);
        if (served[reference.object] === true) object.retain(); // named twice in one payload: each has a life of its own
        served[reference.object] = true;
        return referenceTo(object, service, id);
      });
    } catch (error) {
      for (const id of bound) this.#unbind(service, id); // the other side will never hear of them
      throw error;
    } finally {
      payload.objects.forEach((object, index) => {
        if (served[index + 1] !== true) object.release();
      });
    }
  }

  call(header: MessageHeader, bytes: Uint8Array): void {
    this.#call(header, bytes, this.#isLate());
  }

  #call(header: MessageHeader, bytes: Uint8Array, isLate: boolean): void {
    const { id, service, object: objectId, action, flags } = header;
    const address = { id, service, object: objectId, action };
    const object = this.#find(service, objectId);
    if (object === 'loading') {
      const copy = { ...header };
      const refuse = (error: QiwayError): void => this.#error(address, error);
      return this.#waiting.add({
        service,
        id,
        bytes,
        run: (kept) => this.#call(copy, kept, isLate),
        refuse: (error) => refuse(notExecuted(error)),
        canceled: () => answerCanceled(this.#peer, { address, refuse }),
      });
    }
    if (header.version > 0) return this.#error(address, unknownVersion(header.version));
    if (object === undefined)
      return this.#error(address, new QiwayError('object-gone', NOBODY_THERE, { data: { text: NOBODY_THERE } }));
    if (action <= StandardAction.terminate || action === StandardAction.registerEventWithSignature)
      return this.#callStandard(address, object, bytes);
    const declared = object.metaObject.methods.get(action)?.parametersSignature ?? standardParameters.get(action);
    if (declared === undefined) {
      const text = `No such method {${service}.${objectId}.${action}, id:${id}}`;
      return this.#error(address, new QiwayError('member-not-found', text, { data: { text } }));
    }
    if (this.#calls.has(id))
      return this.#error(address, new QiwayError('wire-invalid', `A call with id ${id} is under way already.`));
    if (this.#calls.size >= this.#peer.limits.maxIncomingCalls) {
      const maximum = this.#peer.limits.maxIncomingCalls;
      return this.#error(
        address,
        overLimit(`More than ${maximum} calls are under way on one link.`, { limit: 'maxIncomingCalls', maximum }),
      );
    }
    const signature = (flags & MessageFlags.dynamicPayload) === 0 ? declared : 'm';
    try {
      const split = (flags & MessageFlags.returnType) === 0 ? { bytes } : splitReturnSignature(signature, bytes);
      const payload = this.#peer.lift(signature, split.bytes);
      const refusal = this.#isGuarded(action, isLate)
        ? this.#options.guard?.refuse({ service, object, action, payload, isLate })
        : undefined;
      if (refusal !== undefined) {
        releasePayload(payload);
        return this.#error(address, refusal);
      }
      const call = new IncomingCall(this.#peer, {
        table: this.#calls,
        address,
        returnSignature: object.metaObject.methods.get(action)?.returnSignature ?? standardReturn(action),
        refuse: (refusal) => this.#error(address, refusal),
      });
      this.#calls.add(call);
      call.attach(
        object.call(
          'returnSignature' in split
            ? { action, payload, returnSignature: split.returnSignature, caller: this.#peer }
            : { action, payload, caller: this.#peer },
          call,
        ),
      );
    } catch (error) {
      this.#calls.delete(id);
      this.#error(address, unreadable(error));
    }
  }

  post(header: MessageHeader, bytes: Uint8Array): void {
    this.#post(header, bytes, this.#isLate());
  }

  #post(header: MessageHeader, bytes: Uint8Array, isLate: boolean): void {
    const { service, object: objectId, action, flags } = header;
    const object = this.#find(service, objectId);
    if (object === 'loading') {
      const copy = { ...header };
      return this.#waiting.add({ service, bytes, run: (kept) => this.#post(copy, kept, isLate), refuse: () => {} });
    }
    if (object === undefined) return;
    if (action === StandardAction.terminate) return this.#unbind(service, objectId);
    if (action < StandardAction.property) return;
    const declared =
      object.metaObject.methods.get(action)?.parametersSignature ??
      object.metaObject.signals.get(action)?.signature ??
      standardParameters.get(action);
    if (declared === undefined) return;
    try {
      const payload = this.#peer.lift((flags & MessageFlags.dynamicPayload) === 0 ? declared : 'm', bytes);
      const isRefused =
        this.#isGuarded(action, isLate) &&
        this.#options.guard?.refuse({ service, object, action, payload, isLate }) !== undefined;
      if (isRefused) releasePayload(payload);
      else object.post(action, payload, (flags & FrameFlags.lossy) === 0 ? RELIABLE : LOSSY);
    } catch {
      // A failing post is never answered.
    }
  }

  cancel(bytes: Uint8Array): void {
    if (bytes.length < 4) return;
    const id = readUint32(bytes, 0);
    this.#waiting.cancel(id);
    this.#calls.get(id)?.cancel();
  }

  /** Drops what hangs on one of our services: it left the bus. */
  stop(service: number, error: QiwayError): void {
    this.#registrations.drop(service);
    const calls = this.#calls.leaving(service);
    if (calls.length > 0) {
      const underWay = ofCallUnderWay(error);
      for (const call of calls) call.error(underWay);
    }
    for (const binding of this.#bindings.entries(service)) this.#unbind(service, binding.objectId);
  }

  close(): void {
    this.reset();
  }

  reset(): void {
    this.#waiting.clear();
    this.#registrations.drop();
    for (const call of this.#calls.leaving()) {
      this.#calls.delete(call.id);
      call.abandon();
    }
    for (const { service, objectId } of this.#bindings.entries()) this.#unbind(service, objectId);
  }

  #isLate(): boolean {
    const { guard } = this.#options;
    return guard?.isOnDuty === true && guard.isLate;
  }

  /** Is the guard to be asked? What arrived late stays so while it waits for its service. */
  #isGuarded(action: number, isLate: boolean): boolean {
    const { guard } = this.#options;
    if (guard === undefined || !(isLate || guard.isOnDuty)) return false;
    return action >= FIRST_OWN_ACTION || action === StandardAction.setProperty;
  }

  #find(service: number, objectId: number): BusObject | 'loading' | undefined {
    if (objectId !== MAIN_OBJECT) return this.#bindings.get(service, objectId)?.object;
    if (this.#waiting.isWaitedFor(service)) return 'loading';
    const found = this.#options.services(service);
    if (!(found instanceof Promise)) return found;
    this.#waiting.begin(service, found);
    return 'loading';
  }

  #error({ id, service, object, action }: CallAddress, error: QiwayError): void {
    this.#peer.write(MessageType.error, 0, id, service, object, action, encodeError(error, this.#options.errors));
  }

  #callStandard(address: CallAddress, object: BusObject, bytes: Uint8Array): void {
    const { id, service, object: objectId, action } = address;
    const answer = (body: Uint8Array): void =>
      this.#peer.write(MessageType.reply, 0, id, service, objectId, action, body);
    try {
      switch (action) {
        case StandardAction.metaObject:
          return answer(object.metaObject.bytes);
        case StandardAction.terminate:
          this.#unbind(service, objectId);
          return answer(new Uint8Array(0));
        case StandardAction.unregisterEvent:
          this.#registrations.remove(address, bytes, answer);
          return;
        default:
          this.#registrations.add(address, object, bytes, answer);
      }
    } catch (error) {
      this.#error(address, unreadable(error));
    }
  }

  /** Ids come again once a range is used up; those still in use are left out. */
  #freshId(service: number, role: 'argument' | 'returned'): number {
    let id: number;
    do {
      id = this.#nextId[role];
      this.#nextId[role] = id + 1 < END_OF_IDS[role] ? id + 1 : FIRST_ID[role];
    } while (this.#bindings.get(service, id) !== undefined);
    return id;
  }

  /** Takes over one reference of `object`. */
  #bind(service: number, objectId: number, object: BusObject): void {
    const maximum = this.#peer.limits.maxObjects;
    if (this.#bindings.size >= maximum)
      throw overLimit(`More than ${maximum} objects are given out on one link; release some.`, {
        limit: 'maxObjects',
        maximum,
      });
    const binding: Binding = { service, objectId, object, stopListening: () => {} };
    this.#bindings.set(service, objectId, binding);
    const ended = (error: QiwayError): void => this.#ended(binding, error);
    // Of one that has ended already the other side is to hear only after it got it.
    const { goneWith } = object;
    if (goneWith === undefined) binding.stopListening = object.onGone(ended);
    else void Promise.resolve(goneWith).then(ended);
  }

  /** It ended at its host. Whoever was given it is told, and finds nothing at the address from now on. */
  #ended(binding: Binding, error: QiwayError): void {
    const { service, objectId } = binding;
    if (this.#bindings.get(service, objectId) !== binding) return;
    this.#unbind(service, objectId);
    if (!this.#peer.agreement.tellsLosses) return;
    const told = encodeError(objectGone(error), this.#options.errors);
    this.#peer.tell(MessageType.gone, 0, { service, object: objectId }, 0, told);
  }

  /** Ends one object here: its registrations are dropped, its reference is released. */
  #unbind(service: number, objectId: number): void {
    if (objectId === MAIN_OBJECT) return; // as libqi: ending a service is the directory's business
    const binding = this.#bindings.delete(service, objectId);
    if (binding === undefined) return;
    binding.stopListening();
    this.#registrations.dropObject(service, objectId);
    binding.object.release();
  }
}

function unreadable(thrown: unknown): QiwayError {
  const error = asQiwayError(thrown);
  if (error.code !== 'wire-invalid') return error;
  const text = 'ISerialization error Status Read Past End';
  return new QiwayError('wire-invalid', error.message, { data: { ...error.data, text }, cause: error });
}

/** The call waited for its service: whatever came of that, it was not begun. */
function notExecuted(error: QiwayError): QiwayError {
  const { code, data, maybeExecuted } = error;
  return maybeExecuted ? new QiwayError(code, sentenceOf(error), { data, cause: error }) : error;
}

/** In libqi's words. */
function unknownVersion(version: number): QiwayError {
  const text = `Cannot negotiate QiMessaging connection: remote end doesn't support binary protocol v${version}`;
  return new QiwayError('wire-invalid', text, { data: { text } });
}

function referenceTo(object: BusObject, service: number, id: number): ObjectReference {
  return { metaObject: object.metaObject.bytes, service, object: id, uid: object.uid };
}

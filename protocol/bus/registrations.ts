// Signal registrations of the other side of a peer: by object, and there by its link ids. Layer 2.
import { overLimit, QiwayError } from '../errors.ts';
import { writeUint32 } from '../wire/bytes.ts';
import { MessageFlags, MessageType } from '../wire/message.ts';
import { Dynamic, decodeValue, encodeValue } from '../wire/value.ts';
import { AddressTable } from './address-table.ts';
import { type BusObject, type EventSink, NO_OBJECTS, type Payload, type Subscription } from './bus.ts';
import { conversionScore, convertValue } from './convert.ts';
import type { EventFlow, EventFlows, EventOutput } from './event-flow.ts';
import { StandardAction } from './metaobject.ts';
import type { Peer } from './peer.ts';
import { UNKNOWN_COUNT } from './peer-options.ts';
import type { CallAddress } from './serving-side.ts';

interface Entry {
  readonly service: number;
  readonly objectId: number;
  readonly link: bigint;
  readonly subscription: Subscription;
  readonly flow: EventFlow | undefined;
}

type Answer = (body: Uint8Array) => void;

interface RegistrationsOptions {
  readonly refuse: (address: CallAddress, error: QiwayError) => void;
  /** Undefined: events go as they come. */
  readonly events: EventFlows | undefined;
}

export class Registrations {
  readonly #peer: Peer;
  readonly #options: RegistrationsOptions;
  /**
   * Of each object by link id: other objects may have the same ones. One id may be given twice, and then every event
   * arrives twice (as libqi).
   */
  readonly #entries = new AddressTable<Map<bigint, Set<Entry>>>();
  #count = 0;
  #nextServerLink = 1n;

  constructor(peer: Peer, options: RegistrationsOptions) {
    this.#peer = peer;
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  /** registerEvent and registerEventWithSignature. @throws `wire-invalid`, `limit-exceeded` */
  add(address: CallAddress, object: BusObject, bytes: Uint8Array, answer: Answer): void {
    const withSignature = address.action === StandardAction.registerEventWithSignature;
    const [, signal, link, wanted] = decodeValue(withSignature ? '(IILs)' : '(IIL)', bytes) as [
      number,
      number,
      bigint,
      string?,
    ];
    const maximum = this.#peer.limits.maxSubscriptions;
    if (this.#count >= maximum)
      throw overLimit(`More than ${maximum} signal registrations on one link.`, { limit: 'maxSubscriptions', maximum });
    const declared = object.metaObject.signals.get(signal)?.signature;
    if (declared === undefined)
      throw new QiwayError('member-not-found', `The object has no signal ${signal}.`, {
        data: { member: String(signal) },
      });
    const convert =
      wanted === undefined || conversionScore(declared, wanted) === 0 ? undefined : converter(declared, wanted);
    const { service, object: objectId } = address;
    const output: EventOutput = {
      event: (payload) => {
        const converted = convert?.(payload) ?? payload;
        const flags = converted.signature === 'm' && declared !== 'm' ? MessageFlags.dynamicPayload : 0;
        this.#send(service, objectId, signal, flags, converted);
      },
      gap: (missed) => {
        if (!this.#peer.agreement.tellsLosses) return;
        const body = new Uint8Array(4);
        writeUint32(body, 0, missed ?? UNKNOWN_COUNT);
        this.#peer.write(MessageType.gap, 0, this.#peer.freshId(), service, objectId, signal, body);
      },
      wanted: (demand) => subscription.demand?.(demand),
    };
    const flow = this.#options.events?.open({ service, object: objectId, signal }, output);
    const to = flow ?? output;
    const sink: EventSink = {
      ...(flow !== undefined && { demand: flow.demand }),
      event: (payload) => to.event(payload),
      gap: (missed) => to.gap(missed),
      gone: () => {},
    };
    const subscription = object.subscribe(signal, sink);
    const entry: Entry = { service, objectId, link, subscription, flow };
    this.#keep(entry);
    // An answer may find no room.
    subscription.ready
      .then(() => answer(encodeValue('L', this.#nextServerLink++)))
      .catch((error: QiwayError) => {
        this.#forget(entry);
        this.#options.refuse(address, error);
      });
  }

  /** unregisterEvent. @throws `wire-invalid`, `call-failed` for a link that is not registered */
  remove(address: CallAddress, bytes: Uint8Array, answer: Answer): void {
    const [, , link] = decodeValue('(IIL)', bytes) as [number, number, bigint];
    const [entry] = this.#entries.get(address.service, address.object)?.get(link) ?? [];
    if (entry === undefined) {
      const text = `Unregister request failed for ${link} ${address.service}`;
      throw new QiwayError('call-failed', text, { data: { text } });
    }
    this.#forget(entry);
    entry.subscription
      .close()
      .then(() => answer(new Uint8Array(0)))
      .catch((error: QiwayError) => this.#options.refuse(address, error));
  }

  /** Those of one object. */
  dropObject(service: number, objectId: number): void {
    this.#drop([this.#entries.get(service, objectId)]);
  }

  /** Those of all objects of one service, or all there are. */
  drop(service?: number): void {
    this.#drop(this.#entries.entries(service));
  }

  #send(service: number, objectId: number, signal: number, flags: number, payload: Payload): void {
    let bytes: Uint8Array;
    try {
      bytes = this.#peer.lower(payload, service, 'returned');
    } catch {
      return; // too many objects are out on this side: the other subscribers are not to suffer from it
    }
    this.#peer.write(MessageType.event, flags, this.#peer.freshId(), service, objectId, signal, bytes);
  }

  #keep(entry: Entry): void {
    const { service, objectId, link } = entry;
    let links = this.#entries.get(service, objectId);
    if (links === undefined) {
      links = new Map();
      this.#entries.set(service, objectId, links);
    }
    const same = links.get(link);
    if (same === undefined) links.set(link, new Set([entry]));
    else same.add(entry);
    this.#count += 1;
  }

  #forget(entry: Entry): void {
    const { service, objectId, link } = entry;
    const links = this.#entries.get(service, objectId);
    const same = links?.get(link);
    if (links === undefined || same?.delete(entry) !== true) return;
    this.#count -= 1;
    entry.flow?.close();
    if (same.size === 0) links.delete(link);
    if (links.size === 0) this.#entries.delete(service, objectId);
  }

  #drop(objects: readonly (ReadonlyMap<bigint, ReadonlySet<Entry>> | undefined)[]): void {
    for (const links of objects) {
      for (const entry of [...(links?.values() ?? [])].flatMap((same) => [...same])) {
        this.#forget(entry);
        void entry.subscription.close();
      }
    }
  }
}

/** Events in the signature that the subscriber wants, as a dynamic holding the tuple; unconverted when a value does not fit. */
function converter(declared: string, wanted: string): (payload: Payload) => Payload {
  return (payload) => {
    if (payload.objects.length > 0) return payload;
    try {
      const value = decodeValue(payload.signature, payload.bytes, { dynamics: 'wrapped' });
      const from = payload.signature === 'm' ? (value as Dynamic).signature : declared;
      const converted = convertValue(from, wanted, payload.signature === 'm' ? (value as Dynamic).value : value);
      return { signature: 'm', bytes: encodeValue('m', new Dynamic(wanted, converted)), objects: NO_OBJECTS };
    } catch {
      return payload;
    }
  };
}

// The values of the properties of one hosted object. Layer 3.
import { type Payload, releasePayload } from '../bus/bus.ts';
import type { Layout } from './members.ts';
import type { Subscribers } from './subscribers.ts';
import { encodePayload, type ObjectMapper } from './values.ts';

/** The value, and its bytes, which say more than the value (a dynamic may hold a struct). */
interface Stored {
  readonly value: unknown;
  readonly payload: Payload;
}

export class PropertyStore {
  readonly #layout: Layout;
  readonly #subscribers: Subscribers;
  /** How objects look to the implementation. */
  readonly #mapper: () => ObjectMapper;
  readonly #stored = new Map<number, Stored>();

  constructor(layout: Layout, subscribers: Subscribers, mapper: () => ObjectMapper) {
    this.#layout = layout;
    this.#subscribers = subscribers;
    this.#mapper = mapper;
    for (const [id, { signature, initial }] of layout.properties)
      this.#keep(id, initial, encodePayload(signature, initial, mapper()));
  }

  /** Undefined for what is no property, and once the object is gone. The references stay here. */
  get(id: number): Stored | undefined {
    return this.#stored.get(id);
  }

  /** Stores a value and tells the subscribers. @throws `invalid-argument` */
  set(id: number, value: unknown): void {
    this.store(id, value, encodePayload(this.signatureOf(id), value, this.#mapper()));
  }

  /** As `set`, of a value whose bytes are known; takes over their references. */
  store(id: number, value: unknown, payload: Payload): void {
    this.#keep(id, value, payload);
    for (const object of payload.objects) object.retain();
    // The bytes of a value are those of a tuple of one.
    this.#subscribers.send(id, { ...payload, signature: `(${this.signatureOf(id)})` });
  }

  signatureOf(id: number): string {
    return this.#layout.properties.get(id)?.signature ?? 'm';
  }

  /** The object is gone. */
  clear(): void {
    for (const { payload } of this.#stored.values()) releasePayload(payload);
    this.#stored.clear();
  }

  #keep(id: number, value: unknown, payload: Payload): void {
    const before = this.#stored.get(id);
    this.#stored.set(id, { value, payload });
    if (before !== undefined) releasePayload(before.payload);
  }
}

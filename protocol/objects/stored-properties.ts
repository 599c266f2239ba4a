// The properties of one hosted object: their values, and actions 5 and 6 on them. Layer 3; error texts are those of libqi.
import { type Payload, releasePayload } from '../bus/bus.ts';
import { callFailed, readPropertyKey } from './arguments.ts';
import type { Layout } from './members.ts';
import type { Subscribers } from './subscribers.ts';
import { asDynamic, convertPayload, decodePayload, encodePayload, type ObjectMapper, openDynamic } from './values.ts';

/** The value, and its bytes, which say more than the value (a dynamic may hold a struct). */
interface Stored {
  readonly value: unknown;
  readonly payload: Payload;
}

export class StoredProperties {
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

  valueOf(id: number): unknown {
    return this.#stored.get(id)?.value;
  }

  /** Stores a value and tells the subscribers. @throws `invalid-argument` */
  set(id: number, value: unknown): void {
    this.#store(id, value, encodePayload(this.#signatureOf(id), value, this.#mapper()));
  }

  /** Action 5; takes over the key's references. @throws `call-failed` */
  get(key: Payload): Payload {
    try {
      const { id } = readPropertyKey(key, 'property', this.#layout.metaObject);
      const stored = this.#stored.get(id);
      if (stored === undefined) throw callFailed('property: Id is not id of a property');
      for (const object of stored.payload.objects) object.retain();
      return asDynamic(stored.payload);
    } finally {
      releasePayload(key);
    }
  }

  /** Action 6, with the key and the value; takes over their references. @throws `call-failed`, whatever the property's `set` throws */
  setFromOutside(pair: Payload): void | Promise<void> {
    const { id, content } = this.#open(pair);
    const signature = this.#signatureOf(id);
    const fitted = this.#fit(content, signature);
    const mapper = this.#mapper();
    let value: unknown;
    const store = (accepted: unknown): void => {
      // Bytes as they came, unless the property's own `set` made something else of the value.
      const payload = value === accepted ? fitted : encodePayload(signature, accepted, mapper);
      if (payload !== fitted) releasePayload(fitted);
      this.#store(id, accepted, payload);
    };
    const refuse = (error: unknown): never => {
      releasePayload(fitted);
      throw error;
    };
    for (const object of fitted.objects) object.retain();
    try {
      value = decodePayload(fitted, mapper);
      const { set } = this.#layout.properties.get(id)?.about ?? {};
      const accepted = set === undefined ? value : set(value as never);
      return accepted instanceof Promise ? accepted.then(store).catch(refuse) : store(accepted);
    } catch (error) {
      return refuse(error);
    }
  }

  /** The object is gone. */
  clear(): void {
    for (const { payload } of this.#stored.values()) releasePayload(payload);
    this.#stored.clear();
  }

  #open(pair: Payload): { readonly id: number; readonly content: Payload } {
    try {
      const { id, rest } = readPropertyKey(pair, 'setProperty', this.#layout.metaObject);
      return { id, content: openDynamic(rest) };
    } catch (error) {
      releasePayload(pair);
      throw error;
    }
  }

  #fit(content: Payload, signature: string): Payload {
    try {
      return convertPayload(content, signature);
    } catch {
      throw callFailed(`setProperty: Conversion from ${content.signature} to ${signature} failed `);
    }
  }

  #keep(id: number, value: unknown, payload: Payload): void {
    const before = this.#stored.get(id);
    this.#stored.set(id, { value, payload });
    if (before !== undefined) releasePayload(before.payload);
  }

  #store(id: number, value: unknown, payload: Payload): void {
    this.#keep(id, value, payload);
    for (const object of payload.objects) object.retain();
    // The bytes of a value are those of a tuple of one.
    this.#subscribers.send(id, { ...payload, signature: `(${this.#signatureOf(id)})` });
  }

  #signatureOf(id: number): string {
    return this.#layout.properties.get(id)?.signature ?? 'm';
  }
}

// Actions 5 and 6 of every qi object: its properties, read and set from outside. Layer 3; error texts are those of libqi.
import { type Payload, releasePayload } from '../bus/bus.ts';
import { readPropertyKey } from './arguments.ts';
import { callFailed } from './call-failed.ts';
import { convertPayload } from './convert-payload.ts';
import type { Layout } from './members.ts';
import type { PropertyStore } from './property-store.ts';
import { asDynamic, decodePayload, encodePayload, type ObjectMapper, openDynamic, plainObjects } from './values.ts';

/** The properties of one object. */
export interface Properties {
  readonly layout: Layout;
  readonly store: PropertyStore;
  /** How objects look to the implementation. */
  readonly mapper: ObjectMapper;
}

/** Action 5; takes over the key's references. @throws `call-failed` */
export function getProperty({ layout, store }: Properties, key: Payload): Payload {
  try {
    const { id } = readPropertyKey(key, 'property', layout.metaObject);
    const stored = store.get(id);
    if (stored === undefined) throw callFailed('property: Id is not id of a property');
    for (const object of stored.payload.objects) object.retain();
    return asDynamic(stored.payload);
  } finally {
    releasePayload(key);
  }
}

/** Action 6, with the key and the value; takes over their references. @throws `call-failed`, whatever the property's `set` throws */
export function setProperty({ layout, store, mapper }: Properties, pair: Payload): void | Promise<void> {
  const { id, content } = open(layout, pair);
  const signature = store.signatureOf(id);
  const fitted = fit(content, signature);
  let value: unknown;
  const accept = (accepted: unknown): void => {
    // Bytes as they came, unless the property's own `set` made something else of the value.
    const payload = value === accepted ? fitted : encodePayload(signature, accepted, mapper);
    if (payload !== fitted) releasePayload(fitted);
    store.store(id, accepted, payload);
  };
  const refuse = (error: unknown): never => {
    releasePayload(fitted);
    throw error;
  };
  for (const object of fitted.objects) object.retain();
  try {
    const { set } = layout.properties.get(id)?.about ?? {};
    value = decodePayload(fitted, set === undefined && mapper === plainObjects ? lentObjects : mapper);
    const accepted = set === undefined ? value : set(value as never);
    return accepted instanceof Promise ? accepted.then(accept).catch(refuse) : accept(accepted);
  } catch (error) {
    return refuse(error);
  }
}

/** Nobody takes over what is stored as it came: the stored bytes hold the references. */
const lentObjects: ObjectMapper = {
  ...plainObjects,
  toValue: (object) => {
    object.release();
    return object;
  },
};

function open(layout: Layout, pair: Payload): { readonly id: number; readonly content: Payload } {
  try {
    const { id, rest } = readPropertyKey(pair, 'setProperty', layout.metaObject);
    return { id, content: openDynamic(rest) };
  } catch (error) {
    releasePayload(pair);
    throw error;
  }
}

function fit(content: Payload, signature: string): Payload {
  try {
    return convertPayload(content, signature);
  } catch {
    throw callFailed(`setProperty: Conversion from ${content.signature} to ${signature} failed `);
  }
}

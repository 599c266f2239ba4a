// JavaScript values <-> payloads. Layer 3: the one place where the bytes of the Bus seam become values and back.
// It knows objects only as BusObject and through a mapper; nothing of sessions, time or sockets.
import { type BusObject, NO_OBJECTS, type Payload, releasePayload } from '../bus/bus.ts';
import { QiwayError } from '../errors.ts';
import { ByteReader, ByteWriter } from '../wire/bytes.ts';
import type { ObjectReference } from '../wire/objects.ts';
import { holdsObjects, stripAnnotations } from '../wire/signature.ts';
import { decodeValue, encodeValue, type ObjectCodec } from '../wire/value.ts';

/** What objects look like as JavaScript values. */
export interface ObjectMapper {
  /** The value for an object that arrived. Takes over the one reference that came with it. */
  toValue(object: BusObject): unknown;
  /** The object that `value` is or stands for, lent (whoever keeps it calls `retain`); undefined if it is none. */
  toObject(value: unknown): BusObject | undefined;
  /** Where an object is expected and `toObject` knows none: makes one of `value`, with one reference for the caller. */
  makeObject?(value: unknown): BusObject | undefined;
}

/** BusObjects as they are, in and out. The receiver of a decoded value owns the references in it. */
export const plainObjects: ObjectMapper = {
  toValue: (object) => object,
  toObject: busObjectOf,
};

/** Under this key a remote object shows the BusObject that it stands for. */
export const BUS_OBJECT: unique symbol = Symbol('qiway.busObject');

/** The BusObject that a value is or stands for; undefined if it is something else. */
export function busObjectOf(value: unknown): BusObject | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (BUS_OBJECT in value) return value[BUS_OBJECT] as BusObject;
  return 'metaObject' in value && 'subscribe' in value && 'retain' in value ? (value as BusObject) : undefined;
}

/**
 * Serializes `value`. The payload holds one reference of every object in it.
 * @throws `invalid-argument` saying what was expected, where, and what came
 */
export function encodePayload(signature: string, value: unknown, mapper: ObjectMapper): Payload {
  if (!holdsObjects(signature)) return { signature, bytes: encodeValue(signature, value), objects: NO_OBJECTS };
  const objects: BusObject[] = [];
  let carried = NO_OBJECTS;
  const codec: ObjectCodec = {
    read: () => null,
    is: isObjectFor(mapper),
    write: (candidate) => {
      const lent = mapper.toObject(candidate);
      lent?.retain();
      const object = lent ?? mapper.makeObject?.(candidate);
      if (object === undefined) return undefined;
      carried = objects;
      objects.push(object);
      return { metaObject: object.metaObject.bytes, service: 0, object: objects.length, uid: object.uid };
    },
    // It gets a service id on its way.
    wroteNull: () => {
      carried = objects;
    },
  };
  try {
    const bytes = encodeValue(signature, value, { objects: codec });
    return { signature, bytes, objects: carried };
  } catch (error) {
    for (const object of objects) object.release();
    throw error;
  }
}

/** Functions, plain objects and instances of classes can be hosted; no lists, maps, bytes or dates. */
export function isHostable(value: unknown): value is object {
  return (
    typeof value === 'function' ||
    (typeof value === 'object' && Object.prototype.toString.call(value) === '[object Object]')
  );
}

/** Tells which values are sent as objects: for what only needs to know their signatures. */
export function objectsFor(mapper: ObjectMapper): ObjectCodec {
  return { read: () => null, is: isObjectFor(mapper), write: () => undefined };
}

/** A function has no other meaning than an object; a plain object in a dynamic is a map. */
function isObjectFor(mapper: ObjectMapper): (value: unknown) => boolean {
  return (value) =>
    mapper.toObject(value) !== undefined || (typeof value === 'function' && mapper.makeObject !== undefined);
}

/**
 * The value of a payload, dynamics as their bare content. Takes over the payload's references, also when it throws.
 * @throws `wire-invalid` when the bytes do not follow the signature
 */
export function decodePayload(payload: Payload, mapper: ObjectMapper): unknown {
  return decode(payload, mapper, 'unwrapped');
}

/** As decodePayload, dynamics with their signatures. */
export function decodeWrapped(payload: Payload, mapper: ObjectMapper): unknown {
  return decode(payload, mapper, 'wrapped');
}

/** The arguments in a payload of the declared signature, in order. As decodePayload. */
export function decodeArguments(payload: Payload, parameters: string, mapper: ObjectMapper): unknown[] {
  const value = decodePayload(payload, mapper);
  if (Array.isArray(value)) return value;
  // A named tuple is an object with its fields in order; with `m`, what is no tuple is the only argument.
  return parameters !== 'm' && typeof value === 'object' && value !== null ? Object.values(value) : [value];
}

function decode(payload: Payload, mapper: ObjectMapper, dynamics: 'wrapped' | 'unwrapped'): unknown {
  const { signature, bytes, objects } = payload;
  if (!holdsObjects(signature)) return decodeValue(signature, bytes, { dynamics });
  const used = new Set<number>();
  const check: ObjectCodec = {
    read: ({ object }) => {
      if (object > objects.length) throw new QiwayError('wire-invalid', `the payload has no object ${object}.`);
      if (object > 0) used.add(object - 1);
      return null;
    },
    is: () => false,
    write: () => undefined,
  };
  try {
    // Read once without effects: after the mapper has taken a reference there is no way back.
    if (objects !== NO_OBJECTS) decodeValue(signature, bytes, { dynamics, objects: check });
  } catch (error) {
    releasePayload(payload);
    throw error;
  }
  for (const [index, object] of objects.entries()) if (!used.has(index)) object.release();
  const taken = new Set<number>();
  const read = ({ object: id }: ObjectReference): unknown => {
    if (id === 0) return null;
    const object = objects[id - 1];
    if (object === undefined) throw new QiwayError('wire-invalid', `the payload has no object ${id}.`);
    if (taken.has(id)) object.retain();
    taken.add(id);
    return mapper.toValue(object);
  };
  return decodeValue(signature, bytes, { dynamics, objects: { ...check, read } });
}

/** True when bytes of one signature are bytes of the other: annotations do not count. */
export function isSameSignature(one: string, other: string): boolean {
  return one === other || stripAnnotations(one) === stripAnnotations(other);
}

/** What a dynamic payload holds, with its own signature. Ownership goes over. @throws `wire-invalid` */
export function openDynamic(payload: Payload): Payload {
  const reader = new ByteReader(payload.bytes);
  const signature = reader.string();
  if (typeof signature !== 'string')
    throw new QiwayError('wire-invalid', 'the signature of a dynamic is not text.', { data: { offset: 4 } });
  return {
    signature: signature === '' ? 'v' : signature,
    bytes: payload.bytes.subarray(reader.offset),
    objects: payload.objects,
  };
}

/** The payload as a dynamic (header flag 1). Ownership goes over. */
export function asDynamic(payload: Payload): Payload {
  if (payload.signature === 'm') return payload;
  const writer = new ByteWriter(payload.signature.length + payload.bytes.length + 4);
  writer.string(payload.signature);
  writer.bytes(payload.bytes);
  return { signature: 'm', bytes: writer.copy(), objects: payload.objects };
}

// Objects as values: the reference that stands for an `o` on the wire, and the two ways to write it. Layer 1; knows no bus.
import { QiwayError } from '../errors.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { readMetaObjectBytes } from './metaobject-bytes.ts';

/** An object as it travels: what it can do, and where it is to be called on the socket it came over. */
export interface ObjectReference {
  /** Serialized metaobject; on reading a view of the input. */
  readonly metaObject: Uint8Array;
  readonly service: number;
  /** 0: no object. */
  readonly object: number;
  /** 20 bytes; equal uid = same object. Zeroes where it is not known. */
  readonly uid: Uint8Array;
}

/** How objects are written on a socket: what both its ends announced (`ObjectPtrUID`, `MetaObjectCache`). */
export interface ObjectEncoding {
  readonly hasUid: boolean;
  readonly cache?: MetaObjectCache;
}

/** Metaobjects a socket has carried; see `createMetaObjectCache`. */
export interface MetaObjectCache {
  /** Number given last; they begin at 1 and are not used again. */
  readonly lastSent: number;
  /** Reads what stands for a metaobject. @throws wire-invalid, limit-exceeded */
  read(reader: ByteReader): Uint8Array;
  /** Writes the metaobject, or the number it was first sent with. */
  write(writer: ByteWriter, metaObject: Uint8Array): void;
  /** Undoes what was noted as sent since `lastSent`, for a payload that is thrown away: the peer has not seen it. */
  forgetSince(lastSent: number): void;
}

/** Bytes of a uid. */
const UID_BYTES = 20;

/** Metaobject of an object without members: three empty maps and an empty description. */
const EMPTY_METAOBJECT = new Uint8Array(16);

/** What stands for no object. */
export const NULL_OBJECT: ObjectReference = {
  metaObject: EMPTY_METAOBJECT,
  service: 0,
  object: 0,
  uid: new Uint8Array(UID_BYTES),
};

/** Recognises a reference by its shape. */
export function isObjectReference(value: unknown): value is ObjectReference {
  if (typeof value !== 'object' || value === null) return false;
  const { metaObject, service, object, uid } = value as Partial<ObjectReference>;
  return (
    metaObject instanceof Uint8Array &&
    uid instanceof Uint8Array &&
    typeof service === 'number' &&
    typeof object === 'number'
  );
}

/** Reads one `o`. @throws wire-invalid, also for a metaobject that was never sent; limit-exceeded when the peer sends too many */
export function readObject(reader: ByteReader, encoding: ObjectEncoding): ObjectReference {
  const metaObject = encoding.cache === undefined ? readMetaObjectBytes(reader) : encoding.cache.read(reader);
  const service = reader.uint32();
  const object = reader.uint32();
  const uid = encoding.hasUid ? reader.view(UID_BYTES) : NULL_OBJECT.uid;
  return { metaObject, service, object, uid };
}

/** Writes one `o`. @throws invalid-argument for a uid that has not 20 bytes */
export function writeObject(writer: ByteWriter, reference: ObjectReference, encoding: ObjectEncoding): void {
  if (encoding.hasUid && reference.uid.length !== UID_BYTES) {
    throw new QiwayError('invalid-argument', `the uid of an object has ${UID_BYTES} bytes.`);
  }
  if (encoding.cache === undefined) writer.bytes(reference.metaObject);
  else encoding.cache.write(writer, reference.metaObject);
  writer.uint32(reference.service);
  writer.uint32(reference.object);
  if (encoding.hasUid) writer.bytes(reference.uid);
}

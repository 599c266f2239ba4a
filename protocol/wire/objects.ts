// Objects as values: the reference that stands for an `o` on the wire, and the two ways to write it. Layer 1; knows no bus.
import { QiwayError } from '../errors.ts';
import { type ByteReader, type ByteWriter, wireInvalid } from './bytes.ts';
import { MAX_CACHED_METAOBJECT_BYTES, MAX_CACHED_METAOBJECTS } from './limits.ts';
import { readMetaObjectBytes } from './walk.ts';

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

/** Metaobjects one socket has carried, each under the number it was first sent with. */
export interface MetaObjectCache {
  readonly received: Map<number, Uint8Array>;
  /** Keyed by the bytes as text. */
  readonly sent: Map<string, number>;
  /** Numbers given so far; they begin at 1 and are not used again. */
  lastSent: number;
  sentBytes: number;
  receivedBytes: number;
}

/** Bytes of a uid. */
export const UID_BYTES = 20;

/** Metaobject of an object without members: three empty maps and an empty description. */
export const EMPTY_METAOBJECT: Uint8Array = new Uint8Array(16);

/** What stands for no object. */
export const NULL_OBJECT: ObjectReference = {
  metaObject: EMPTY_METAOBJECT,
  service: 0,
  object: 0,
  uid: new Uint8Array(UID_BYTES),
};

/** An empty cache, for a socket on which both sides announced `MetaObjectCache`. */
export function createMetaObjectCache(): MetaObjectCache {
  return { received: new Map(), sent: new Map(), lastSent: 0, sentBytes: 0, receivedBytes: 0 };
}

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
  const metaObject = encoding.cache === undefined ? readMetaObjectBytes(reader) : readCached(reader, encoding.cache);
  const service = reader.uint32();
  const object = reader.uint32();
  const uid = encoding.hasUid ? reader.view(UID_BYTES) : NULL_OBJECT.uid;
  return { metaObject, service, object, uid };
}

/** Writes one `o`. @throws invalid-argument for a uid that has not 20 bytes */
export function writeObject(writer: ByteWriter, reference: ObjectReference, encoding: ObjectEncoding): void {
  if (encoding.hasUid && reference.uid.length !== UID_BYTES) {
    throw new QiwayError(
      'invalid-argument',
      `the uid of an object has ${reference.uid.length} bytes, not ${UID_BYTES}.`,
    );
  }
  if (encoding.cache === undefined) writer.bytes(reference.metaObject);
  else writeCached(writer, reference.metaObject, encoding.cache);
  writer.uint32(reference.service);
  writer.uint32(reference.object);
  if (encoding.hasUid) writer.bytes(reference.uid);
}

function readCached(reader: ByteReader, cache: MetaObjectCache): Uint8Array {
  const at = reader.offset;
  const isTransmitted = reader.uint8() !== 0;
  const transmitted = isTransmitted ? readMetaObjectBytes(reader) : undefined;
  const id = reader.uint32();
  if (transmitted === undefined) {
    const known = cache.received.get(id);
    if (known === undefined) throw wireInvalid(`metaobject ${id} is used before it was sent.`, at);
    return known;
  }
  cache.receivedBytes += transmitted.length - (cache.received.get(id)?.length ?? 0);
  if (
    cache.receivedBytes > MAX_CACHED_METAOBJECT_BYTES ||
    (cache.received.size >= MAX_CACHED_METAOBJECTS && !cache.received.has(id))
  ) {
    throw new QiwayError('limit-exceeded', 'the peer has sent more metaobjects than are remembered.', {
      data: { limit: 'MAX_CACHED_METAOBJECTS', maximum: MAX_CACHED_METAOBJECTS },
    });
  }
  // A copy: a view would keep the whole payload in memory.
  cache.received.set(id, transmitted.slice());
  return transmitted;
}

function writeCached(writer: ByteWriter, metaObject: Uint8Array, cache: MetaObjectCache): void {
  const key = byteText(metaObject);
  const known = cache.sent.get(key);
  writer.uint8(known === undefined ? 1 : 0);
  if (known !== undefined) {
    writer.uint32(known);
    return;
  }
  cache.sentBytes += key.length;
  for (const oldest of cache.sent.keys()) {
    if (cache.sent.size < MAX_CACHED_METAOBJECTS && cache.sentBytes <= MAX_CACHED_METAOBJECT_BYTES) break;
    // Forgotten here only: it would be sent again, under a new number.
    cache.sent.delete(oldest);
    cache.sentBytes -= oldest.length;
  }
  cache.lastSent += 1;
  cache.sent.set(key, cache.lastSent);
  writer.bytes(metaObject);
  writer.uint32(cache.lastSent);
}

/** Undoes what was noted as sent since `lastSent`, for a payload that is thrown away: the peer has not seen it. */
export function forgetSent(cache: MetaObjectCache | undefined, lastSent: number): void {
  if (cache === undefined || cache.lastSent === lastSent) return;
  for (const [key, id] of cache.sent) {
    if (id <= lastSent) continue;
    cache.sent.delete(key);
    cache.sentBytes -= key.length;
  }
  cache.lastSent = lastSent;
}

/** One character per byte: a key that is equal for equal bytes. */
function byteText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

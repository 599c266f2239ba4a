// Values <-> bytes by signature: the door to the codecs. Layer 1; knows no messages and no bus.
//
// JavaScript values: bool boolean; integers to 32 bits, floats number; 64 bits bigint (number accepted when safe); s string, or
// Uint8Array where the bytes are not UTF-8; r Uint8Array (a view of the input on reading); [x] #x array; {sx} ~x plain object,
// a Map when a key is not UTF-8; other maps Map; tuple array; struct plain object; optional null when unset; v undefined;
// m Dynamic, or its bare value; o what `objects` makes of an ObjectReference, or that itself.
import { ByteReader, ByteWriter } from './bytes.ts';
import { type Codec, codecOf, type DecodeOptions, type EncodeOptions } from './codec.ts';
import { invalidArgument, Mismatch } from './mismatch.ts';
import { wireInvalid } from './wire-errors.ts';

export type { DecodeOptions, EncodeOptions } from './codec.ts';
export { Dynamic, inferSignature, type ObjectCodec, Some } from './dynamic.ts';
export { createMetaObjectCache } from './metaobject-cache.ts';
export {
  isObjectReference,
  type MetaObjectCache,
  NULL_OBJECT,
  type ObjectEncoding,
  type ObjectReference,
} from './objects.ts';

const NO_OPTIONS: DecodeOptions = {};
/** A writer that has grown beyond this is given away with its bytes instead of being kept. */
const KEEP_BYTES = 65_536;
/** Between two calls of encodeValue: a writer to use again. Absent while one is using it (an ObjectCodec may encode too). */
let spare: ByteWriter | undefined;

/**
 * Serializes a value. Nothing else refers to the buffer of the result, which may be longer than the result.
 * @throws invalid-argument when the value does not fit: says what was expected, where and what came; limit-exceeded when it is too large;
 * wire-invalid for a wrong signature
 */
export function encodeValue(signature: string, value: unknown, options: EncodeOptions = NO_OPTIONS): Uint8Array {
  const codec = codecOf(signature);
  const writer = spare ?? new ByteWriter();
  spare = undefined;
  writer.length = 0;
  try {
    write(writer, codec, value, options);
    return writer.length > KEEP_BYTES ? writer.view() : writer.copy();
  } finally {
    if (writer.capacity <= KEEP_BYTES) spare = writer;
  }
}

/**
 * Reads a value; bytes behind it are ignored, as libqi does, unless `exact`.
 * @throws wire-invalid with the offset; limit-exceeded for a value that would take far more memory than its bytes
 */
export function decodeValue(
  signature: string,
  bytes: Uint8Array,
  options: DecodeOptions & { readonly exact?: boolean } = NO_OPTIONS,
): unknown {
  const reader = new ByteReader(bytes);
  const value = codecOf(signature).read(reader, options);
  if (options.exact === true && reader.left > 0)
    throw wireInvalid(`${reader.left} bytes too many for ${signature}.`, reader.offset);
  return value;
}

/** Writes a value behind what the writer holds; leaves the writer as it was when that fails. @throws as encodeValue */
export function writeValue(
  writer: ByteWriter,
  signature: string,
  value: unknown,
  options: EncodeOptions = NO_OPTIONS,
): void {
  write(writer, codecOf(signature), value, options);
}

/** Reads a value and leaves the reader behind it. @throws as decodeValue */
export function readValue(reader: ByteReader, signature: string, options: DecodeOptions = NO_OPTIONS): unknown {
  return codecOf(signature).read(reader, options);
}

function write(writer: ByteWriter, codec: Codec, value: unknown, options: EncodeOptions): void {
  const { length, depth } = writer;
  const cache = options.objectEncoding?.cache;
  const lastSent = cache?.lastSent ?? 0;
  try {
    codec.write(writer, value, options);
  } catch (thrown) {
    writer.length = length;
    writer.depth = depth;
    cache?.forgetSince(lastSent);
    if (!(thrown instanceof Mismatch)) throw thrown;
    throw invalidArgument(thrown, codec.node.kind === 'tuple' && codec.node.annotation === undefined);
  }
}

// Replaces the objects inside a payload and leaves every other byte as it is. Layer 1; knows no bus.
import { ByteReader, ByteWriter } from './bytes.ts';
import { type ObjectEncoding, type ObjectReference, readObject, writeObject } from './objects.ts';
import { holdsObjects } from './signature.ts';
import { walkValue } from './walk.ts';

export type { ObjectEncoding, ObjectReference } from './objects.ts';

/**
 * Reads every object of a payload in one encoding, maps it (in order, null objects too) and writes it in the other. Bytes behind the value are kept.
 * @returns the same array when there was no object in it
 * @throws wire-invalid when the bytes do not follow the signature; limit-exceeded; what `map` throws
 */
export function rewriteObjects(
  signature: string,
  bytes: Uint8Array,
  from: ObjectEncoding,
  to: ObjectEncoding,
  map: (reference: ObjectReference) => ObjectReference,
): Uint8Array {
  if (!holdsObjects(signature)) return bytes;
  const reader = new ByteReader(bytes);
  let writer: ByteWriter | undefined;
  /** Everything before it is written already. */
  let copied = 0;
  const lastSent = to.cache?.lastSent ?? 0;
  try {
    walkValue(reader, signature, () => {
      writer ??= new ByteWriter(bytes.length + 64);
      writer.bytes(bytes.subarray(copied, reader.offset));
      writeObject(writer, map(readObject(reader, from)), to);
      copied = reader.offset;
    });
  } catch (thrown) {
    to.cache?.forgetSince(lastSent);
    throw thrown;
  }
  if (writer === undefined) return bytes;
  writer.bytes(bytes.subarray(copied));
  return writer.view();
}

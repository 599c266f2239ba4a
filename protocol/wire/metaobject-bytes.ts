// Passes over a serialized metaobject without making it. Layer 1; written out for METAOBJECT_SIGNATURE, so that reading objects
// needs neither that nor a walk over signatures in general; a test holds the two together.
import type { ByteReader } from './bytes.ts';

/** Bytes of the key and the id in front of each member. */
const NUMBERS = 8;
/** Fewest bytes of a text. */
const TEXT = 4;

/** The serialized metaobject at the reader, as a view. @throws wire-invalid */
export function readMetaObjectBytes(reader: ByteReader): Uint8Array {
  const start = reader.offset;
  // Methods: return signature, name, parameters' signature, description; parameters; description of the result.
  repeat(reader, NUMBERS + 6 * TEXT, () => {
    reader.take(NUMBERS);
    texts(reader, 4);
    repeat(reader, 2 * TEXT, () => texts(reader, 2));
    texts(reader, 1);
  });
  // Signals, then properties: name, signature.
  for (let map = 0; map < 2; map++)
    repeat(reader, NUMBERS + 2 * TEXT, () => {
      reader.take(NUMBERS);
      texts(reader, 2);
    });
  texts(reader, 1);
  return reader.bytes.subarray(start, reader.offset);
}

/** As many as a count in front says. */
function repeat(reader: ByteReader, minBytes: number, each: () => void): void {
  for (let left = reader.count(minBytes); left > 0; left--) each();
}

function texts(reader: ByteReader, count: number): void {
  for (let left = count; left > 0; left--) reader.take(reader.uint32());
}

// The wish of a caller for another return type (header flag 2): a signature after the arguments. Layer 2.
import { ByteReader } from '../wire/bytes.ts';
import { readValue } from '../wire/value.ts';

/** Takes the two apart. @throws `wire-invalid` */
export function splitReturnSignature(
  signature: string,
  bytes: Uint8Array,
): { readonly bytes: Uint8Array; readonly returnSignature: string } {
  const reader = new ByteReader(bytes);
  readValue(reader, signature, { dynamics: 'wrapped' });
  const end = reader.offset;
  const returnSignature = readValue(reader, 's') as string;
  return { bytes: bytes.subarray(0, end), returnSignature };
}

const encoder = new TextEncoder();

/** Puts the wish behind the arguments. */
export function appendReturnSignature(bytes: Uint8Array, returnSignature: string): Uint8Array {
  const tail = encoder.encode(returnSignature);
  const joined = new Uint8Array(bytes.length + 4 + tail.length);
  joined.set(bytes);
  new DataView(joined.buffer).setUint32(bytes.length, tail.length, true);
  joined.set(tail, bytes.length + 4);
  return joined;
}

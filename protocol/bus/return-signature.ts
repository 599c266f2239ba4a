// The wish of a caller for another return type (header flag 2): a signature after the arguments. Layer 2. How it is written;
// read in split-return-signature.ts.
import { encodeText, writeUint32 } from '../wire/bytes.ts';

/** Puts the wish behind the arguments. */
export function appendReturnSignature(bytes: Uint8Array, returnSignature: string): Uint8Array {
  const tail = encodeText(returnSignature);
  const joined = new Uint8Array(bytes.length + 4 + tail.length);
  joined.set(bytes);
  writeUint32(joined, bytes.length, tail.length);
  joined.set(tail, bytes.length + 4);
  return joined;
}

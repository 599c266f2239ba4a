// The wish of a caller for another return type, as it comes; see return-signature.ts. Layer 2.
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

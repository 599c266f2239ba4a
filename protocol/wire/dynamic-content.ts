// What stands in front of the content of a dynamic, and how deep it may nest. Layer 1; pure.
import type { ByteReader } from './bytes.ts';
import { MAX_DEPTH } from './limits.ts';
import type { SignatureNode } from './signature.ts';
import { limitExceeded, wireInvalid } from './wire-errors.ts';

/** The signature at the front of a dynamic; empty for an unset value. @throws wire-invalid, limit-exceeded */
export function readSignature(reader: ByteReader): string {
  const start = reader.offset;
  const text = reader.string();
  if (typeof text !== 'string') throw wireInvalid('the signature of a dynamic is not text', start);
  return text;
}

/** To be called around the value of a dynamic, so that dynamics in dynamics stay bounded. @throws limit-exceeded */
export function enterDynamic(reader: { depth: number }, node: SignatureNode): number {
  const levels = node.depth + 1;
  reader.depth += levels;
  if (reader.depth > MAX_DEPTH) {
    throw limitExceeded('a value is nested too deep', 'MAX_DEPTH', MAX_DEPTH);
  }
  return levels;
}

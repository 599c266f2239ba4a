// Keys of maps: the order libqi sends them in, and keys that came as the names of an object's fields. Layer 1; pure.
import { encodeText } from './bytes.ts';
import type { SignatureNode } from './signature.ts';

/** How keys of a type are sorted (strings by bytes, numbers by value); undefined where the caller's order is kept. */
export function keyOrder(key: SignatureNode): ((a: unknown, b: unknown) => number) | undefined {
  switch (key.kind) {
    case 'string':
    case 'raw':
      return compareText;
    case 'bool':
    case 'int':
    case 'float':
    case 'double':
      return compareNumbers;
    default:
      return undefined;
  }
}

/** A key of the type from the name of an object's field; what is no number stays text, for the encoder to refuse. */
export function keyOfName(key: SignatureNode, name: string): unknown {
  if (key.kind !== 'int' && key.kind !== 'float' && key.kind !== 'double') return name;
  const number = Number(name);
  return Number.isNaN(number) ? name : number;
}

/** Of numbers, or of strings by their UTF-16 units. */
function compareNumbers(a: unknown, b: unknown): number {
  const [left, right] = [a as number, b as number];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** UTF-16 units from here on are not in the order of the code points, which is that of the UTF-8 bytes. */
const DISORDERED = /[\ud800-\uffff]/;

function compareText(a: unknown, b: unknown): number {
  if (typeof a !== 'string' || typeof b !== 'string' || DISORDERED.test(a) || DISORDERED.test(b))
    return compareBytes(keyBytes(a), keyBytes(b));
  return compareNumbers(a, b);
}

function keyBytes(key: unknown): Uint8Array {
  if (key instanceof Uint8Array) return key;
  return encodeText(String(key));
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const difference = (a[at] as number) - (b[at] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

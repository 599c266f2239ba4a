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

function compareNumbers(a: unknown, b: unknown): number {
  const [left, right] = [a as number, b as number];
  return left < right ? -1 : left > right ? 1 : 0;
}

function compareText(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b);
  return compareBytes(keyBytes(a), keyBytes(b));
}

/** The order of the UTF-8 bytes, which is that of the code points: UTF-16 puts surrogates before U+E000. */
function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
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

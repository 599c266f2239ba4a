// How well one JavaScript value fits a declared type: what the choice of an overload multiplies. Layer 2; pure.
// 1 fits exactly, 0 would be refused by the encoder. The factors are libqi's where it has one.

import { elementSignature } from '../wire/dynamic.ts';
import type { IntNode, SignatureNode, TupleNode } from '../wire/signature.ts';
import { Dynamic, isObjectReference, Some } from '../wire/value.ts';
import { fits, TEXT, within } from './conversion-score.ts';

export interface ArgumentScorer {
  /** Is this value sent as an object? */
  isObject(value: unknown): boolean;
}

const TO_DYNAMIC = 0.95;

export function scoreArgument(node: SignatureNode, value: unknown, scorer: ArgumentScorer): number {
  if (node.kind === 'dynamic')
    return value instanceof Dynamic ? 1 : typeof value === 'function' && !scorer.isObject(value) ? 0 : TO_DYNAMIC;
  // A Dynamic says its type: bare values of other types do not pass the encoder.
  if (value instanceof Dynamic) return 0;
  if (node.kind === 'object')
    return scorer.isObject(value) || isObjectReference(value) ? 1 : value === null || value === undefined ? 0.9 : 0;
  if (node.kind === 'optional') {
    if (value === null || value === undefined) return 1;
    return within(scoreArgument(node.element, value instanceof Some ? value.value : value, scorer));
  }
  if (scorer.isObject(value)) return 0;
  switch (typeof value) {
    case 'boolean':
      return node.kind === 'bool' ? 1 : 0;
    case 'number':
      return scoreNumber(node, value);
    case 'bigint':
      return scoreBigint(node, value);
    case 'string':
      return node.kind === 'string' ? 1 : 0;
    case 'undefined':
      return node.kind === 'void' ? 1 : 0;
    case 'object':
      return value === null ? (node.kind === 'void' ? 1 : 0) : scoreObject(node, value, scorer);
    default:
      return 0;
  }
}

/** Among the integers an integral number fits: i, l, then the others, the wider the better; all before a double. */
const INTEGERS: readonly string[] = ['i32', 'i64', 'u64', 'u32', 'i16', 'u16', 'i8', 'u8'];

function integerRank(node: IntNode): number {
  return 1 - INTEGERS.indexOf(`${node.signed ? 'i' : 'u'}${node.bits}`) / 1000;
}

function scoreNumber(node: SignatureNode, value: number): number {
  switch (node.kind) {
    case 'int': {
      const isExact = node.bits === 64 ? Number.isSafeInteger(value) : Number.isInteger(value);
      return isExact && fits(node, BigInt(value)) ? integerRank(node) : 0;
    }
    case 'double':
      return Number.isInteger(value) ? 0.98 : 1;
    case 'float':
      if (Number.isFinite(value) && !Number.isFinite(Math.fround(value))) return 0;
      return Number.isInteger(value) ? 0.979 : 0.999;
    case 'bool':
      return value === 0 || value === 1 ? 0.96 : 0;
    default:
      return 0;
  }
}

function scoreBigint(node: SignatureNode, value: bigint): number {
  if (node.kind === 'int')
    return fits(node, value) ? (node.bits === 64 ? (node.signed ? 1 : 0.999) : 0.98 * integerRank(node)) : 0;
  if (node.kind !== 'float' && node.kind !== 'double') return 0;
  return BigInt(Number(value)) === value ? (node.kind === 'double' ? 0.97 : 0.969) : 0;
}

function scoreObject(node: SignatureNode, value: object, scorer: ArgumentScorer): number {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return scoreBytes(node, value);
  if (Array.isArray(value)) return scoreArray(node, value, scorer);
  if (value instanceof Map) return scoreEntries(node, [...value], scorer);
  if (Object.prototype.toString.call(value) !== '[object Object]') return 0;
  if (node.kind === 'tuple') return scoreStruct(node, value, scorer);
  // A struct with these very fields is nearer to an object than a map is.
  return 0.99 * scoreEntries(node, Object.entries(value), scorer);
}

function scoreBytes(node: SignatureNode, value: ArrayBufferView | ArrayBuffer): number {
  const isBytes = value instanceof Uint8Array;
  const element = ArrayBuffer.isView(value) ? elementSignature(value) : undefined;
  if (node.kind === 'raw') return element === undefined || isBytes ? 1 : 0.9;
  // Strings that are not UTF-8 are bytes; a list of the very element type is better.
  if (node.kind === 'string') return isBytes ? 0.5 : 0;
  if ((node.kind !== 'list' && node.kind !== 'varargs') || element === undefined) return 0;
  if (node.element.text === element) return isBytes ? 0.95 : 1;
  const values = [...(value as unknown as Iterable<number | bigint>)];
  return 0.9 * lowest(values, (each) => scoreArgument(node.element, each, NO_OBJECTS));
}

const NO_OBJECTS: ArgumentScorer = { isObject: () => false };

function scoreArray(node: SignatureNode, values: readonly unknown[], scorer: ArgumentScorer): number {
  if (node.kind === 'list' || node.kind === 'varargs')
    return within(lowest(values, (value) => scoreArgument(node.element, value, scorer)));
  if (node.kind !== 'tuple' || values.length !== node.members.length) return 0;
  const product = node.members.reduce((so, member, index) => so * scoreArgument(member, values[index], scorer), 1);
  // As good as a list of the same elements would be ambiguous: a list is what an array is.
  return 0.99 * within(product);
}

function scoreEntries(
  node: SignatureNode,
  entries: readonly (readonly [unknown, unknown])[],
  scorer: ArgumentScorer,
): number {
  if (node.kind !== 'map' && node.kind !== 'kwargs') return 0;
  const [key, content] = node.kind === 'map' ? [node.key, node.value] : [TEXT, node.element];
  return within(
    lowest(entries, ([name, value]) => scoreArgument(key, name, scorer) * scoreArgument(content, value, scorer)),
  );
}

function scoreStruct(node: TupleNode, value: object, scorer: ArgumentScorer): number {
  const names = node.fieldNames;
  if (names === undefined) return 0;
  let product = 1;
  for (const [index, member] of node.members.entries()) {
    const name = names[index] as string;
    if (!Object.hasOwn(value, name) && member.kind !== 'optional') return 0;
    product *= scoreArgument(member, (value as Record<string, unknown>)[name], scorer);
  }
  const extra = Object.keys(value).filter((name) => !names.includes(name)).length;
  return extra > 0 ? 0.5 * within(product) : within(product);
}

function lowest<T>(values: readonly T[], score: (value: T) => number): number {
  let least = 1;
  for (let index = 0; index < values.length && least > 0; index++) least = Math.min(least, score(values[index] as T));
  return least;
}

// A value that does not fit its signature: where, what was expected, what came. Layer 1; becomes an invalid-argument error.
import { QiwayError } from '../errors.ts';
import type { SignatureNode } from './signature.ts';

/** Thrown inside the encoder only; each container on the way out adds its place in front. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch';
  readonly expected: string;
  readonly signature: string;
  readonly got: string;
  readonly path: string[] = [];

  constructor(expected: string, signature: string, got: string) {
    super();
    this.expected = expected;
    this.signature = signature;
    this.got = got;
  }
}

/** Of a value that a type does not take. `why` replaces the general description of the type. */
export function mismatch(node: SignatureNode, value: unknown, why?: string): Mismatch {
  return new Mismatch(why ?? expectation(node), node.text, describeValue(value));
}

/** Adds a place to a mismatch that passes by. */
export function located(thrown: unknown, place: string): unknown {
  if (thrown instanceof Mismatch) thrown.path.unshift(place);
  return thrown;
}

/** The error for the outside. `isArguments`: the outermost tuple is the arguments of a call. */
export function invalidArgument(thrown: unknown, isArguments: boolean): unknown {
  if (!(thrown instanceof Mismatch)) return thrown;
  const path = thrown.path.join(', ');
  const place = isArguments ? path.replace(/^member /, 'argument ') : path;
  const text = `expected ${thrown.expected}, got ${thrown.got}.`;
  const sentence =
    isArguments && place === ''
      ? text.replace(/an array of (\d+) /, '$1 arguments ').replace('an array of ', '')
      : text;
  return new QiwayError('invalid-argument', place === '' ? sentence : `${place}: ${sentence}`, {
    data: { expected: thrown.signature, ...(place !== '' && { path: place }) },
  });
}

/** A short description of a value for an error message. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `string ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
    case 'number':
    case 'boolean':
      return `${typeof value} ${value}`;
    case 'bigint':
      return `bigint ${value}n`;
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `an array of ${value.length}`;
      if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`;
      return describeObject(value);
    default:
      return typeof value;
  }
}

function describeObject(value: object): string {
  const name = Object.prototype.toString.call(value).slice(8, -1);
  if (name !== 'Object') return `a ${name}`;
  const keys = Object.keys(value);
  return keys.length === 0
    ? 'an empty object'
    : `an object with ${keys.slice(0, 5).join(', ')}${keys.length > 5 ? ', …' : ''}`;
}

const EXPECTATIONS: Readonly<Partial<Record<SignatureNode['kind'], string>>> = {
  bool: 'true or false',
  float: 'a number',
  double: 'a number',
  string: 'a string',
  raw: 'a Uint8Array or ArrayBuffer',
  list: 'an array',
  varargs: 'an array',
  map: 'an object or a Map',
  kwargs: 'an object or a Map',
  void: 'nothing',
};

function expectation(node: SignatureNode): string {
  let words = EXPECTATIONS[node.kind] ?? 'no value at all: there are none';
  if (node.kind === 'int') {
    const end = 1n << BigInt(node.signed ? node.bits - 1 : node.bits);
    words = `an integer from ${node.signed ? -end : 0} to ${end - 1n}`;
  } else if (node.kind === 'tuple') {
    const { fieldNames, members } = node;
    words =
      fieldNames === undefined ? `an array of ${members.length}` : `an object with the fields ${fieldNames.join(', ')}`;
  }
  return `${words} (${node.text})`;
}

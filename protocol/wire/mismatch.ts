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

function expectation(node: SignatureNode): string {
  const { text } = node;
  switch (node.kind) {
    case 'int': {
      const bits = BigInt(node.bits);
      const range = node.signed
        ? `${-(1n << (bits - 1n))} to ${(1n << (bits - 1n)) - 1n}`
        : `0 to ${(1n << bits) - 1n}`;
      return `an integer from ${range} (${text})`;
    }
    case 'bool':
      return 'true or false (b)';
    case 'float':
    case 'double':
      return `a number (${text})`;
    case 'string':
      return 'a string (s)';
    case 'raw':
      return 'a Uint8Array or ArrayBuffer (r)';
    case 'list':
    case 'varargs':
      return `an array (${text})`;
    case 'map':
    case 'kwargs':
      return `an object or a Map (${text})`;
    case 'tuple':
      if (node.fieldNames !== undefined) return `an object with the fields ${node.fieldNames.join(', ')} (${text})`;
      return `an array of ${node.members.length} (${text})`;
    case 'void':
      return 'nothing (v)';
    case 'unknown':
    case 'none':
    case 'pointer':
      return `no value at all: ${text} cannot be sent`;
    default:
      return `a value of type ${text}`;
  }
}

// Values that carry their type, and the type a bare JavaScript value is sent as. Layer 1; pure.
import { MAX_DEPTH } from './limits.ts';
import { describeValue, invalidArgument, Mismatch } from './mismatch.ts';
import { isObjectReference, type ObjectReference } from './objects.ts';

/** What stands for objects on this side: reads references into them, and writes references to them. */
export interface ObjectCodec {
  /** Also called for the null object (`object` 0). */
  read(reference: ObjectReference): unknown;
  /** Inside a dynamic: is this value sent as an object? */
  is(value: unknown): boolean;
  /** Where an object is declared: its reference; undefined when the value cannot be one. */
  write(value: unknown): ObjectReference | undefined;
  /** A null object was written. */
  wroteNull?(): void;
}

/** A value together with its signature: what an `m` holds. An unset one has signature `v` (or, from some peers, none) and value null. */
export class Dynamic {
  readonly signature: string;
  readonly value: unknown;

  constructor(signature: string, value: unknown) {
    this.signature = signature;
    this.value = value;
  }
}

/** A set optional whose value might itself look unset: `Some(null)` in `++i` is a set optional that holds an unset one. */
export class Some {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

const INT32_MAX = 2_147_483_647;
const INT64_MAX = 9_223_372_036_854_775_807n;
/** Numbers of one list are sent as the first of these that holds them all. */
const WIDENING: readonly string[] = ['i', 'l', 'd'];

/**
 * The signature a bare value is sent with inside an `m`: integral numbers `i`, else `l` while safe, else `d`; bigint `l` or `L`;
 * bytes `r`; arrays `[x]` of their common type, else `[m]`; maps and objects `{sx}`, else `{sm}`; nothing `v`.
 * @throws invalid-argument for what has no signature: functions, symbols, cycles, bigints beyond 64 bits
 */
export function inferSignature(value: unknown, objects?: ObjectCodec): string {
  try {
    return infer(value, objects, 1);
  } catch (thrown) {
    throw invalidArgument(thrown, false);
  }
}

/** As inferSignature, inside the encoder: throws a Mismatch, which gathers the place on its way. */
export function infer(value: unknown, objects: ObjectCodec | undefined, level: number): string {
  if (objects?.is(value) === true) return 'o';
  switch (typeof value) {
    case 'boolean':
      return 'b';
    case 'number':
      return inferNumber(value);
    case 'bigint':
      if (BigInt.asIntN(64, value) === value) return 'l';
      if (value > INT64_MAX && BigInt.asUintN(64, value) === value) return 'L';
      break;
    case 'string':
      return 's';
    case 'undefined':
      return 'v';
    case 'object':
      if (value === null) return 'v';
      if (level > MAX_DEPTH) throw unfit('itself, or what is nested too deep');
      return inferObject(value, objects, level);
    default:
  }
  throw unfit(describeValue(value));
}

function unfit(got: string): Mismatch {
  return new Mismatch('what a dynamic can hold (m)', 'm', got);
}

function inferNumber(value: number): string {
  if (!Number.isSafeInteger(value)) return 'd';
  return value >= -INT32_MAX - 1 && value <= INT32_MAX ? 'i' : 'l';
}

function inferObject(value: object, objects: ObjectCodec | undefined, level: number): string {
  if (value instanceof Dynamic) return 'm';
  if (value instanceof Some) return `+${infer(value.value, objects, level + 1)}`;
  if (Array.isArray(value)) return `[${common(value, objects, level)}]`;
  if (value instanceof Map) {
    const keys = value.size === 0 ? 's' : common([...value.keys()], objects, level);
    return `{${keys}${common([...value.values()], objects, level)}}`;
  }
  if (ArrayBuffer.isView(value)) {
    const element = elementSignature(value) ?? 'C';
    return element === 'C' ? 'r' : `[${element}]`;
  }
  switch (Object.prototype.toString.call(value)) {
    case '[object ArrayBuffer]':
      return 'r';
    case '[object Object]':
      if (isObjectReference(value)) return 'o';
      return `{s${common(Object.values(value), objects, level)}}`;
    default:
      throw unfit(describeValue(value));
  }
}

/** Elements of arrays of numbers of a declared width, by the beginning of the constructor's name. */
const ELEMENTS: Readonly<Record<string, string>> = {
  Int8: 'c',
  Uint8: 'C',
  Int16: 'w',
  Uint16: 'W',
  Int32: 'i',
  Uint32: 'I',
  BigInt64: 'l',
  BigUint64: 'L',
  Float32: 'f',
  Float64: 'd',
};

/** The signature of the elements of a typed array; undefined for other views. */
export function elementSignature(view: ArrayBufferView): string | undefined {
  return ELEMENTS[view.constructor.name.replace(/(Clamped)?Array$/, '')];
}

/** The signature that all values share; `m` where there is none. */
function common(values: readonly unknown[], objects: ObjectCodec | undefined, level: number): string {
  let shared: string | undefined;
  let hasBigint = false;
  // By index: a hole counts as undefined.
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    const signature = infer(value, objects, level + 1);
    hasBigint ||= typeof value === 'bigint';
    if (shared === undefined || shared === signature) shared = signature;
    else {
      const wider = Math.max(WIDENING.indexOf(shared), WIDENING.indexOf(signature));
      if (!WIDENING.includes(shared) || !WIDENING.includes(signature)) return 'm';
      shared = WIDENING[wider] as string;
    }
    // A bigint is not rounded to a double behind the caller's back.
    if (hasBigint && shared === 'd') return 'm';
  }
  return shared === undefined || shared === 'v' ? 'm' : shared;
}

// Metaobjects: what an object can do, as every qi object tells about itself. Layer 2; pure data.

import { METAOBJECT_SIGNATURE } from '../wire/metaobject-signature.ts';
import { decodeValue, encodeValue } from '../wire/value.ts';

export interface MetaParameter {
  readonly name: string;
  readonly description: string;
}

export interface MetaMethod {
  readonly uid: number;
  readonly returnSignature: string;
  readonly name: string;
  /** A tuple such as `(is)`, or `m` for a method that takes any arguments. */
  readonly parametersSignature: string;
  readonly description: string;
  readonly parameters: readonly MetaParameter[];
  readonly returnDescription: string;
}

export interface MetaSignal {
  readonly uid: number;
  readonly name: string;
  /** A tuple. */
  readonly signature: string;
}

export interface MetaProperty {
  readonly uid: number;
  readonly name: string;
  /** The bare type; the signal of the same uid has it as a tuple of one. */
  readonly signature: string;
}

/** The members of an object by id: one number space, the object's own from 100. */
export interface MetaObject {
  readonly methods: ReadonlyMap<number, MetaMethod>;
  readonly signals: ReadonlyMap<number, MetaSignal>;
  readonly properties: ReadonlyMap<number, MetaProperty>;
  readonly description: string;
  /** Serialized, as it goes over the wire; made once. */
  readonly bytes: Uint8Array;
}

/** Ids of the members that every object has (facts: the protocol, "methods of every object"). */
export const StandardAction = {
  registerEvent: 0,
  unregisterEvent: 1,
  metaObject: 2,
  terminate: 3,
  property: 5,
  setProperty: 6,
  properties: 7,
  registerEventWithSignature: 8,
  isStatsEnabled: 80,
  enableStats: 81,
  stats: 82,
  clearStats: 83,
  isTraceEnabled: 84,
  enableTrace: 85,
  traceObject: 86,
} as const;

/** First id of an object's own members. */
export const FIRST_OWN_ACTION = 100;

type Plain = Omit<MetaObject, 'bytes'>;

/** A metaobject with its bytes. */
export function makeMetaObject(plain: Plain): MetaObject {
  return { ...plain, bytes: encodeValue(METAOBJECT_SIGNATURE, plain) };
}

/** @throws `wire-invalid` when the bytes are not a metaobject */
export function readMetaObject(bytes: Uint8Array): MetaObject {
  const plain = decodeValue(METAOBJECT_SIGNATURE, bytes) as Plain;
  return { ...plain, bytes };
}

const MIN_MAX_SUM = '(fff)<MinMaxSum,minValue,maxValue,cumulatedValue>';
const STATISTICS_SIGNATURE = `{I(I${MIN_MAX_SUM}${MIN_MAX_SUM}${MIN_MAX_SUM})<MethodStatistics,count,wall,user,system>}`;

/** What the methods of every object return, for peers whose metaobject does not list them. */
const STANDARD_RETURNS: Readonly<Partial<Record<number, string>>> = {
  0: 'L',
  1: 'v',
  2: METAOBJECT_SIGNATURE,
  3: 'v',
  6: 'v',
  7: '[s]',
  8: 'L',
  80: 'b',
  81: 'v',
  82: STATISTICS_SIGNATURE,
  83: 'v',
  84: 'b',
  85: 'v',
};

/** Return signature of a standard method; a dynamic for `property`, and for what is no standard method. */
export function standardReturn(action: number): string {
  return STANDARD_RETURNS[action] ?? 'm';
}

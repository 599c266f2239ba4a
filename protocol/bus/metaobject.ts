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

const statistics =
  '{I(I(fff)<MinMaxSum,minValue,maxValue,cumulatedValue>(fff)<MinMaxSum,minValue,maxValue,cumulatedValue>(fff)<MinMaxSum,minValue,maxValue,cumulatedValue>)<MethodStatistics,count,wall,user,system>}';
const trace =
  '((IiIm(ll)<timeval,tv_sec,tv_usec>llII)<EventTrace,id,kind,slotId,arguments,timestamp,userUsTime,systemUsTime,callerContext,calleeContext>)';

function method(uid: number, name: string, parametersSignature: string, returnSignature: string): MetaMethod {
  return { uid, returnSignature, name, parametersSignature, description: '', parameters: [], returnDescription: '' };
}

/** The methods that every hosted object lists beside its own. */
export const STANDARD_METHODS: readonly MetaMethod[] = [
  method(0, 'registerEvent', '(IIL)', 'L'),
  method(1, 'unregisterEvent', '(IIL)', 'v'),
  method(2, 'metaObject', '(I)', METAOBJECT_SIGNATURE),
  method(3, 'terminate', '(I)', 'v'),
  method(5, 'property', '(m)', 'm'),
  method(6, 'setProperty', '(mm)', 'v'),
  method(7, 'properties', '()', '[s]'),
  method(8, 'registerEventWithSignature', '(IILs)', 'L'),
  method(80, 'isStatsEnabled', '()', 'b'),
  method(81, 'enableStats', '(b)', 'v'),
  method(82, 'stats', '()', statistics),
  method(83, 'clearStats', '()', 'v'),
  method(84, 'isTraceEnabled', '()', 'b'),
  method(85, 'enableTrace', '(b)', 'v'),
];

/** The signal that every hosted object lists beside its own. */
export const STANDARD_SIGNALS: readonly MetaSignal[] = [{ uid: 86, name: 'traceObject', signature: trace }];

const standardReturns = new Map(STANDARD_METHODS.map((each) => [each.uid, each.returnSignature]));

/** Return signature of a standard method; a dynamic for what is not one. */
export function standardReturn(action: number): string {
  return standardReturns.get(action) ?? 'm';
}

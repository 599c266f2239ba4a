// Decoded values as JSON, by signature: see json.ts. Layer 3; pure.
import type { BusObject } from '../bus/bus.ts';
import { FIRST_OWN_ACTION } from '../bus/metaobject.ts';
import { toHex } from '../hex.ts';
import { parseSignature, type SignatureNode, type TupleNode } from '../wire/signature.ts';
import { Dynamic, Some } from '../wire/value.ts';
import { toBase64 } from './base64.ts';

/** What `JSON.stringify` writes without loss. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface ToJsonOptions {
  /** The bus object behind a value, if it is one; by default a value that is a bus object itself. */
  readonly toObject?: (value: unknown) => BusObject | undefined;
}

type ToObject = (value: unknown) => BusObject | undefined;

/** A decoded value as JSON. Never fails: what does not have the declared shape is shown by its content. */
export function toJson(signature: string, value: unknown, options: ToJsonOptions = {}): Json {
  return nodeToJson(parseSignature(signature), value, options.toObject ?? busObjectItself);
}

function nodeToJson(node: SignatureNode, value: unknown, toObject: ToObject): Json {
  switch (node.kind) {
    case 'raw':
      return value instanceof Uint8Array ? toBase64(value) : contentToJson(value, toObject);
    case 'list':
    case 'varargs':
      return Array.isArray(value)
        ? value.map((entry) => nodeToJson(node.element, entry, toObject))
        : contentToJson(value, toObject);
    case 'map':
      return mapToJson(entriesOf(value), { key: node.key, value: node.value }, toObject);
    case 'kwargs':
      return mapToJson(entriesOf(value), { key: STRING, value: node.element }, toObject);
    case 'tuple':
      return tupleToJson(node, value, toObject);
    case 'optional':
      return value === null || value === undefined
        ? null
        : nodeToJson(node.element, value instanceof Some ? value.value : value, toObject);
    default:
      return contentToJson(value, toObject);
  }
}

const STRING: SignatureNode = parseSignature('s');
const DYNAMIC: SignatureNode = parseSignature('m');

function tupleToJson(node: TupleNode, value: unknown, toObject: ToObject): Json {
  const fields = node.fieldNames;
  if (Array.isArray(value))
    return value.map((entry, index) => nodeToJson(node.members[index] ?? DYNAMIC, entry, toObject));
  if (fields === undefined || typeof value !== 'object' || value === null) return contentToJson(value, toObject);
  const record = value as Record<string, unknown>;
  return Object.fromEntries(
    fields.map((field, index) => [field, nodeToJson(node.members[index] ?? DYNAMIC, record[field], toObject)]),
  );
}

/** By content alone. */
function contentToJson(value: unknown, toObject: ToObject): Json {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
    case 'boolean':
    case 'string':
      return value;
    case 'object':
      return value === null ? null : objectToJson(value, toObject);
    case 'function':
      return describe(toObject(value));
    default:
      return null;
  }
}

function objectToJson(value: object, toObject: ToObject): Json {
  if (value instanceof Some) return contentToJson(value.value, toObject);
  if (value instanceof Dynamic)
    return value.signature === '' ? null : nodeToJson(parseSignature(value.signature), value.value, toObject);
  if (value instanceof Uint8Array) return { $raw: toBase64(value) };
  if (Array.isArray(value)) return value.map((entry) => contentToJson(entry, toObject));
  const object = toObject(value);
  if (object !== undefined) return describe(object);
  return mapToJson(entriesOf(value), { key: DYNAMIC, value: DYNAMIC }, toObject);
}

function mapToJson(
  entries: readonly [unknown, unknown][],
  nodes: { key: SignatureNode; value: SignatureNode },
  toObject: ToObject,
): Json {
  const value = (entry: unknown): Json => nodeToJson(nodes.value, entry, toObject);
  const isObject = nodes.key.kind === 'string' || nodes.key.kind === 'int' || nodes.key.kind === 'dynamic';
  if (isObject && entries.every(([key]) => isName(nodes.key, key))) {
    return Object.fromEntries(entries.map(([key, entry]) => [String(key), value(entry)]));
  }
  return entries.map(([key, entry]) => [nodeToJson(nodes.key, key, toObject), value(entry)]);
}

/** Can the key be the name of a member of a JSON object, and be read back from it? */
function isName(node: SignatureNode, key: unknown): boolean {
  switch (node.kind) {
    case 'string':
      return typeof key === 'string';
    case 'int':
      return true;
    case 'dynamic':
      return typeof key === 'string' || typeof key === 'bigint' || Number.isInteger(key);
    default:
      return false;
  }
}

function entriesOf(value: unknown): [unknown, unknown][] {
  if (value instanceof Map) return [...value];
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function busObjectItself(value: unknown): BusObject | undefined {
  return typeof value === 'object' && value !== null && 'metaObject' in value && 'uid' in value
    ? (value as BusObject)
    : undefined;
}

function describe(object: BusObject | undefined): Json {
  if (object === undefined) return null;
  const { methods, signals, properties } = object.metaObject;
  const own = <T extends { uid: number; name: string }>(
    members: ReadonlyMap<number, T>,
    text: (member: T) => string,
  ): Json => [...members.values()].filter((member) => member.uid >= FIRST_OWN_ACTION).map(text);
  return {
    $object: {
      uid: toHex(object.uid),
      methods: own(methods, (member) => `${member.name}::${member.parametersSignature}`),
      signals: own(signals, (member) => `${member.name}::${member.signature}`),
      properties: own(properties, (member) => `${member.name}::${member.signature}`),
    },
  };
}

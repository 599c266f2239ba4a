// Our values, decoded with dynamics wrapped, in the notation of the recordings.
import { METAOBJECT_SIGNATURE } from '../../protocol/wire/metaobject-signature.ts';
import { parseSignature, type SignatureNode } from '../../protocol/wire/signature.ts';
import { type Dynamic, decodeValue, type ObjectReference } from '../../protocol/wire/value.ts';
import { toHex } from './recording.ts';

/** The notation of a value; `MetaObject` as signature gives the short form. */
export function notate(signature: string, value: unknown): unknown {
  return signature === 'MetaObject' ? shorten(value as WireMetaObject) : write(parseSignature(signature), value);
}

/**
 * The notation of a recording made comparable to ours: a metaobject that was sent before, under its cache id, is put in its place.
 * `sent` holds what one direction of a connection has sent so far.
 */
export function comparable(notation: unknown, sent: Map<unknown, unknown>): unknown {
  if (Array.isArray(notation)) return notation.map((each) => comparable(each, sent));
  if (typeof notation !== 'object' || notation === null) return notation;
  const { cacheId, ...plain } = notation as Record<string, unknown>;
  if (cacheId !== undefined && plain['metaObject'] === null) plain['metaObject'] = sent.get(cacheId);
  else if (cacheId !== undefined) sent.set(cacheId, plain['metaObject']);
  return Object.fromEntries(Object.entries(plain).map(([name, value]) => [name, comparable(value, sent)]));
}

interface WireMetaObject {
  methods: Map<number, { name: string; parametersSignature: string; returnSignature: string }>;
  signals: Map<number, { name: string; signature: string }>;
  properties: Map<number, { name: string; signature: string }>;
  description: string;
}

function shorten(metaObject: WireMetaObject): unknown {
  const members = <T>(map: Map<number, T>, text: (member: T) => string): Record<string, string> =>
    Object.fromEntries([...map].map(([id, member]) => [String(id), text(member)]));
  const { methods, signals, properties, description } = metaObject;
  return {
    methods: members(methods, (method) => `${method.name}::${method.parametersSignature} -> ${method.returnSignature}`),
    signals: members(signals, (signal) => `${signal.name}::${signal.signature}`),
    properties: members(properties, (property) => `${property.name}::${property.signature}`),
    description,
  };
}

function write(node: SignatureNode, value: unknown): unknown {
  switch (node.kind) {
    case 'void':
      return null;
    case 'int':
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case 'string':
      return value instanceof Uint8Array ? { bytes: toHex(value) } : value;
    case 'raw':
      return { raw: writeRaw(value as Uint8Array) };
    case 'list':
    case 'varargs':
      return (value as unknown[]).map((each) => write(node.element, each));
    case 'map': {
      const entries = value instanceof Map ? [...value] : Object.entries(value as object);
      return { map: entries.map(([key, each]) => [write(node.key, key), write(node.value, each)]) };
    }
    case 'tuple': {
      const names = node.fieldNames;
      if (names === undefined)
        return { tuple: node.members.map((member, index) => write(member, (value as unknown[])[index])) };
      const record = value as Record<string, unknown>;
      return {
        struct: node.name,
        fields: Object.fromEntries(
          names.map((name, index) => [name, write(node.members[index] as SignatureNode, record[name])]),
        ),
      };
    }
    case 'optional':
      return { optional: value === null ? 'unset' : write(node.element, value) };
    case 'dynamic': {
      const { signature, value: content } = value as Dynamic;
      return { dynamic: signature, value: write(parseSignature(signature), content) };
    }
    case 'object': {
      const { metaObject, service, object, uid } = value as ObjectReference;
      const short = shorten(decodeValue(METAOBJECT_SIGNATURE, metaObject, { exact: true }) as WireMetaObject);
      // No uid is all zeroes with us, and null in the recordings.
      return {
        object: {
          metaObject: short,
          serviceId: service,
          objectId: object,
          uid: uid.some((byte) => byte !== 0) ? toHex(uid) : null,
        },
      };
    }
    default:
      return value;
  }
}

/** The recordings say of large ones only how large they are; the bytes are compared when they are encoded again. */
function writeRaw(bytes: Uint8Array): string {
  return bytes.length > 2000 ? `(${bytes.length} bytes)` : toHex(bytes);
}

// Arguments of a call, converted to what the callee declares, with libqi's words when that fails.
// Layer 3; no state.
import type { Payload } from '../bus/bus.ts';
import { convertValue } from '../bus/convert.ts';
import type { MetaObject } from '../bus/metaobject.ts';
import { ByteReader } from '../wire/bytes.ts';
import { parseSignature, type SignatureNode, splitTuple } from '../wire/signature.ts';
import { Dynamic, readValue } from '../wire/value.ts';
import { callFailed } from './call-failed.ts';
import { convertPayload } from './convert-payload.ts';
import { isSameSignature, openDynamic } from './values.ts';

/**
 * The payload in the declared signature: the callee converts what came as a dynamic. Takes over the payload's
 * references, also when it throws.
 * @throws `wire-invalid`, `call-failed`
 */
export function fitArguments(payload: Payload, parameters: string): Payload {
  if (parameters === 'm' || isSameSignature(payload.signature, parameters)) return payload;
  const given = payload.signature === 'm' ? openDynamic(payload) : payload;
  return convertPayload(given, parameters, (from, to, value) => {
    const sources = splitTuple(from);
    const targets = splitTuple(to);
    if (sources.length !== targets.length)
      throw callFailed(
        `Call argument count ${sources.length} does not fit. Function signature: ${spell(parseSignature(to))}.`,
      );
    const parts = Array.isArray(value) ? value : Object.values(value as object);
    return targets.map((target, index) => {
      const source = sources[index] ?? 'v';
      try {
        return convertValue(source, target, parts[index]);
      } catch {
        const [one, other] = [spell(contentOf(source, parts[index])), spell(parseSignature(target))];
        throw callFailed(
          `Call argument number ${index} conversion failure from ${one} to ${other}. Function signature: ${spell(parseSignature(to))}.`,
        );
      }
    });
  });
}

/** The payload `(mm)` of setProperty (or `(m)` of property): the id it names, and the rest. References stay with the rest. */
export function readPropertyKey(
  payload: Payload,
  where: 'property' | 'setProperty',
  metaObject: MetaObject,
): { readonly id: number; readonly rest: Payload } {
  const reader = new ByteReader(payload.bytes);
  const { signature, value } = readValue(reader, 'm', { dynamics: 'wrapped' }) as Dynamic;
  const rest = { signature: 'm', bytes: payload.bytes.subarray(reader.offset), objects: payload.objects };
  if (typeof value === 'string') {
    for (const { uid, name } of metaObject.properties.values()) if (name === value) return { id: uid, rest };
    throw callFailed(`property "${value}" was not found`);
  }
  if (!/^[cCwWiIlL]$/.test(signature)) throw callFailed('Expected int or string for property index');
  if (!metaObject.properties.has(Number(value))) throw callFailed(`${where}: Id is not id of a property`);
  return { id: Number(value), rest };
}

/** What is in a dynamic counts, not that it is one. */
function contentOf(source: string, value: unknown): SignatureNode {
  return parseSignature(value instanceof Dynamic && value.signature !== '' ? value.signature : source);
}

const WORDS: Partial<Record<SignatureNode['kind'], string>> = {
  void: 'Void',
  bool: 'Bool',
  float: 'Float',
  double: 'Double',
  string: 'String',
  raw: 'RawBuffer',
  dynamic: 'Value',
  object: 'Object',
};

/** A signature in the words of libqi's messages: `(i[s])` is `(Int32,List<String>)`. */
function spell(node: SignatureNode): string {
  switch (node.kind) {
    case 'int':
      return `${node.signed ? '' : 'U'}Int${node.bits}`;
    case 'list':
      return `List<${spell(node.element)}>`;
    case 'map':
      return `Map<${spell(node.key)},${spell(node.value)}>`;
    case 'tuple':
      // A struct goes by its name.
      return node.annotation ? (node.annotation.split(',')[0] ?? '') : `(${node.members.map(spell).join(',')})`;
    case 'varargs':
      return `VarArgs<${spell(node.element)}>`;
    case 'optional':
      return `Optional<${spell(node.element)}>`;
    default:
      return WORDS[node.kind] ?? 'Unknown';
  }
}

// JSON as values to encode, by signature: see json.ts. Layer 3; pure.
import { QiwayError } from '../errors.ts';
import { MAX_DEPTH } from '../wire/limits.ts';
import { type IntNode, parseSignature, type SignatureNode, type TupleNode } from '../wire/signature.ts';
import { Dynamic } from '../wire/value.ts';
import { fromBase64 } from './base64.ts';

/**
 * A value to encode with `signature`, from JSON.
 * @throws `invalid-argument` naming the place as a JSON pointer (RFC 6901), and what is expected there
 */
export function fromJson(signature: string, json: unknown): unknown {
  checkDepth(json, MAX_DEPTH);
  return nodeFromJson(parseSignature(signature), json, '');
}

const STRING: SignatureNode = parseSignature('s');

/** Bounds the recursion of all that follows; a hostile text of brackets must not end in a full stack. */
function checkDepth(json: unknown, levels: number): void {
  if (typeof json !== 'object' || json === null) return;
  if (levels === 0)
    throw new QiwayError('invalid-argument', `the JSON is nested deeper than ${MAX_DEPTH} levels`, {
      data: { expected: `at most ${MAX_DEPTH} levels` },
    });
  for (const entry of Array.isArray(json) ? json : Object.values(json)) checkDepth(entry, levels - 1);
}

function nodeFromJson(node: SignatureNode, json: unknown, path: string): unknown {
  switch (node.kind) {
    case 'void':
      return json === null ? undefined : refuse(path, json, 'null');
    case 'bool':
      return typeof json === 'boolean' ? json : refuse(path, json, 'true or false');
    case 'int':
      return intFromJson(node, json, path);
    case 'float':
    case 'double':
      return floatFromJson(json, path);
    case 'string':
      return typeof json === 'string' ? json : (rawOf(json) ?? refuse(path, json, 'a string'));
    case 'raw':
      return (typeof json === 'string' ? fromBase64(json) : rawOf(json)) ?? refuse(path, json, 'base64 text');
    case 'list':
    case 'varargs':
      return arrayOf(json, path, 'an array').map((entry, index) =>
        nodeFromJson(node.element, entry, `${path}/${index}`),
      );
    case 'map':
      return mapFromJson({ key: node.key, value: node.value }, json, path);
    case 'kwargs':
      return mapFromJson({ key: STRING, value: node.element }, json, path);
    case 'tuple':
      return tupleFromJson(node, json, path);
    case 'optional':
      return json === null ? null : nodeFromJson(node.element, json, path);
    case 'dynamic':
      return dynamicFromJson(json, path);
    case 'object':
      return json === null ? null : refuse(path, json, 'null: an object cannot be passed as JSON');
    default:
      return refuse(path, json, 'nothing: a value of this type cannot be passed');
  }
}

function intFromJson(node: IntNode, json: unknown, path: string): number | bigint {
  const least = node.signed ? -(2n ** BigInt(node.bits - 1)) : 0n;
  const most = 2n ** BigInt(node.signed ? node.bits - 1 : node.bits) - 1n;
  const isText = node.bits === 64 && typeof json === 'string' && /^-?\d{1,20}$/.test(json);
  const isNumber = typeof json === 'number' && (node.bits === 64 ? Number.isSafeInteger(json) : Number.isInteger(json));
  const number = isText || isNumber ? BigInt(json as string | number) : undefined;
  if (number === undefined || number < least || number > most) {
    return refuse(
      path,
      json,
      `an integer from ${least} to ${most}${node.bits === 64 ? ', as a decimal string beyond 2^53' : ''}`,
    );
  }
  return node.bits === 64 ? number : Number(number);
}

function floatFromJson(json: unknown, path: string): number {
  if (typeof json === 'number') return Number.isFinite(json) ? json : refuseOverflow(json, path);
  if (json === 'NaN' || json === 'Infinity' || json === '-Infinity') return Number(json);
  return refuse(path, json, 'a number, "NaN", "Infinity" or "-Infinity"');
}

/** A number in JSON that no double holds, such as 1e999, is read as infinite; who means that says so in words. */
function refuseOverflow(json: number, path: string): never {
  return refuse(path, json, 'a number within ±1.8e308');
}

/** The bytes of `{ "$raw": base64 }`: raw in a dynamic, or a string that is not UTF-8. */
function rawOf(json: unknown): Uint8Array | undefined {
  if (!isRecord(json)) return undefined;
  const text = json['$raw'];
  return typeof text === 'string' && Object.keys(json).length === 1 ? fromBase64(text) : undefined;
}

function isRecord(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function arrayOf(json: unknown, path: string, expected: string): readonly unknown[] {
  return Array.isArray(json) ? json : refuse(path, json, expected);
}

function mapFromJson(nodes: { key: SignatureNode; value: SignatureNode }, json: unknown, path: string): unknown {
  const map = new Map<unknown, unknown>();
  if (isRecord(json) && (nodes.key.kind === 'string' || nodes.key.kind === 'int' || nodes.key.kind === 'dynamic')) {
    for (const [name, entry] of Object.entries(json)) {
      const place = `${path}/${escapePointer(name)}`;
      map.set(keyFromName(nodes.key, name, place), nodeFromJson(nodes.value, entry, place));
    }
    return map;
  }
  const expected =
    nodes.key.kind === 'string' || nodes.key.kind === 'int' ? 'a JSON object' : 'an array of [key, value] pairs';
  for (const [index, pair] of arrayOf(json, path, expected).entries()) {
    const place = `${path}/${index}`;
    if (!Array.isArray(pair) || pair.length !== 2) return refuse(place, pair, 'a [key, value] pair');
    map.set(nodeFromJson(nodes.key, pair[0], `${place}/0`), nodeFromJson(nodes.value, pair[1], `${place}/1`));
  }
  return map;
}

function keyFromName(node: SignatureNode, name: string, path: string): unknown {
  if (node.kind !== 'int') return name;
  const isDecimal = /^-?\d{1,20}$/.test(name);
  return intFromJson(node, isDecimal && node.bits < 64 ? Number(name) : name, path);
}

function tupleFromJson(node: TupleNode, json: unknown, path: string): unknown {
  const { members, fieldNames } = node;
  if (fieldNames === undefined || Array.isArray(json)) {
    const entries = arrayOf(json, path, `an array of ${members.length}`);
    if (entries.length !== members.length) return refuse(path, json, `an array of ${members.length}`);
    return members.map((member, index) => nodeFromJson(member, entries[index], `${path}/${index}`));
  }
  if (!isRecord(json)) return refuse(path, json, `an object with the fields ${fieldNames.join(', ')}`);
  const stray = Object.keys(json).find((field) => !fieldNames.includes(field));
  if (stray !== undefined)
    return refuse(`${path}/${escapePointer(stray)}`, json[stray], `no such field; there are ${fieldNames.join(', ')}`);
  return members.map((member, index) => {
    const field = fieldNames[index] as string;
    const place = `${path}/${escapePointer(field)}`;
    if (!Object.hasOwn(json, field) && member.kind !== 'optional')
      return refuse(place, undefined, 'a value: the field is missing');
    return nodeFromJson(member, Object.hasOwn(json, field) ? json[field] : null, place);
  });
}

function dynamicFromJson(json: unknown, path: string): unknown {
  if (Array.isArray(json)) return json.map((entry, index) => dynamicFromJson(entry, `${path}/${index}`));
  if (typeof json === 'number' && !Number.isFinite(json)) return refuseOverflow(json, path);
  if (!isRecord(json)) return json;
  const raw = rawOf(json);
  if (raw !== undefined) return raw;
  const keys = Object.keys(json);
  const { $signature: signature } = json;
  if (keys.length === 2 && typeof signature === 'string' && '$value' in json) {
    return new Dynamic(signature, nodeFromJson(parseTyped(signature, path), json['$value'], `${path}/$value`));
  }
  return new Map(keys.map((key) => [key, dynamicFromJson(json[key], `${path}/${escapePointer(key)}`)]));
}

function parseTyped(signature: string, path: string): SignatureNode {
  try {
    return parseSignature(signature);
  } catch {
    return refuse(`${path}/$signature`, signature, 'a signature');
  }
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function refuse(path: string, json: unknown, expected: string): never {
  const came = json === undefined ? 'nothing' : typeof json === 'number' ? String(json) : JSON.stringify(json);
  const shown = came.length > 60 ? `${came.slice(0, 57)}…` : came;
  const place = path === '' ? 'the value' : `the value at ${path}`;
  throw new QiwayError('invalid-argument', `${place} must be ${expected}, not ${shown}`, { data: { expected, path } });
}

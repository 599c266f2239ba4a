// Conversions between signatures by libqi's rules: of values, and how good one would be. Layer 2; pure.
// Source: facts on the qi protocol, "Conversions and choice of an overload".
import { QiwayError } from '../errors.ts';
import { encodeText } from '../wire/bytes.ts';
import { describeValue } from '../wire/mismatch.ts';
import { type IntNode, type PlainNode, parseSignature, type SignatureNode, type TupleNode } from '../wire/signature.ts';
import { Dynamic, Some } from '../wire/value.ts';
import { pairFields } from './struct-fields.ts';

/**
 * The value, as decoded with `from` (dynamics wrapped), in the form that encodes with `to`.
 * Numbers are checked for range, floats lose their fraction, only 0 and 1 become bools; strings become raw, raw never a string;
 * lists of pairs become maps, maps with string keys structs, structs match by field name; anything goes into an `m` or an optional and out of an `m`.
 * @throws conversion-failed with both signatures
 */
export function convertValue(from: string, to: string, value: unknown): unknown {
  if (from === to) return value;
  return convert(parseSignature(from), parseSignature(to), value);
}

function convert(from: SignatureNode, to: SignatureNode, value: unknown): unknown {
  if (to.kind === 'dynamic') return from.kind === 'dynamic' ? value : new Dynamic(from.text, value ?? null);
  if (from.kind === 'dynamic') {
    if (!(value instanceof Dynamic)) throw failed(from, to, value);
    return convert(parseSignature(value.signature === '' ? 'v' : value.signature), to, value.value);
  }
  if (to.kind === 'optional') return convertOptional(from, to.element, value);
  switch (from.kind) {
    case 'bool':
    case 'int':
    case 'float':
    case 'double':
      return convertNumber(from, to, value);
    case 'string':
      if (to.kind === 'string') return value;
      if (to.kind === 'raw') return typeof value === 'string' ? encodeText(value) : value;
      break;
    case 'list':
    case 'varargs':
      return convertList(from.element, to, value as readonly unknown[], from);
    case 'map':
      return convertMap(from.key, from.value, to, value, from);
    case 'kwargs':
      return convertMap(TEXT, from.element, to, value, from);
    case 'tuple':
      if (to.kind === 'tuple') return convertTuple(from, to, value);
      break;
    default:
      if (from.kind === to.kind) return value;
  }
  throw failed(from, to, value);
}

const TEXT: SignatureNode = parseSignature('s');

function convertOptional(from: SignatureNode, element: SignatureNode, value: unknown): unknown {
  if (from.kind === 'void' || (from.kind === 'optional' && (value === null || value === undefined))) return null;
  const source = from.kind === 'optional' ? from.element : from;
  const converted = convert(source, element, from.kind === 'optional' && value instanceof Some ? value.value : value);
  return element.kind === 'optional' || element.kind === 'void' ? new Some(converted) : converted;
}

function convertNumber(from: SignatureNode, to: SignatureNode, value: unknown): unknown {
  const number = typeof value === 'boolean' ? Number(value) : (value as number | bigint);
  switch (to.kind) {
    case 'bool':
      // Loose: 1 and 1n alike.
      if (Number(number) === 0 || Number(number) === 1) return Number(number) === 1;
      break;
    case 'float':
      if (Number.isFinite(Math.fround(Number(number))) || !Number.isFinite(Number(number))) return Number(number);
      break;
    case 'double':
      return Number(number);
    case 'int': {
      const whole =
        typeof number === 'bigint' ? number : Number.isFinite(number) ? BigInt(Math.trunc(number)) : undefined;
      if (whole === undefined || !fits(to, whole)) break;
      return to.bits === 64 ? whole : Number(whole);
    }
    default:
  }
  throw failed(from, to, value);
}

function fits(node: IntNode, value: bigint): boolean {
  return (node.signed ? BigInt.asIntN(node.bits, value) : BigInt.asUintN(node.bits, value)) === value;
}

function convertList(
  element: SignatureNode,
  to: SignatureNode,
  values: readonly unknown[],
  from: SignatureNode,
): unknown {
  switch (to.kind) {
    case 'list':
    case 'varargs':
      return values.map((value) => convert(element, to.element, value));
    case 'tuple':
      if (values.length !== to.members.length) break;
      return buildTuple(
        to,
        to.members.map((member, index) => convert(element, member, values[index])),
      );
    case 'map':
    case 'kwargs': {
      const [key, content] = to.kind === 'map' ? [to.key, to.value] : [TEXT, to.element];
      const pair = parseSignature(`(${key.text}${content.text})`);
      return buildMap(
        key,
        values.map((value) => convert(element, pair, value) as [unknown, unknown]),
      );
    }
    default:
  }
  throw failed(from, to, values);
}

function convertMap(
  key: SignatureNode,
  content: SignatureNode,
  to: SignatureNode,
  value: unknown,
  from: SignatureNode,
): unknown {
  const entries: [unknown, unknown][] = value instanceof Map ? [...value] : Object.entries(value as object);
  if (to.kind === 'map' || to.kind === 'kwargs') {
    const [toKey, toContent] = to.kind === 'map' ? [to.key, to.value] : [TEXT, to.element];
    return buildMap(
      toKey,
      entries.map(([name, each]) => [convert(key, toKey, name), convert(content, toContent, each)]),
    );
  }
  if (to.kind === 'tuple' && to.fieldNames !== undefined && key.kind === 'string') {
    const byName = new Map(entries);
    return buildTuple(
      to,
      to.fieldNames.map((name, index) => {
        const member = to.members[index] as SignatureNode;
        if (byName.has(name)) return convert(content, member, byName.get(name));
        if (member.kind === 'optional') return null;
        throw failed(from, to, value, `the field ${name} is missing`);
      }),
    );
  }
  throw failed(from, to, value);
}

function convertTuple(from: TupleNode, to: TupleNode, value: unknown): unknown {
  const { fieldNames } = from;
  const parts =
    fieldNames === undefined || Array.isArray(value)
      ? (value as unknown[])
      : fieldNames.map((name) => (value as Record<string, unknown>)[name]);
  const pairs = pairFields(from, to);
  if (pairs === undefined) throw failed(from, to, value, `${from.members.length} members are not ${to.members.length}`);
  return buildTuple(
    to,
    pairs.map((source, index) => {
      const member = to.members[index] as SignatureNode;
      if (source !== undefined) return convert(from.members[source] as SignatureNode, member, parts[source]);
      if (member.kind === 'optional') return null;
      throw failed(from, to, value, `the field ${to.fieldNames?.[index]} is missing`);
    }),
  );
}

function buildTuple(to: TupleNode, parts: readonly unknown[]): unknown {
  return to.fieldNames === undefined
    ? parts
    : Object.fromEntries(to.fieldNames.map((name, index) => [name, parts[index]]));
}

function buildMap(key: SignatureNode, entries: readonly (readonly [unknown, unknown])[]): unknown {
  if (key.kind === 'string' && entries.every(([name]) => typeof name === 'string'))
    return Object.fromEntries(entries as [string, unknown][]);
  return new Map(entries);
}

function failed(from: SignatureNode, to: SignatureNode, value: unknown, reason?: string): QiwayError {
  const [source, target] = [from.text, to.text];
  return new QiwayError(
    'conversion-failed',
    `${describeValue(value)} of type ${source} cannot become ${target}${reason === undefined ? '' : `: ${reason}`}.`,
    {
      data: { from: source, to: target },
    },
  );
}

/** How much of a score a container passes on of what its content loses. */
const CONTAINER = 0.95;
/** The value decides whether it works: out of a dynamic, list to tuple, map to struct, structs of one name and different size. */
const DEPENDS_ON_VALUE = 0.1;

/**
 * How well values of one signature convert to another: 1 without loss, 0 never. Below 0.2 a caller asks the other side to convert.
 * Integer widths count alike, as in libqi. @throws wire-invalid
 */
export function conversionScore(from: string, to: string): number {
  return score(parseSignature(from), parseSignature(to));
}

function score(from: SignatureNode, to: SignatureNode): number {
  if (from.kind === 'none') return 1;
  if (to.kind === 'unknown') return from.kind === 'unknown' ? 1 : 0.9;
  if (to.kind === 'dynamic') return from.kind === 'dynamic' ? 1 : 0.95;
  if (from.kind === 'dynamic') return DEPENDS_ON_VALUE;
  if (to.kind === 'optional') {
    if (from.kind === 'void') return CONTAINER;
    return from.kind === 'optional' ? within(score(from.element, to.element)) : CONTAINER * score(from, to.element);
  }
  switch (from.kind) {
    case 'bool':
    case 'int':
    case 'float':
    case 'double':
      return scoreNumber(from, to);
    case 'string':
      return to.kind === 'string' ? 1 : to.kind === 'raw' ? CONTAINER : 0;
    case 'list':
    case 'varargs':
      return scoreList(from.element, to);
    case 'map':
      return scoreMap(from.key, from.value, to);
    case 'kwargs':
      return scoreMap(TEXT, from.element, to);
    case 'tuple':
      return to.kind === 'tuple' ? scoreTuple(from, to) : 0;
    default:
      return from.kind === to.kind ? 1 : 0;
  }
}

function within(content: number): number {
  return content === 0 ? 0 : 1 - CONTAINER * (1 - content);
}

function scoreNumber(from: PlainNode | IntNode, to: SignatureNode): number {
  const isFloat = from.kind === 'float' || from.kind === 'double';
  switch (to.kind) {
    case 'bool':
      return from.kind === 'bool' ? 1 : 0.96;
    case 'int':
      return isFloat ? 0.97 : from.kind === 'bool' ? 0.98 : 1;
    case 'float':
    case 'double':
      return isFloat ? 1 : 0.98;
    default:
      return 0;
  }
}

function scoreList(element: SignatureNode, to: SignatureNode): number {
  switch (to.kind) {
    case 'list':
    case 'varargs':
      return within(score(element, to.element));
    case 'tuple':
      return to.members.some((member) => score(element, member) === 0) ? 0 : DEPENDS_ON_VALUE;
    case 'map':
    case 'kwargs': {
      const isPair = element.kind === 'dynamic' || (element.kind === 'tuple' && element.members.length === 2);
      return isPair || element.kind === 'none' ? DEPENDS_ON_VALUE : 0;
    }
    default:
      return 0;
  }
}

function scoreMap(key: SignatureNode, content: SignatureNode, to: SignatureNode): number {
  switch (to.kind) {
    case 'map':
      return within(score(key, to.key) * score(content, to.value));
    case 'kwargs':
      return within(score(key, TEXT) * score(content, to.element));
    case 'tuple':
      return to.fieldNames !== undefined &&
        key.kind === 'string' &&
        to.members.every((member) => score(content, member) > 0)
        ? DEPENDS_ON_VALUE
        : 0;
    default:
      return 0;
  }
}

function scoreTuple(from: TupleNode, to: TupleNode): number {
  const pairs = pairFields(from, to);
  const isSameName = from.name !== undefined && from.name === to.name;
  if (pairs === undefined) return isSameName ? DEPENDS_ON_VALUE : 0;
  let product = 1;
  let isMissing = false;
  for (const [index, source] of pairs.entries()) {
    const member = to.members[index] as SignatureNode;
    if (source !== undefined) product *= score(from.members[source] as SignatureNode, member);
    else isMissing ||= member.kind !== 'optional';
  }
  if (product === 0) return 0;
  if (isMissing) return isSameName ? DEPENDS_ON_VALUE : 0;
  return from.members.length === to.members.length ? within(product) : DEPENDS_ON_VALUE;
}

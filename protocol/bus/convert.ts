// Conversions of values between signatures by libqi's rules. Layer 2; pure.
// Source: facts on the qi protocol, "Conversions and choice of an overload".
import { QiwayError } from '../errors.ts';
import { encodeText } from '../wire/bytes.ts';
import { describeValue } from '../wire/mismatch.ts';
import { parseSignature, type SignatureNode, type TupleNode } from '../wire/signature.ts';
import { Dynamic, Some } from '../wire/value.ts';
import { fits, TEXT } from './conversion-score.ts';
import { pairFields } from './struct-fields.ts';

export { conversionScore } from './conversion-score.ts';

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

/** Fields that came to a struct of qi later, and what older programs mean that do not send them: libqi 2 knows no uid of services. */
const YOUNGER_FIELDS: ReadonlyMap<string, unknown> = new Map([['ServiceInfo.objectUid', '']]);

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
      const name = to.fieldNames?.[index];
      if (to.name === from.name && YOUNGER_FIELDS.has(`${to.name}.${name}`))
        return YOUNGER_FIELDS.get(`${to.name}.${name}`);
      throw failed(from, to, value, `the field ${name} is missing`);
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

// JSON Schema (2020-12, as OpenAPI 3.1 uses it) of the JSON that stands for values of a signature. Layer 3; pure.
// It says what `fromJson` accepts and `toJson` writes.
import { type IntNode, parseSignature, type SignatureNode, type TupleNode } from '../wire/signature.ts';

/** A JSON Schema document. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** @throws `wire-invalid` when the signature is none */
export function jsonSchema(signature: string): JsonSchema {
  return schemaOf(parseSignature(signature));
}

/** Schema of an array with one entry for each member of a tuple signature; `titles` name the entries. */
export function jsonSchemaOfArguments(
  parametersSignature: string,
  titles: readonly { name: string; description: string }[] = [],
): JsonSchema {
  const node = parseSignature(parametersSignature);
  if (node.kind !== 'tuple') return { type: 'array', description: 'any arguments' };
  const entries = node.members.map((member, index) => {
    const about = titles[index];
    return {
      ...schemaOf(member),
      ...(about?.name ? { title: about.name } : {}),
      ...(about?.description ? { description: about.description } : {}),
    };
  });
  return fixedArray(entries);
}

function schemaOf(node: SignatureNode): JsonSchema {
  switch (node.kind) {
    case 'void':
      return { type: 'null' };
    case 'bool':
      return { type: 'boolean' };
    case 'int':
      return integerSchema(node);
    case 'float':
    case 'double':
      return { anyOf: [{ type: 'number' }, { enum: ['NaN', 'Infinity', '-Infinity'] }] };
    case 'string':
      return { type: 'string' };
    case 'raw':
      return { type: 'string', contentEncoding: 'base64' };
    case 'list':
    case 'varargs':
      return { type: 'array', items: schemaOf(node.element) };
    case 'map':
      return mapSchema(node.key, node.value);
    case 'kwargs':
      return { type: 'object', additionalProperties: schemaOf(node.element) };
    case 'tuple':
      return tupleSchema(node);
    case 'optional':
      return { anyOf: [schemaOf(node.element), { type: 'null' }] };
    case 'object':
      return {
        description: 'an object of the robot: shown, not usable over HTTP; null where there is none',
        anyOf: [
          { type: 'object', required: ['$object'], properties: { $object: { type: 'object' } } },
          { type: 'null' },
        ],
      };
    default:
      return { description: 'any value; raw bytes as { "$raw": base64 }' };
  }
}

function integerSchema(node: IntNode): JsonSchema {
  if (node.bits === 64)
    return { anyOf: [{ type: 'integer' }, { type: 'string', pattern: '^-?\\d+$' }], format: 'int64' };
  const span = 2 ** node.bits;
  return { type: 'integer', minimum: node.signed ? -span / 2 : 0, maximum: node.signed ? span / 2 - 1 : span - 1 };
}

function mapSchema(key: SignatureNode, value: SignatureNode): JsonSchema {
  const additionalProperties = schemaOf(value);
  if (key.kind === 'string') return { type: 'object', additionalProperties };
  if (key.kind === 'int') return { type: 'object', propertyNames: { pattern: '^-?\\d+$' }, additionalProperties };
  return { type: 'array', items: fixedArray([schemaOf(key), schemaOf(value)]) };
}

function tupleSchema(node: TupleNode): JsonSchema {
  const members = node.members.map(schemaOf);
  const title = node.name === undefined ? {} : { title: node.name };
  const { fieldNames } = node;
  if (fieldNames === undefined) return { ...title, ...fixedArray(members) };
  return {
    ...title,
    type: 'object',
    properties: Object.fromEntries(fieldNames.map((field, index) => [field, members[index]])),
    required: fieldNames.filter((_, index) => node.members[index]?.kind !== 'optional'),
    additionalProperties: false,
  };
}

function fixedArray(entries: readonly JsonSchema[]): JsonSchema {
  const counted = { type: 'array', minItems: entries.length, maxItems: entries.length };
  return entries.length === 0 ? counted : { ...counted, prefixItems: entries };
}

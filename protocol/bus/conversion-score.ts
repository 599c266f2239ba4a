// How good a conversion between two signatures is, by libqi's rules. Layer 2; pure.
// Source: facts on the qi protocol, "Conversions and choice of an overload".
import { type IntNode, type PlainNode, parseSignature, type SignatureNode, type TupleNode } from '../wire/signature.ts';
import { pairFields } from './struct-fields.ts';

/** Keys of keyword arguments. */
export const TEXT: SignatureNode = parseSignature('s');

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

/** Is the value in the range of the type? */
export function fits(node: IntNode, value: bigint): boolean {
  return (node.signed ? BigInt.asIntN(node.bits, value) : BigInt.asUintN(node.bits, value)) === value;
}

/** The score of a container by that of its content. */
export function within(content: number): number {
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

// Which member of one tuple becomes which of another. Layer 2; pure.
import type { TupleNode } from '../wire/signature.ts';

/**
 * For each member of `to` the index of the member of `from` that it is made of; undefined for a field that `from` lacks.
 * By field name when both are fully named with the same names, or differ in size; else by position.
 * Undefined when sizes differ and there are no names to go by, or fields of another struct would be dropped.
 */
export function pairFields(from: TupleNode, to: TupleNode): (number | undefined)[] | undefined {
  const isSameSize = from.members.length === to.members.length;
  const { fieldNames } = from;
  if (fieldNames !== undefined && to.fieldNames !== undefined) {
    const pairs = to.fieldNames.map((name) => {
      const at = fieldNames.indexOf(name);
      return at < 0 ? undefined : at;
    });
    const found = pairs.filter((source) => source !== undefined).length;
    const isComplete = found === pairs.length && isSameSize;
    const dropsNothing = found === fieldNames.length;
    if (isComplete || (!isSameSize && (dropsNothing || from.name === to.name))) return pairs;
  }
  return isSameSize ? to.members.map((_, index) => index) : undefined;
}

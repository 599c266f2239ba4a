// How many bytes a value of a signature takes. Layer 1; pure.
import type { SignatureNode } from './signature.ts';

/** Fewest bytes of a value: bounds counts before anything is allocated. */
export function minBytes(node: SignatureNode): number {
  switch (node.kind) {
    case 'void':
      return 0;
    case 'bool':
    case 'optional':
      return 1;
    case 'int':
      return node.bits / 8;
    case 'double':
      return 8;
    case 'tuple':
      return node.members.reduce((sum, member) => sum + minBytes(member), 0);
    case 'object':
      return 9;
    default:
      return 4;
  }
}

/** The bytes that every value takes; undefined where they differ. */
export function fixedBytes(node: SignatureNode): number | undefined {
  switch (node.kind) {
    case 'void':
    case 'bool':
    case 'int':
    case 'double':
    case 'float':
      return minBytes(node);
    case 'tuple':
      return node.members.every((member) => fixedBytes(member) !== undefined) ? minBytes(node) : undefined;
    default:
      return undefined;
  }
}

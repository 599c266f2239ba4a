// Signatures in words, after the habits of qicli: `Int32`, `List<String>`, `Point`. Command line; pure.
import { parseSignature, type SignatureNode } from '@qiway/protocol/wire/signature';

const PLAIN: Readonly<Record<string, string>> = {
  void: 'Void',
  bool: 'Bool',
  float: 'Float',
  double: 'Double',
  string: 'String',
  raw: 'Raw',
  dynamic: 'Value',
  object: 'Object',
  pointer: 'Pointer',
  unknown: 'Unknown',
  none: 'None',
};

/** @throws `wire-invalid` when the signature is none */
export function typeWords(signature: string): string {
  return nodeWords(parseSignature(signature));
}

/** The members of a tuple, one by one; a method that takes any arguments has one `Value…`. */
export function parameterWords(parametersSignature: string): readonly string[] {
  const node = parseSignature(parametersSignature);
  return node.kind === 'tuple' ? node.members.map(nodeWords) : ['Value…'];
}

function nodeWords(node: SignatureNode): string {
  switch (node.kind) {
    case 'int':
      return `${node.signed ? 'Int' : 'UInt'}${node.bits}`;
    case 'list':
      return `List<${nodeWords(node.element)}>`;
    case 'varargs':
      return `${nodeWords(node.element)}…`;
    case 'kwargs':
      return `Map<String, ${nodeWords(node.element)}>`;
    case 'optional':
      return `Optional<${nodeWords(node.element)}>`;
    case 'map':
      return `Map<${nodeWords(node.key)}, ${nodeWords(node.value)}>`;
    case 'tuple':
      return tupleWords(node);
    default:
      return PLAIN[node.kind] ?? node.kind;
  }
}

function tupleWords(node: Extract<SignatureNode, { kind: 'tuple' }>): string {
  const { fieldNames } = node;
  const members = node.members.map(nodeWords);
  if (fieldNames === undefined) return `(${members.join(', ')})`;
  return `${node.name ?? ''}{${members.map((words, index) => `${fieldNames[index]}: ${words}`).join(', ')}}`;
}

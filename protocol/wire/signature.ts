// Signatures: the text that says how bytes are to be read, and its tree. Layer 1; knows no values.
// Grammar: qi messaging, e.g. `(iis)<Point,x,y,name>`; an annotation may follow any element.
import { MAX_DEPTH, MAX_SIGNATURE_BYTES } from './limits.ts';
import { memoBySignature } from './signature-cache.ts';
import { limitExceeded, wireInvalid } from './wire-errors.ts';

interface NodeBase {
  /** The signature it was parsed from. */
  readonly text: string;
  /** Text between `<` and `>`, which may be empty. */
  readonly annotation?: string;
  /** Levels of nesting: 1 for a plain type. */
  readonly depth: number;
  /** May its bytes hold an object? True for `o`, `m`, `X` and what contains one. */
  readonly holdsObjects: boolean;
  /** Fewest bytes of a value. */
  readonly minBytes: number;
  /** True when every value takes `minBytes`. */
  readonly isFixed: boolean;
}

/** A type that holds no other. */
export interface PlainNode extends NodeBase {
  readonly kind:
    | 'void'
    | 'bool'
    | 'float'
    | 'double'
    | 'string'
    | 'raw'
    | 'dynamic'
    | 'object'
    | 'unknown'
    | 'none'
    | 'pointer';
}
export interface IntNode extends NodeBase {
  readonly kind: 'int';
  readonly bits: 8 | 16 | 32 | 64;
  readonly signed: boolean;
}
/** `[x]`, `#x`, `~x` (a map with string keys), `+x`. */
export interface ElementNode extends NodeBase {
  readonly kind: 'list' | 'varargs' | 'kwargs' | 'optional';
  readonly element: SignatureNode;
}
export interface MapNode extends NodeBase {
  readonly kind: 'map';
  readonly key: SignatureNode;
  readonly value: SignatureNode;
}
export interface TupleNode extends NodeBase {
  readonly kind: 'tuple';
  readonly members: readonly SignatureNode[];
  /** Name of the struct, from the annotation. */
  readonly name?: string;
  /** One distinct name per member; absent when the annotation does not name them all. */
  readonly fieldNames?: readonly string[];
}
export type SignatureNode = PlainNode | IntNode | ElementNode | MapNode | TupleNode;

const plain = <K extends SignatureNode['kind']>(
  text: string,
  kind: K,
  minBytes: number,
  isFixed = true,
): NodeBase & { readonly kind: K } => ({
  kind,
  text,
  depth: 1,
  holdsObjects: 'moX'.includes(text),
  minBytes,
  isFixed,
});

const PLAIN: ReadonlyMap<string, PlainNode | IntNode> = new Map(
  [
    plain('v', 'void', 0),
    plain('b', 'bool', 1),
    plain('f', 'float', 4),
    plain('d', 'double', 8),
    plain('s', 'string', 4, false),
    plain('r', 'raw', 4, false),
    plain('m', 'dynamic', 4, false),
    // With a shared cache: transmitted?, cache id, service, object.
    plain('o', 'object', 13, false),
    // These have no bytes at all; 1, so that a count of them is bounded.
    plain('X', 'unknown', 1, false),
    plain('_', 'none', 1, false),
    plain('*', 'pointer', 1, false),
    ...[...'cCwWiIlL'].map((text, index) => {
      const minBytes = 2 ** (index >> 1);
      const bits = (minBytes * 8) as IntNode['bits'];
      return { ...plain(text, 'int', minBytes), bits, signed: index % 2 === 0 };
    }),
  ].map((node) => [node.text, node]),
);
const PREFIXES: ReadonlyMap<string, 'varargs' | 'kwargs' | 'optional'> = new Map([
  ['#', 'varargs'],
  ['~', 'kwargs'],
  ['+', 'optional'],
]);

/**
 * The tree of one signature. The same text gives the same (shared, immutable) tree; the cache is bounded.
 * @throws wire-invalid with the offset of the character that does not fit; limit-exceeded for text too long or nested too deep.
 */
export const parseSignature: (text: string) => SignatureNode = memoBySignature((text) => {
  if (text.length > MAX_SIGNATURE_BYTES) {
    throw limitExceeded(`a signature has ${text.length} characters`, 'MAX_SIGNATURE_BYTES', MAX_SIGNATURE_BYTES);
  }
  let at = 0;

  const read = (level: number): SignatureNode => {
    if (level > MAX_DEPTH) throw limitExceeded('a signature is nested too deep', 'MAX_DEPTH', MAX_DEPTH);
    const start = at;
    const letter = text[at++] ?? '';
    const known = PLAIN.get(letter);
    if (known !== undefined) return annotated(known, start);
    const kind = PREFIXES.get(letter);
    if (kind !== undefined) {
      // An annotation behind `+x` is one of x, and read with it.
      const element = read(level + 1);
      return { kind, element, ...base([element], start, kind === 'optional' ? 1 : 4) };
    }
    if (letter === '[') {
      const element = read(level + 1);
      expect(']');
      return annotated({ kind: 'list', element, ...base([element], start, 4) }, start);
    }
    if (letter === '{') {
      const key = read(level + 1);
      const value = read(level + 1);
      expect('}');
      return annotated({ kind: 'map', key, value, ...base([key, value], start, 4) }, start);
    }
    at = start;
    expect('(', 'a type');
    const members: SignatureNode[] = [];
    while (text[at] !== ')') members.push(read(level + 1));
    at++;
    return annotated({ kind: 'tuple', members, ...base(members, start) }, start);
  };

  /** What a container has of its children; `minBytes` unless it is their sum. */
  const base = (children: readonly SignatureNode[], start: number, minBytes?: number): NodeBase => ({
    text: text.slice(start, at),
    depth: children.reduce((deepest, { depth }) => Math.max(deepest, depth), 0) + 1,
    holdsObjects: children.some((child) => child.holdsObjects),
    minBytes: minBytes ?? children.reduce((sum, child) => sum + child.minBytes, 0),
    isFixed: minBytes === undefined && children.every((child) => child.isFixed),
  });

  const annotated = (bare: SignatureNode, start: number): SignatureNode => {
    if (text[at] !== '<') return bare;
    const open = at;
    at = annotationEnd(text, open);
    const annotation = text.slice(open + 1, at++);
    const node = { ...bare, annotation, text: text.slice(start, at) };
    if (node.kind !== 'tuple') return node;
    const [name = '', ...fieldNames] = splitAnnotation(annotation);
    const isNamed = fieldNames.length === node.members.length && new Set(fieldNames).size === fieldNames.length;
    return {
      ...node,
      ...(name !== '' && { name }),
      ...(isNamed && fieldNames.length > 0 && !fieldNames.includes('') && { fieldNames }),
    };
  };

  const expect = (letter: string, wanted: string = letter): void => {
    if (text[at] !== letter) throw invalid(text, at, wanted);
    at++;
  };

  const node = read(1);
  if (at < text.length) throw invalid(text, at, 'its end');
  return node;
});

/** May bytes of this signature hold an object (`o`, or an `m` or `X` that contains one)? Cheap. @throws wire-invalid */
export function holdsObjects(signature: string): boolean {
  return parseSignature(signature).holdsObjects;
}

/** The text of a tree; the inverse of {@link parseSignature}. */
export function signatureText(node: SignatureNode): string {
  return node.text;
}

/** The signature without its annotations: what decides whether two signatures are equal. @throws wire-invalid when brackets do not balance */
export function stripAnnotations(text: string): string {
  let bare = '';
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '<') at = annotationEnd(text, at);
    else bare += text[at];
  }
  return bare;
}

/** The member signatures of a tuple: `(i[s]<names>)` gives `i` and `[s]<names>`. @throws wire-invalid if it is not a tuple */
export function splitTuple(text: string): string[] {
  const node = parseSignature(text);
  if (node.kind !== 'tuple') throw invalid(text, 0, 'a tuple');
  return node.members.map(signatureText);
}

/** Index of the `>` that closes the `<` at `open`; annotations hold signatures with annotations of their own. */
function annotationEnd(text: string, open: number): number {
  let level = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '<') level++;
    else if (text[at] === '>' && --level === 0) return at;
  }
  throw invalid(text, text.length, '>');
}

/** Parts between the commas that are not inside a nested annotation. */
function splitAnnotation(annotation: string): string[] {
  const parts = [''];
  let level = 0;
  for (const letter of annotation) {
    if (letter === '<') level++;
    else if (letter === '>') level--;
    if (letter === ',' && level === 0) parts.push('');
    else parts.push(parts.pop() + letter);
  }
  return parts;
}

function invalid(text: string, offset: number, expected: string): Error {
  return wireInvalid(
    `signature "${text.slice(0, 80)}": expected ${expected}, found ${text[offset] ?? 'its end'}`,
    offset,
  );
}

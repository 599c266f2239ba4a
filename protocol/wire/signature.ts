// Signatures: the text that says how bytes are to be read, and its tree. Layer 1; knows no values.
// Grammar: qi messaging, e.g. `(iis)<Point,x,y,name>`; an annotation may follow any element.
import { QiwayError } from '../errors.ts';
import { MAX_DEPTH, MAX_SIGNATURE_BYTES } from './limits.ts';
import { memoBySignature } from './signature-cache.ts';

interface NodeBase {
  /** Text between `<` and `>`, which may be empty. */
  readonly annotation?: string;
  /** Levels of nesting: 1 for a plain type. */
  readonly depth: number;
  /** May its bytes hold an object? True for `o`, `m`, `X` and what contains one. */
  readonly holdsObjects: boolean;
}

/** A type that holds no other. */
export interface PlainNode extends NodeBase {
  readonly kind: 'void' | 'bool' | 'float' | 'double' | 'string' | 'raw' | 'dynamic' | 'object' | 'unknown' | 'none';
}
export interface IntNode extends NodeBase {
  readonly kind: 'int';
  readonly bits: 8 | 16 | 32 | 64;
  readonly signed: boolean;
}
/** `[x]`, `#x`, `~x` (a map with string keys), `+x`, `*x`. */
export interface ElementNode extends NodeBase {
  readonly kind: 'list' | 'varargs' | 'kwargs' | 'optional' | 'pointer';
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

type Plain = Omit<PlainNode, 'annotation'> | Omit<IntNode, 'annotation'>;
const plain = (kind: PlainNode['kind'], holdsObjects = false): Plain => ({ kind, depth: 1, holdsObjects });
const int = (bits: IntNode['bits'], signed: boolean): Plain => ({
  kind: 'int',
  bits,
  signed,
  depth: 1,
  holdsObjects: false,
});

const PLAIN: ReadonlyMap<string, Plain> = new Map([
  ['v', plain('void')],
  ['b', plain('bool')],
  ['c', int(8, true)],
  ['C', int(8, false)],
  ['w', int(16, true)],
  ['W', int(16, false)],
  ['i', int(32, true)],
  ['I', int(32, false)],
  ['l', int(64, true)],
  ['L', int(64, false)],
  ['f', plain('float')],
  ['d', plain('double')],
  ['s', plain('string')],
  ['r', plain('raw')],
  ['m', plain('dynamic', true)],
  ['o', plain('object', true)],
  ['X', plain('unknown', true)],
  ['_', plain('none')],
]);
const PREFIXES: ReadonlyMap<string, 'varargs' | 'kwargs' | 'optional' | 'pointer'> = new Map([
  ['#', 'varargs'],
  ['~', 'kwargs'],
  ['+', 'optional'],
  ['*', 'pointer'],
]);

/**
 * The tree of one signature. The same text gives the same (shared, immutable) tree; the cache is bounded.
 * @throws wire-invalid with the offset of the character that does not fit; limit-exceeded for text too long or nested too deep.
 */
export const parseSignature: (text: string) => SignatureNode = memoBySignature((text) => {
  if (text.length > MAX_SIGNATURE_BYTES) {
    throw new QiwayError(
      'limit-exceeded',
      `a signature has ${text.length} characters; at most ${MAX_SIGNATURE_BYTES} are read.`,
      {
        data: { limit: 'MAX_SIGNATURE_BYTES', maximum: MAX_SIGNATURE_BYTES },
      },
    );
  }
  const parsed = parseElement(text, 0, 1);
  if (parsed.end < text.length) throw invalid(text, parsed.end, 'the end of the signature');
  return parsed.node;
});

/** May bytes of this signature hold an object (`o`, or an `m` or `X` that contains one)? Cheap. @throws wire-invalid */
export function holdsObjects(signature: string): boolean {
  return parseSignature(signature).holdsObjects;
}

/** The text of a tree; the inverse of {@link parseSignature}. */
export function signatureText(node: SignatureNode): string {
  const tail = node.annotation === undefined ? '' : `<${node.annotation}>`;
  switch (node.kind) {
    case 'list':
      return `[${signatureText(node.element)}]${tail}`;
    case 'map':
      return `{${signatureText(node.key)}${signatureText(node.value)}}${tail}`;
    case 'tuple':
      return `(${node.members.map(signatureText).join('')})${tail}`;
    case 'varargs':
    case 'kwargs':
    case 'optional':
    case 'pointer':
      for (const [letter, kind] of PREFIXES)
        if (kind === node.kind) return `${letter}${signatureText(node.element)}${tail}`;
      break;
    default:
      for (const [letter, known] of PLAIN) if (isSamePlain(known, node)) return letter + tail;
  }
  throw new QiwayError('internal', `there is no letter for a ${node.kind}.`);
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

interface Parsed {
  readonly node: SignatureNode;
  readonly end: number;
}

function parseElement(text: string, start: number, level: number): Parsed {
  if (level > MAX_DEPTH) {
    throw new QiwayError('limit-exceeded', `a signature is nested deeper than ${MAX_DEPTH} levels.`, {
      data: { limit: 'MAX_DEPTH', maximum: MAX_DEPTH },
    });
  }
  const letter = text[start] ?? '';
  const known = PLAIN.get(letter);
  if (known !== undefined) return annotated(text, start + 1, known as PlainNode | IntNode);
  const prefix = PREFIXES.get(letter);
  if (prefix !== undefined) {
    const { node, end } = parseElement(text, start + 1, level + 1);
    // An annotation after `+x<…>` belongs to x: it is read with it.
    return { node: { kind: prefix, element: node, depth: node.depth + 1, holdsObjects: node.holdsObjects }, end };
  }
  if (letter === '[') {
    const { node, end } = parseElement(text, start + 1, level + 1);
    expect(text, end, ']');
    return annotated(text, end + 1, {
      kind: 'list',
      element: node,
      depth: node.depth + 1,
      holdsObjects: node.holdsObjects,
    });
  }
  if (letter === '{') {
    const key = parseElement(text, start + 1, level + 1);
    const value = parseElement(text, key.end, level + 1);
    expect(text, value.end, '}');
    return annotated(text, value.end + 1, {
      kind: 'map',
      key: key.node,
      value: value.node,
      ...over([key.node, value.node]),
    });
  }
  if (letter === '(') {
    const members: SignatureNode[] = [];
    let at = start + 1;
    while (text[at] !== ')') {
      const { node, end } = parseElement(text, at, level + 1);
      members.push(node);
      at = end;
    }
    return annotated(text, at + 1, { kind: 'tuple', members, ...over(members) });
  }
  throw invalid(text, start, 'a type');
}

function over(children: readonly SignatureNode[]): { depth: number; holdsObjects: boolean } {
  let depth = 0;
  let holds = false;
  for (const child of children) {
    depth = Math.max(depth, child.depth);
    holds ||= child.holdsObjects;
  }
  return { depth: depth + 1, holdsObjects: holds };
}

function annotated(text: string, at: number, bare: SignatureNode): Parsed {
  if (text[at] !== '<') return { node: bare, end: at };
  const close = annotationEnd(text, at);
  const annotation = text.slice(at + 1, close);
  if (bare.kind !== 'tuple') return { node: { ...bare, annotation }, end: close + 1 };
  const [name = '', ...fieldNames] = splitAnnotation(annotation);
  const isNamed =
    fieldNames.length === bare.members.length &&
    fieldNames.length > 0 &&
    new Set(fieldNames).size === fieldNames.length;
  return {
    node: {
      ...bare,
      annotation,
      ...(name !== '' && { name }),
      ...(isNamed && !fieldNames.includes('') && { fieldNames }),
    },
    end: close + 1,
  };
}

/** Index of the `>` that closes the `<` at `open`; annotations hold signatures with annotations of their own. */
function annotationEnd(text: string, open: number): number {
  let level = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '<') level++;
    else if (text[at] === '>' && --level === 0) return at;
  }
  throw invalid(text, text.length, "the annotation's '>'");
}

/** Parts between the commas that are not inside a nested annotation. */
function splitAnnotation(annotation: string): string[] {
  const parts: string[] = [];
  let level = 0;
  let start = 0;
  for (let at = 0; at < annotation.length; at++) {
    const letter = annotation[at];
    if (letter === '<') level++;
    else if (letter === '>') level--;
    else if (letter === ',' && level === 0) {
      parts.push(annotation.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(annotation.slice(start));
  return parts;
}

function expect(text: string, at: number, letter: string): void {
  if (text[at] !== letter) throw invalid(text, at, `'${letter}'`);
}

function isSamePlain(known: Plain, node: PlainNode | IntNode): boolean {
  if (known.kind !== 'int' || node.kind !== 'int') return known.kind === node.kind;
  return known.bits === node.bits && known.signed === node.signed;
}

function invalid(text: string, offset: number, expected: string): QiwayError {
  const found = offset < text.length ? `'${text[offset]}'` : 'its end';
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return new QiwayError('wire-invalid', `signature "${shown}": expected ${expected} at ${offset}, found ${found}.`, {
    data: { offset },
  });
}

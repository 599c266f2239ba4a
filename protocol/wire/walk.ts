// Passes over values by signature without making them: finds where they end, and the objects in them. Layer 1; pure.
import type { ByteReader } from './bytes.ts';
import { enterDynamic, readSignature } from './dynamic-content.ts';
import { parseSignature, type SignatureNode } from './signature.ts';
import { memoBySignature } from './signature-cache.ts';
import { wireInvalid } from './wire-errors.ts';

/** Called with the reader at the first byte of an object; must read to its end. */
export type ObjectVisitor = (reader: ByteReader) => void;
type Walk = (reader: ByteReader, visit: ObjectVisitor) => void;

/** Moves the reader behind one value. @throws wire-invalid, limit-exceeded */
export function walkValue(reader: ByteReader, signature: string, visit: ObjectVisitor): void {
  walkOf(signature)(reader, visit);
}

const walkOf = memoBySignature((signature) => compile(parseSignature(signature)));

function compile(node: SignatureNode): Walk {
  if (node.isFixed) return skip(node.minBytes);
  switch (node.kind) {
    case 'string':
    case 'raw':
      return walkBytes;
    case 'dynamic':
      return walkDynamic;
    case 'object':
      return (reader, visit) => visit(reader);
    case 'optional': {
      const element = compile(node.element);
      return (reader, visit) => {
        if (reader.uint8() !== 0) element(reader, visit);
      };
    }
    case 'list':
    case 'varargs':
      return repeated([node.element]);
    case 'kwargs':
      return repeated([parseSignature('s'), node.element]);
    case 'map':
      return repeated([node.key, node.value]);
    case 'tuple':
      return sequence(node.members);
    default:
      return (reader) => {
        throw wireInvalid(`a value of type ${node.kind} cannot be read.`, reader.offset);
      };
  }
}

/** The members one after the other; neighbours of fixed size are passed over in one step. */
function sequence(members: readonly SignatureNode[]): Walk {
  const steps: Walk[] = [];
  let run = 0;
  for (const member of members) {
    if (member.isFixed) run += member.minBytes;
    else {
      if (run > 0) steps.push(skip(run));
      run = 0;
      steps.push(compile(member));
    }
  }
  if (run > 0) steps.push(skip(run));
  const [only] = steps;
  if (only !== undefined && steps.length === 1) return only;
  return (reader, visit) => {
    for (const step of steps) step(reader, visit);
  };
}

const skip =
  (bytes: number): Walk =>
  (reader) =>
    void reader.take(bytes);

function repeated(parts: readonly SignatureNode[]): Walk {
  const each = parts.reduce((sum, part) => sum + part.minBytes, 0);
  if (parts.every((part) => part.isFixed)) return (reader) => void reader.take(reader.uint32() * each);
  const element = sequence(parts);
  return (reader, visit) => {
    for (let left = reader.count(each); left > 0; left--) element(reader, visit);
  };
}

const walkBytes: Walk = (reader) => void reader.take(reader.uint32());

const walkDynamic: Walk = (reader, visit) => {
  const signature = readSignature(reader);
  if (signature === '') return;
  const levels = enterDynamic(reader, parseSignature(signature));
  walkOf(signature)(reader, visit);
  reader.depth -= levels;
};

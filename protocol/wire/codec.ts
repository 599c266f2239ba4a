// Codecs: a signature compiled, once, into two functions that write and read its values. Layer 1; pure.
import type { ByteReader, ByteWriter } from './bytes.ts';
import { containerCodec } from './codec-containers.ts';
import { numberCodec } from './codec-numbers.ts';
import { Dynamic, infer, type ObjectCodec } from './dynamic.ts';
import { enterDynamic, readSignature } from './dynamic-content.ts';
import { describeValue, Mismatch, mismatch } from './mismatch.ts';
import { isObjectReference, NULL_OBJECT, type ObjectEncoding, readObject, writeObject } from './objects.ts';
import { parseSignature, type SignatureNode } from './signature.ts';
import { memoBySignature } from './signature-cache.ts';
import { wireInvalid } from './wire-errors.ts';

export interface EncodeOptions {
  /** What the socket's ends agreed on; `{ hasUid: true }` unless given. */
  readonly objectEncoding?: ObjectEncoding;
  /** Without it, objects are ObjectReferences. */
  readonly objects?: ObjectCodec;
}

export interface DecodeOptions extends EncodeOptions {
  /**
   * `wrapped` (default): an `m` becomes a Dynamic, so that nothing is lost.
   * `unwrapped`: it becomes its value, 64-bit integers in it numbers where safe; unset is null.
   */
  readonly dynamics?: 'wrapped' | 'unwrapped';
}

export interface Codec {
  readonly node: SignatureNode;
  write(writer: ByteWriter, value: unknown, options: EncodeOptions): void;
  read(reader: ByteReader, options: DecodeOptions): unknown;
}

/** A codec without what its node tells. */
export type CodecFunctions = Pick<Codec, 'write' | 'read'>;

/** The codec of a signature; shared, immutable. @throws wire-invalid, limit-exceeded for a wrong signature */
export const codecOf: (signature: string) => Codec = memoBySignature((signature) => compile(parseSignature(signature)));

const WITH_UID: ObjectEncoding = { hasUid: true };

function compile(node: SignatureNode): Codec {
  const { write, read } = functionsOf(node);
  return { node, write, read };
}

function functionsOf(node: SignatureNode): CodecFunctions {
  switch (node.kind) {
    case 'bool':
    case 'int':
    case 'float':
    case 'double':
      return numberCodec(node);
    case 'list':
    case 'varargs':
    case 'kwargs':
    case 'map':
    case 'tuple':
    case 'optional':
      return containerCodec(node, compile);
    case 'void':
      return {
        write: (_, value) => {
          if (value !== undefined && value !== null) throw mismatch(node, value);
        },
        read: () => undefined,
      };
    case 'string':
      return { write: (writer, value) => writeString(writer, value, node), read: (reader) => reader.string() };
    case 'raw':
      return {
        write: (writer, value) => writer.raw(bytesOf(value) ?? throwMismatch(node, value)),
        read: (reader) => reader.raw(),
      };
    case 'dynamic':
      return { write: writeDynamic, read: readDynamic };
    case 'object':
      return { write: writeReference, read: readReference };
    default:
      return {
        write: (_, value) => throwMismatch(node, value),
        read: (reader) => {
          throw wireInvalid(`a value of type ${node.kind} cannot be read.`, reader.offset);
        },
      };
  }
}

function throwMismatch(node: SignatureNode, value: unknown): never {
  throw mismatch(node, value);
}

/** Bytes of a buffer or any view of one. */
function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return undefined;
}

function writeString(writer: ByteWriter, value: unknown, node: SignatureNode): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw mismatch(node, value, 'a string without lone surrogates (s)');
    writer.string(value);
  } else if (value instanceof Uint8Array) writer.raw(value);
  else throw mismatch(node, value);
}

function writeDynamic(writer: ByteWriter, value: unknown, options: EncodeOptions): void {
  const isWrapped = value instanceof Dynamic;
  const signature = isWrapped ? value.signature : infer(value, options.objects, 1);
  const content = isWrapped ? value.value : value;
  writer.string(signature);
  if (signature === '') {
    if (content !== null && content !== undefined)
      throw new Mismatch('nothing in a dynamic without signature', '', 'a value');
    return;
  }
  const codec = contentCodec(signature);
  const levels = enterDynamic(writer, codec.node);
  codec.write(writer, content, options);
  writer.depth -= levels;
}

/** A wrong signature in a Dynamic is a fault of the caller's value. */
function contentCodec(signature: string): Codec {
  try {
    return codecOf(signature);
  } catch {
    throw new Mismatch('a valid signature in the Dynamic', 'm', describeValue(signature));
  }
}

function readDynamic(reader: ByteReader, options: DecodeOptions): unknown {
  reader.enter();
  const isWrapped = options.dynamics !== 'unwrapped';
  const signature = readSignature(reader);
  if (signature === '') return isWrapped ? new Dynamic('', null) : null;
  const codec = codecOf(signature);
  const levels = enterDynamic(reader, codec.node);
  const value = codec.read(reader, options) ?? null;
  reader.depth -= levels;
  return isWrapped ? new Dynamic(signature, value) : value;
}

function writeReference(writer: ByteWriter, value: unknown, options: EncodeOptions): void {
  const encoding = options.objectEncoding ?? WITH_UID;
  if (value === null || value === undefined) {
    options.objects?.wroteNull?.();
    return writeObject(writer, NULL_OBJECT, encoding);
  }
  const reference = options.objects?.write(value) ?? (isObjectReference(value) ? value : undefined);
  if (reference === undefined) throw mismatch(OBJECT, value, 'an object of a robot, or one to be hosted (o)');
  writeObject(writer, reference, encoding);
}

function readReference(reader: ByteReader, options: DecodeOptions): unknown {
  reader.enter();
  const reference = readObject(reader, options.objectEncoding ?? WITH_UID);
  return options.objects === undefined ? reference : options.objects.read(reference);
}

const OBJECT: SignatureNode = parseSignature('o');

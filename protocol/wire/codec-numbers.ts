// Codecs of bools, integers and floats. Layer 1; pure.
import type { CodecFunctions } from './codec.ts';
import { mismatch } from './mismatch.ts';
import type { IntNode, PlainNode } from './signature.ts';

export function numberCodec(node: PlainNode | IntNode): CodecFunctions {
  if (node.kind === 'int') return node.bits === 64 ? wideInt(node) : smallInt(node);
  if (node.kind === 'bool') return boolean(node);
  return float(node);
}

function boolean(node: PlainNode): CodecFunctions {
  return {
    write(writer, value) {
      if (value === true || value === 1) writer.uint8(1);
      else if (value === false || value === 0) writer.uint8(0);
      else throw mismatch(node, value);
    },
    read: (reader) => reader.uint8() !== 0,
  };
}

function smallInt(node: IntNode): CodecFunctions {
  const minimum = node.signed ? -(2 ** (node.bits - 1)) : 0;
  const maximum = node.signed ? 2 ** (node.bits - 1) - 1 : 2 ** node.bits - 1;
  const check = (value: unknown): number => {
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isInteger(number) || number < minimum || number > maximum)
      throw mismatch(node, value);
    return number;
  };
  switch (node.bits) {
    case 8:
      return {
        write: (writer, value) => writer.uint8(check(value)),
        read: node.signed ? (reader) => (reader.uint8() << 24) >> 24 : (reader) => reader.uint8(),
      };
    case 16:
      return {
        write: (writer, value) => writer.uint16(check(value)),
        read: node.signed ? (reader) => (reader.uint16() << 16) >> 16 : (reader) => reader.uint16(),
      };
    default:
      return {
        write: (writer, value) => writer.uint32(check(value)),
        read: node.signed ? (reader) => reader.uint32() | 0 : (reader) => reader.uint32(),
      };
  }
}

function wideInt(node: IntNode): CodecFunctions {
  const fits = (value: bigint): boolean =>
    (node.signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value)) === value;
  return {
    write(writer, value) {
      if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
        throw mismatch(
          node,
          value,
          `a bigint: the number is beyond 2^53 and may have lost digits (${node.signed ? 'l' : 'L'})`,
        );
      }
      const wide = typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
      if (typeof wide !== 'bigint' || !fits(wide)) throw mismatch(node, value);
      writer.uint64(wide);
    },
    read(reader, options) {
      const value = node.signed ? reader.int64() : reader.uint64();
      // Inside a dynamic nobody declared 64 bits: a plain number is what a page expects.
      if (options.dynamics !== 'unwrapped' || reader.depth === 0) return value;
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : value;
    },
  };
}

function float(node: PlainNode): CodecFunctions {
  const isDouble = node.kind === 'double';
  const check = (value: unknown): number => {
    if (typeof value === 'bigint' && BigInt(Number(value)) === value) return Number(value);
    if (typeof value !== 'number') throw mismatch(node, value);
    if (!isDouble && Number.isFinite(value) && !Number.isFinite(Math.fround(value)))
      throw mismatch(node, value, 'a number within ±3.4e38 (f)');
    return value;
  };
  return isDouble
    ? { write: (writer, value) => writer.float64(check(value)), read: (reader) => reader.float64() }
    : { write: (writer, value) => writer.float32(check(value)), read: (reader) => reader.float32() };
}

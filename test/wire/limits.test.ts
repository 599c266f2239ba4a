// Bounds of the decoder against payloads made to cost much.
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../protocol/wire/bytes.ts';
import { MAX_DEPTH, MAX_FREE_CONTAINERS, MAX_PAYLOAD_BYTES } from '../../protocol/wire/limits.ts';
import { rewriteObjects } from '../../protocol/wire/rewrite.ts';
import { Dynamic, decodeValue, encodeValue, writeValue } from '../../protocol/wire/value.ts';
import { failure } from './failure.ts';

const ENCODING = { hasUid: true };

/** Little endian 32-bit integers, one after the other. */
function words(...values: number[]): Uint8Array {
  const writer = new ByteWriter();
  for (const value of values) writer.uint32(value);
  return writer.copy();
}

describe('a count that the bytes cannot hold is refused before anything is made', () => {
  test.each(['[i]', '[s]', '[m]', '{si}', '{im}', '#d', '~s', '[(cc)]', '[+i]', '[[[i]]]'])('%s', (signature) => {
    expect(failure(() => decodeValue(signature, words(0xffffffff, 0, 0))).code).toBe('wire-invalid');
  });

  test.each(['s', 'r', 'm'])('a length of %s', (signature) => {
    expect(failure(() => decodeValue(signature, words(0xffffffff, 0)))).toMatchObject({ code: 'wire-invalid' });
  });
});

describe('what takes no bytes is bounded too', () => {
  test.each(['[v]', '[()]', '[((()))]', '[(vv)<P,x,y>]'])('%s of four thousand million', (signature) => {
    expect(failure(() => decodeValue(signature, words(0xffffffff))).code).toBe('limit-exceeded');
  });

  test('many lists of it', () => {
    expect(failure(() => decodeValue('[[v]]', words(100, ...Array(100).fill(1000)))).code).toBe('limit-exceeded');
    expect(decodeValue('[[v]]', words(2, 1000, 1000))).toHaveLength(2);
  });

  test('tuples in tuples', () => {
    const signature = `[${'('.repeat(100)}c${')'.repeat(100)}]`;
    const bytes = new Uint8Array(4 + MAX_FREE_CONTAINERS / 64);
    bytes.set(words(MAX_FREE_CONTAINERS / 64));
    expect(failure(() => decodeValue(signature, bytes))).toMatchObject({
      code: 'limit-exceeded',
      data: { limit: 'MAX_FREE_CONTAINERS' },
    });
  });

  test('a list of a million bytes is nothing unusual', () => {
    expect(decodeValue('[C]', encodeValue('[C]', new Uint8Array(1_000_000)))).toHaveLength(1_000_000);
  });
});

describe('nesting is bounded', () => {
  const deep = (levels: number): Uint8Array => {
    const writer = new ByteWriter();
    for (let level = 0; level < levels; level++) writer.string('m');
    writer.string('i');
    writer.uint32(5);
    return writer.copy();
  };

  test('of dynamics in dynamics, read and passed over', () => {
    expect(decodeValue('m', deep(10), { dynamics: 'unwrapped' })).toBe(5);
    for (const levels of [MAX_DEPTH, 100_000]) {
      expect(failure(() => decodeValue('m', deep(levels)))).toMatchObject({
        code: 'limit-exceeded',
        data: { limit: 'MAX_DEPTH' },
      });
      expect(failure(() => rewriteObjects('m', deep(levels), ENCODING, ENCODING, (it) => it)).code).toBe(
        'limit-exceeded',
      );
    }
  });

  test('of signatures in dynamics together', () => {
    const signature = `${'['.repeat(60)}m${']'.repeat(60)}`;
    const levels: number[] = Array(60).fill(1);
    const writer = new ByteWriter();
    for (let time = 0; time < 3; time++) {
      writer.string(signature);
      for (const count of levels) writer.uint32(count);
    }
    writer.string('v');
    expect(failure(() => decodeValue('m', writer.copy())).code).toBe('limit-exceeded');
  });

  test('of values to be sent', () => {
    let value: unknown = new Dynamic('i', 1);
    for (let level = 0; level < MAX_DEPTH; level++) value = new Dynamic('m', value);
    expect(failure(() => encodeValue('m', value)).code).toBe('limit-exceeded');
    let list: unknown[] = [];
    for (let level = 0; level < 10_000; level++) list = [list];
    expect(failure(() => encodeValue('m', list)).code).toBe('invalid-argument');
    expect(encodeValue('m', 1)).toHaveLength(9);
  });
});

test('a signature that is too long is refused inside a dynamic as well', () => {
  const writer = new ByteWriter();
  writer.string(`(${'i'.repeat(100_000)})`);
  expect(failure(() => decodeValue('m', writer.copy()))).toMatchObject({
    code: 'limit-exceeded',
    data: { limit: 'MAX_SIGNATURE_BYTES' },
  });
});

test('a payload to be sent is bounded', () => {
  const part = new Uint8Array(MAX_PAYLOAD_BYTES / 2);
  expect(failure(() => encodeValue('(rr)', [part, part]))).toMatchObject({
    code: 'limit-exceeded',
    data: { limit: 'MAX_PAYLOAD_BYTES' },
  });
});

test('a value that fails leaves the writer as it was', () => {
  const writer = new ByteWriter(1);
  writer.string('kept');
  expect(failure(() => writeValue(writer, '(sm)', ['x', new Dynamic('[s]', [1])])).code).toBe('invalid-argument');
  expect(writer.depth).toBe(0);
  const reader = new ByteReader(writer.copy());
  expect(reader.string()).toBe('kept');
  expect(reader.left).toBe(0);
});

// Dynamics and objects on the wire.
import { describe, expect, test } from 'vitest';
import { METAOBJECT_SIGNATURE } from '../../protocol/wire/metaobject-signature.ts';
import {
  Dynamic,
  decodeValue,
  encodeValue,
  inferSignature,
  NULL_OBJECT,
  type ObjectReference,
} from '../../protocol/wire/value.ts';
import { failure } from './failure.ts';

/** Through the bytes and back. */
const again = (signature: string, value: unknown): unknown =>
  decodeValue(signature, encodeValue(signature, value), { exact: true });

describe('dynamics', () => {
  test('unwrapped they are their values, 64 bits a number where safe', () => {
    const unwrap = (value: unknown): unknown => decodeValue('m', encodeValue('m', value), { dynamics: 'unwrapped' });
    expect(unwrap([1, 'a', null, [2 ** 40, 5n], { a: 1n, b: 'x' }])).toEqual([
      1,
      'a',
      null,
      [2 ** 40, 5],
      { a: 1, b: 'x' },
    ]);
    expect(unwrap(2n ** 60n)).toBe(2n ** 60n);
    expect(unwrap(new Dynamic('', null))).toBeNull();
    expect(decodeValue('(lm)', encodeValue('(lm)', [1n, 1n]), { dynamics: 'unwrapped' })).toEqual([1n, 1]);
  });

  test('a value must be what its Dynamic says', () => {
    expect(failure(() => encodeValue('(sm)', ['', new Dynamic('[i]', [1, 'b'])])).message).toContain(
      'argument 2, element [1]: expected an integer',
    );
    expect(failure(() => encodeValue('(m)', [new Dynamic('q', 1)])).message).toBe(
      '[invalid-argument] argument 1: expected a valid signature in the Dynamic, got string "q".',
    );
  });

  test.each<[unknown, string]>([
    [true, 'b'],
    [1, 'i'],
    [-(2 ** 31), 'i'],
    [2 ** 31, 'l'],
    [2 ** 53, 'd'],
    [0.5, 'd'],
    [Number.NaN, 'd'],
    [1n, 'l'],
    [2n ** 63n, 'L'],
    ['s', 's'],
    [Uint8Array.of(1), 'r'],
    [new ArrayBuffer(1), 'r'],
    [Float32Array.of(1), '[f]'],
    [null, 'v'],
    [undefined, 'v'],
    [[], '[m]'],
    [[1, 2], '[i]'],
    [[1, 2 ** 40], '[l]'],
    [[1, 0.5], '[d]'],
    [[1n, 0.5], '[m]'],
    [[1, 'a'], '[m]'],
    [[null, null], '[m]'],
    [[[1], [2]], '[[i]]'],
    [[[1], ['a']], '[m]'],
    [{}, '{sm}'],
    [{ a: 1, b: 2 }, '{si}'],
    [{ a: 1, b: 'x' }, '{sm}'],
    [new Map([[1, 'a']]), '{is}'],
    [
      new Map<unknown, unknown>([
        [1, 'a'],
        ['b', 'c'],
      ]),
      '{ms}',
    ],
    [new Map(), '{sm}'],
    [new Dynamic('i', 1), 'm'],
    [[new Dynamic('i', 1)], '[m]'],
    [NULL_OBJECT, 'o'],
  ])('%o is sent as %s', (value, signature) => {
    expect(inferSignature(value)).toBe(signature);
  });

  test('what has no signature is refused', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const value of [() => 1, Symbol('a'), new Date(), cycle, 2n ** 64n, new Set([1])]) {
      expect(failure(() => encodeValue('(sm)', ['', value])).message).toContain(
        'argument 2: expected what a dynamic can hold',
      );
      expect(failure(() => inferSignature(value)).code).toBe('invalid-argument');
    }
  });
});

describe('objects', () => {
  const reference: ObjectReference = {
    metaObject: encodeValue(METAOBJECT_SIGNATURE, { methods: {}, signals: {}, properties: {}, description: 'lamp' }),
    service: 3,
    object: 9,
    uid: Uint8Array.from({ length: 20 }, (_, index) => index),
  };

  test('are references, with or without uid', () => {
    expect(again('o', reference)).toEqual(reference);
    const objectEncoding = { hasUid: false };
    const short = encodeValue('o', reference, { objectEncoding });
    expect(short).toEqual(encodeValue('o', reference).subarray(0, -20));
    expect(decodeValue('o', short, { objectEncoding, exact: true })).toEqual({ ...reference, uid: new Uint8Array(20) });
  });

  test('nothing is the null object', () => {
    expect(again('o', null)).toEqual(NULL_OBJECT);
  });

  test('an ObjectCodec makes them what they are on this side, also in dynamics', () => {
    const lamp = { lamp: true };
    const objects = {
      read: (it: ObjectReference) => (it.object === 0 ? null : { lamp: it.service === 3 }),
      is: (value: unknown) => value === lamp,
      write: () => reference,
    };
    const value = encodeValue('(omom)', [lamp, lamp, null, [lamp]], { objects });
    expect(decodeValue('(omom)', value, { objects, dynamics: 'unwrapped' })).toEqual([lamp, lamp, null, [lamp]]);
    expect(decodeValue('(omom)', value)).toMatchObject([
      { object: 9 },
      { signature: 'o' },
      { object: 0 },
      { signature: '[o]' },
    ]);
  });

  test('anything else is refused', () => {
    expect(failure(() => encodeValue('(o)', [{}])).message).toContain('argument 1: expected an object');
  });
});

// Values by signature: bytes as libqi writes them, and what is refused.
import { describe, expect, test } from 'vitest';
import { METAOBJECT_SIGNATURE } from '../../protocol/wire/metaobject-signature.ts';
import {
  Dynamic,
  decodeValue,
  encodeValue,
  NULL_OBJECT,
  type ObjectReference,
  Some,
} from '../../protocol/wire/value.ts';
import { failure } from './failure.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const encoded = (signature: string, value: unknown): string => hex(encodeValue(signature, value));
/** Through the bytes and back. */
const again = (signature: string, value: unknown): unknown =>
  decodeValue(signature, encodeValue(signature, value), { exact: true });

describe('bytes as libqi writes them', () => {
  test.each([
    ['(i)', [-70000], '90eefeff'],
    ['(s)', ['héllo'], '06000000 68c3a96c6c6f'],
    ['(r)', [Uint8Array.of(0, 1, 2, 3, 4)], '05000000 0001020304'],
    ['({si})', [{ b: 2, a: 1 }], '02000000 01000000 61 01000000 01000000 62 02000000'],
    ['(+i)', [3], '01 03000000'],
    ['(+i)', [null], '00'],
    ['(m)', [12], '01000000 69 0c000000'],
    [
      '(m)',
      [[1, 'b', 2.5]],
      '03000000 5b6d5d 03000000 01000000 69 01000000 01000000 73 01000000 62 01000000 64 0000000000000440',
    ],
    [
      'm',
      new Dynamic('(iis)<Point,x,y,name>', { x: 9, y: 8, name: 'seven' }),
      '15000000 28696973293c506f696e742c782c792c6e616d653e 09000000 08000000 05000000 736576656e',
    ],
    ['m', new Dynamic('(isd)', [1, 'b', 3]), '05000000 2869736429 01000000 01000000 62 0000000000000840'],
    ['m', null, '01000000 76'],
    ['m', new Dynamic('', null), '00000000'],
  ])('%s %o', (signature, value, expected) => {
    expect(encoded(signature, value)).toBe(expected.replaceAll(' ', ''));
  });
});

describe('integers', () => {
  test.each([
    ['c', -128, 127],
    ['C', 0, 255],
    ['w', -32768, 32767],
    ['W', 0, 65535],
    ['i', -2147483648, 2147483647],
    ['I', 0, 4294967295],
  ])('%s takes %d to %d', (signature, minimum, maximum) => {
    expect(again(signature, minimum)).toBe(minimum);
    expect(again(signature, maximum)).toBe(maximum);
    expect(again(signature, BigInt(maximum))).toBe(maximum);
    for (const wrong of [minimum - 1, maximum + 1, 0.5, Number.NaN, '1', true, null, BigInt(maximum) + 1n]) {
      expect(failure(() => encodeValue(signature, wrong)).code).toBe('invalid-argument');
    }
  });

  test.each([
    ['l', -(2n ** 63n), 2n ** 63n - 1n],
    ['L', 0n, 2n ** 64n - 1n],
  ])('%s takes bigints, and numbers that are safe', (signature, minimum, maximum) => {
    expect(again(signature, minimum)).toBe(minimum);
    expect(again(signature, maximum)).toBe(maximum);
    expect(again(signature, 5)).toBe(5n);
    for (const wrong of [minimum - 1n, maximum + 1n, 0.5, '1']) {
      expect(failure(() => encodeValue(signature, wrong)).code).toBe('invalid-argument');
    }
    expect(failure(() => encodeValue(signature, 2 ** 60)).message).toContain('bigint');
  });

  test('a float beyond the range of f is refused, infinity is not', () => {
    expect(again('f', 0.1)).toBe(Math.fround(0.1));
    expect(again('f', Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(again('d', Number.NaN)).toBeNaN();
    expect(failure(() => encodeValue('f', 1e300)).code).toBe('invalid-argument');
  });
});

describe('strings', () => {
  test.each([
    '',
    'a',
    'x'.repeat(24),
    'x'.repeat(25),
    'é'.repeat(12),
    'x'.repeat(4096),
    'é'.repeat(4096),
    'é'.repeat(4097),
    '\u{feff}with a mark',
    '\u{1f916} robot',
    '\0',
  ])('string %# comes back', (text) => {
    expect(again('s', text)).toBe(text);
  });

  test('bytes that are not UTF-8 stay bytes', () => {
    for (const wrong of ['ff', 'c3', 'eda080', '61ff'.repeat(20)])
      expect(again('s', bytes(wrong))).toEqual(bytes(wrong));
  });

  test('half a surrogate pair is refused', () => {
    expect(failure(() => encodeValue('(s)', ['a\u{d800}'])).message).toContain(
      'argument 1: expected a string without lone surrogates',
    );
  });
});

describe('raw', () => {
  test('is read as a view of the input', () => {
    const input = bytes('02000000 0708 ff');
    const value = decodeValue('r', input) as Uint8Array;
    expect(value).toEqual(Uint8Array.of(7, 8));
    expect(value.buffer).toBe(input.buffer);
  });

  test('takes every kind of buffer', () => {
    const { buffer } = Uint8Array.of(1, 2, 3, 4);
    expect(encoded('r', buffer)).toBe('0400000001020304');
    expect(encoded('r', new DataView(buffer, 1, 2))).toBe('020000000203');
    expect(encoded('r', new Uint16Array(buffer, 2, 1))).toBe('020000000304');
    expect(failure(() => encodeValue('r', 'text')).code).toBe('invalid-argument');
    expect(failure(() => encodeValue('r', [1, 2])).code).toBe('invalid-argument');
  });
});

describe('lists', () => {
  test('typed arrays are lists of numbers', () => {
    expect(again('[f]', Float32Array.of(1, 2.5))).toEqual([1, 2.5]);
    expect(again('[C]', Uint8Array.of(1, 255))).toEqual([1, 255]);
    expect(again('[l]', BigInt64Array.of(-1n))).toEqual([-1n]);
  });

  test('varargs are one list', () => {
    expect(encoded('(#i)', [[1, 2]])).toBe('020000000100000002000000');
  });
});

describe('maps', () => {
  test('string keys become fields, also those with a meaning in JavaScript', () => {
    const value = again(
      '{si}',
      new Map([
        ['__proto__', 1],
        ['constructor', 2],
        ['b', 3],
      ]),
    ) as Record<string, number>;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.entries(value).sort()).toEqual([
      ['__proto__', 1],
      ['b', 3],
      ['constructor', 2],
    ]);
    expect(again('{si}', value)).toEqual(value);
  });

  test('a key that is not UTF-8 makes it a Map', () => {
    const entries = new Map<unknown, number>([
      ['a', 1],
      [bytes('ff'), 2],
    ]);
    expect(again('{si}', entries)).toEqual(entries);
  });

  test('other keys make it a Map; their names are taken as fields too', () => {
    expect(
      again(
        '{is}',
        new Map([
          [1, 'a'],
          [-2, 'b'],
        ]),
      ),
    ).toEqual(
      new Map([
        [-2, 'b'],
        [1, 'a'],
      ]),
    );
    expect(again('{is}', { 10: 'a', '-2': 'b' })).toEqual(
      new Map([
        [-2, 'b'],
        [10, 'a'],
      ]),
    );
    expect(failure(() => encodeValue('{is}', { one: 'a' })).message).toContain('key "one": expected an integer');
  });

  test('keys are written in the order of libqi: strings by their bytes, numbers by value', () => {
    const keys = ['\u{1f916}', '\u{e000}', 'b', 'a', 'ab', ''];
    const written = decodeValue('{[C]v}', encodeValue('{sv}', new Map(keys.map((key) => [key, undefined])))) as Map<
      number[],
      undefined
    >;
    expect([...written.keys()].map((key) => Buffer.from(key).toString())).toEqual([
      '',
      'a',
      'ab',
      'b',
      '\u{e000}',
      '\u{1f916}',
    ]);
    const numbers = again(
      '{lv}',
      new Map([
        [10n, undefined],
        [-1n, undefined],
        [9n, undefined],
      ]),
    ) as Map<bigint, undefined>;
    expect([...numbers.keys()]).toEqual([-1n, 9n, 10n]);
  });

  test('keyword arguments are a map with string keys', () => {
    expect(encoded('~i', { a: 1 })).toBe(encoded('{si}', { a: 1 }));
  });
});

describe('tuples and structs', () => {
  const point = '(iis)<Point,x,y,name>';

  test('a named struct is an object, and may be given as an array', () => {
    expect(again(point, { x: 1, y: 2, name: 'p' })).toEqual({ x: 1, y: 2, name: 'p' });
    expect(again(point, [1, 2, 'p'])).toEqual({ x: 1, y: 2, name: 'p' });
    expect(again('(is)', [1, 'p'])).toEqual([1, 'p']);
  });

  test('a missing field is named', () => {
    expect(failure(() => encodeValue(point, { x: 1, name: 'p' })).message).toBe(
      '[invalid-argument] field y: expected the field y of Point, got an object with x, name.',
    );
  });

  test('a missing optional field is unset', () => {
    expect(again('(i+i)<P,x,y>', { x: 1 })).toEqual({ x: 1, y: null });
  });
});

describe('optionals', () => {
  test.each([
    ['+i', null],
    ['+i', 0],
    ['++i', null],
    ['++i', new Some(null)],
    ['++i', new Some(4)],
    ['+v', null],
    ['+v', new Some(undefined)],
    ['+++i', new Some(new Some(null))],
    ['+m', new Dynamic('v', null)],
  ])('%s %o comes back', (signature, value) => {
    expect(again(signature, value)).toEqual(value);
  });

  test('undefined is unset, a bare value is set', () => {
    expect(encoded('+i', undefined)).toBe('00');
    expect(encoded('++i', 4)).toBe('010104000000');
  });
});

describe('what cannot be', () => {
  test.each(['X', '_', '*'])('a value of %s', (signature) => {
    expect(failure(() => encodeValue(signature, 1)).code).toBe('invalid-argument');
    expect(failure(() => decodeValue(signature, new Uint8Array(8))).code).toBe('wire-invalid');
  });

  test('an element in a list of nothing; without elements it may stand', () => {
    expect(again('[_]', [])).toEqual([]);
    expect(failure(() => encodeValue('[_]', [1])).code).toBe('invalid-argument');
  });
});

describe('errors say what was expected, where, and what came', () => {
  test.each<[string, unknown, string]>([
    ['(si)', ['a', 'b'], 'argument 2: expected an integer from -2147483648 to 2147483647 (i), got string "b".'],
    ['(b)', ['yes'], 'argument 1: expected true or false (b), got string "yes".'],
    [
      '(s[{s(ii)<P,x,y>}])',
      ['a', [{}, { k: { x: 1, y: 2.5 } }]],
      'argument 2, element [1], key "k", field y: expected an integer from -2147483648 to 2147483647 (i), got number 2.5.',
    ],
    ['(si)', ['a'], 'expected 2 arguments ((si)), got 1.'],
    ['((ii))', [[1]], 'argument 1: expected an array of 2 ((ii)), got an array of 1.'],
    ['[s]', [1], 'element [0]: expected a string (s), got number 1.'],
    ['v', 1, 'expected nothing (v), got number 1.'],
    ['{si}', [1], 'expected an object or a Map ({si}), got an array of 1.'],
  ])('%s %o', (signature, value, sentence) => {
    expect(failure(() => encodeValue(signature, value)).message).toBe(`[invalid-argument] ${sentence}`);
  });

  test('the data names the type and the path', () => {
    expect(failure(() => encodeValue('(s[i])', ['a', ['b']])).data).toEqual({
      expected: 'i',
      path: 'argument 2, element [0]',
    });
  });
});

test('bytes behind a value are ignored, unless it has to be exact', () => {
  expect(decodeValue('i', bytes('05000000 ff'))).toBe(5);
  expect(failure(() => decodeValue('i', bytes('05000000 ff'), { exact: true }))).toMatchObject({
    code: 'wire-invalid',
    data: { offset: 4 },
  });
});

test('an encoder that encodes on the way does not disturb the outer one', () => {
  const reference: ObjectReference = { ...NULL_OBJECT, object: 1 };
  const objects = {
    read: (it: ObjectReference) => it,
    is: (value: unknown) => value === 'object',
    write: () => ({
      ...reference,
      metaObject: encodeValue(METAOBJECT_SIGNATURE, { methods: {}, signals: {}, properties: {}, description: 'inner' }),
    }),
  };
  const value = decodeValue('(sos)', encodeValue('(sos)', ['before', 'object', 'after'], { objects }), {
    exact: true,
  }) as [string, ObjectReference, string];
  expect(value[0]).toBe('before');
  expect(decodeValue(METAOBJECT_SIGNATURE, value[1].metaObject)).toMatchObject({ description: 'inner' });
  expect(value[2]).toBe('after');
});

test('results do not share memory', () => {
  const first = encodeValue('s', 'first');
  encodeValue('s', 'other');
  expect(decodeValue('s', first)).toBe('first');
  const large = encodeValue('r', new Uint8Array(100_000).fill(7));
  encodeValue('r', new Uint8Array(100_000));
  expect(large.subarray(4).every((byte) => byte === 7)).toBe(true);
});

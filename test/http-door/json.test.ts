// Values as JSON and back, by signature.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromBase64, toBase64 } from '../../protocol/objects/base64.ts';
import { fromJson, toJson } from '../../protocol/objects/json.ts';
import { jsonSchema, jsonSchemaOfArguments } from '../../protocol/objects/json-schema.ts';
import { Dynamic, decodeValue, encodeValue } from '../../protocol/wire/value.ts';

const through = (signature: string, json: unknown): unknown =>
  JSON.parse(
    JSON.stringify(
      toJson(
        signature,
        decodeValue(signature, encodeValue(signature, fromJson(signature, json)), { dynamics: 'unwrapped' }),
      ),
    ),
  );

const problemOf = (signature: string, json: unknown): { code: string; path: unknown; message: string } => {
  try {
    fromJson(signature, json);
  } catch (error) {
    const { code, data, message } = error as { code: string; data: { path?: string }; message: string };
    return { code, path: data.path, message };
  }
  throw new Error('it was accepted');
};

describe('JSON comes back from the wire as it went in', () => {
  test.each<[string, unknown]>([
    ['b', true],
    ['c', -128],
    ['C', 255],
    ['i', -70000],
    ['I', 4294967295],
    ['l', 9007199254740991],
    ['l', '-9223372036854775808'],
    ['L', '18446744073709551615'],
    ['d', 2.5],
    ['d', 'NaN'],
    ['f', '-Infinity'],
    ['s', 'héllo \u0000 🤖'],
    ['r', 'AAECAwQ='],
    ['[s]', ['a', 'b']],
    ['[[i]]', [[], [1, 2]]],
    ['{si}', { a: 1, b: 2 }],
    ['{s[m]}', { a: [1, 'x'] }],
    ['{Is}', { '7': 'seven', '4294967295': 'many' }],
    ['{ls}', { '-9223372036854775808': 'least' }],
    ['{ds}', [[0.5, 'half']]],
    ['{ds}', [[1, 'whole']]],
    ['{bs}', []],
    ['{bs}', [[true, 'yes']]],
    ['{(ii)s}', [[[1, 2], 'point']]],
    ['(is)', [1, 'x']],
    ['()', []],
    ['(iis)<Point,x,y,name>', { x: 9, y: 8, name: 'seven' }],
    ['[(si)<Pair,key,value>]', [{ key: 'k', value: 1 }]],
    ['+i', null],
    ['+i', 3],
    ['+(ii)<P,x,y>', { x: 1, y: 2 }],
    ['#i', [1, 2]],
    ['~i', { a: 1 }],
    ['m', 12],
    ['m', 'text'],
    ['m', null],
    ['m', [1, 'b', 2.5, [true, null]]],
    ['m', { nested: { deep: [1, 2] }, n: null }],
    ['m', { $raw: 'AAECAwQ=' }],
    ['m', { in: [{ $raw: '' }] }],
    ['v', null],
  ])('%s %j', (signature, json) => {
    expect(through(signature, json)).toEqual(json);
  });

  test('a map key named __proto__ is a key like others', () => {
    const json = JSON.parse('{"__proto__": 1, "constructor": 2}') as unknown;
    expect(JSON.stringify(through('{si}', json))).toBe('{"__proto__":1,"constructor":2}');
  });

  test('a string that is not UTF-8 is shown as bytes and taken back', () => {
    const bytes = Uint8Array.of(2, 0, 0, 0, 0xff, 0xfe);
    const json = toJson('s', decodeValue('s', bytes));
    expect(json).toEqual({ $raw: '//4=' });
    expect(encodeValue('s', fromJson('s', json))).toEqual(bytes);
  });

  test('any JSON is itself again through a dynamic', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (json) => {
        // -0 is 0 in JSON.
        const plain = JSON.parse(JSON.stringify(json)) as unknown;
        expect(through('m', plain)).toEqual(plain);
      }),
    );
  });
});

describe('the type inside a dynamic can be said', () => {
  test('by $signature and $value', () => {
    expect(fromJson('m', { $signature: '[f]', $value: [1] })).toEqual(new Dynamic('[f]', [1]));
  });

  test('and is checked', () => {
    expect(problemOf('[m]', [{ $signature: 'i', $value: 'x' }])).toMatchObject({
      code: 'invalid-argument',
      path: '/0/$value',
    });
    expect(problemOf('m', { $signature: '(', $value: 1 })).toMatchObject({
      code: 'invalid-argument',
      path: '/$signature',
    });
  });
});

describe('what does not fit is refused with its place', () => {
  test.each<[string, unknown, string]>([
    ['i', 2147483648, ''],
    ['i', 1.5, ''],
    ['i', '1', ''],
    ['C', -1, ''],
    ['l', 9007199254740992, ''],
    ['l', '9223372036854775808', ''],
    ['L', '-1', ''],
    ['b', 0, ''],
    ['s', 1, ''],
    ['d', 'nan', ''],
    ['d', JSON.parse('1e999'), ''],
    ['f', JSON.parse('-1e999'), ''],
    ['m', { speed: [JSON.parse('1e999')] }, '/speed/0'],
    ['r', 'not base64!', ''],
    ['r', 'A', ''],
    ['[i]', { '0': 1 }, ''],
    ['[i]', [1, 'x'], '/1'],
    ['{si}', { 'a/b~c': 'x' }, '/a~1b~0c'],
    ['{Is}', { '-1': 'x' }, '/-1'],
    ['{Is}', { x: 'x' }, '/x'],
    ['{ds}', [[1]], '/0'],
    ['(is)', [1], ''],
    ['(ii)<P,x,y>', { x: 1 }, '/y'],
    ['(ii)<P,x,y>', { x: 1, y: 2, z: 3 }, '/z'],
    ['((ii)<P,x,y>s)', [{ x: 1, y: null }, 's'], '/0/y'],
    ['o', {}, ''],
    ['X', 1, ''],
    ['v', 1, ''],
  ])('%s %j at "%s"', (signature, json, path) => {
    expect(problemOf(signature, json)).toMatchObject({ code: 'invalid-argument', path });
  });

  test('a number that JSON cannot hold is shown as it was read', () => {
    expect(() => fromJson('d', JSON.parse('1e999'))).toThrow('must be a number within ±1.8e308, not Infinity');
  });

  test('a field that the object only inherits is missing', () => {
    expect(problemOf('(s)<P,toString>', {})).toMatchObject({ path: '/toString' });
  });

  test('nesting without end is refused, not followed', () => {
    const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown;
    expect(problemOf('m', deep).message).toContain('nested deeper');
  });
});

test('an object is described and cannot be sent', () => {
  const member = (uid: number, name: string, signature: string) =>
    [uid, { uid, name, signature, parametersSignature: signature }] as const;
  const object = {
    uid: Uint8Array.of(0xab, 1),
    metaObject: {
      methods: new Map([member(5, 'property', '(m)'), member(100, 'go', '(i)')]),
      signals: new Map([member(101, 'went', '(s)')]),
      properties: new Map(),
    },
  };
  expect(toJson('m', [object])).toEqual([
    { $object: { uid: 'ab01', methods: ['go::(i)'], signals: ['went::(s)'], properties: [] } },
  ]);
  expect(toJson('o', null)).toBeNull();
});

test('base64 is that of the platform', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64');
      expect(toBase64(bytes)).toBe(text);
      expect(fromBase64(text)).toEqual(bytes);
      expect(fromBase64(Buffer.from(bytes).toString('base64url'))).toEqual(bytes);
    }),
  );
  const large = new Uint8Array(100_000).map((_, index) => index * 7);
  expect(toBase64(large)).toBe(Buffer.from(large).toString('base64'));
});

test('the schema says what is accepted', () => {
  expect(jsonSchema('(iL)<P,x,y>')).toEqual({
    title: 'P',
    type: 'object',
    properties: {
      x: { type: 'integer', minimum: -2147483648, maximum: 2147483647 },
      y: { anyOf: [{ type: 'integer' }, { type: 'string', pattern: '^-?\\d+$' }], format: 'int64' },
    },
    required: ['x', 'y'],
    additionalProperties: false,
  });
  expect(jsonSchema('{I[r]}')).toEqual({
    type: 'object',
    propertyNames: { pattern: '^-?\\d+$' },
    additionalProperties: { type: 'array', items: { type: 'string', contentEncoding: 'base64' } },
  });
  expect(jsonSchemaOfArguments('(s)', [{ name: 'text', description: 'to say' }])).toEqual({
    type: 'array',
    minItems: 1,
    maxItems: 1,
    prefixItems: [{ type: 'string', title: 'text', description: 'to say' }],
  });
});

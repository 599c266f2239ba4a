// Finding and replacing the objects inside payloads.
import { expect, test } from 'vitest';
import { rewriteObjects } from '../../protocol/wire/rewrite.ts';
import { Dynamic, decodeValue, encodeValue, NULL_OBJECT, type ObjectReference } from '../../protocol/wire/value.ts';
import { failure } from './failure.ts';

const WITH_UID = { hasUid: true };
const reference = (object: number): ObjectReference => ({
  ...NULL_OBJECT,
  service: 2,
  object,
  uid: new Uint8Array(20).fill(object),
});

function rewrite(signature: string, bytes: Uint8Array): { bytes: Uint8Array; seen: number[] } {
  const seen: number[] = [];
  const rewritten = rewriteObjects(signature, bytes, WITH_UID, WITH_UID, (it) => {
    seen.push(it.object);
    return { ...it, service: 70, object: it.object + 100 };
  });
  return { bytes: rewritten, seen };
}

test('objects are found wherever they are, in order', () => {
  const signature = '(io[o]{so}+o+om(so)<S,name,it>[m]#o)';
  const value = (make: (object: number) => ObjectReference): unknown[] => [
    7,
    make(1),
    [make(2), make(3)],
    { a: make(4), b: make(5) },
    null,
    make(6),
    new Dynamic('(so)', ['text', make(7)]),
    { name: 'x', it: make(8) },
    [new Dynamic('i', 1), new Dynamic('[o]', [make(9)])],
    [make(10)],
  ];
  const { bytes, seen } = rewrite(signature, encodeValue(signature, value(reference)));
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const expected = value((object) => ({ ...reference(object), service: 70, object: object + 100 }));
  expect(decodeValue(signature, bytes, { exact: true })).toEqual(expected);
});

test('a payload that may hold objects and holds none is the same array', () => {
  for (const [signature, value] of [
    ['(sm)', ['key', [1, 'b', { c: null }]]],
    ['[o]', []],
    ['+o', null],
    ['(is)', [1, 'no m at all']],
    ['m', new Dynamic('', null)],
  ] as const) {
    const bytes = encodeValue(signature, value);
    expect(rewrite(signature, bytes).bytes).toBe(bytes);
  }
});

test('bytes behind the value are kept', () => {
  const bytes = Uint8Array.of(...encodeValue('(o)', [reference(1)]), 1, 0, 0, 0, 105);
  expect(rewrite('(o)', bytes).bytes.subarray(-5)).toEqual(Uint8Array.of(1, 0, 0, 0, 105));
});

test('the null object is mapped as well', () => {
  expect(rewrite('o', encodeValue('o', null)).seen).toEqual([0]);
});

test('what mapping throws comes through', () => {
  const refuse = (): never => {
    throw new TypeError('no such object');
  };
  expect(() => rewriteObjects('o', encodeValue('o', null), WITH_UID, WITH_UID, refuse)).toThrow('no such object');
});

test('a value of an unknown type is wire-invalid', () => {
  expect(failure(() => rewrite('(X)', new Uint8Array(10))).code).toBe('wire-invalid');
  expect(failure(() => rewrite('m', encodeValue('s', 'q'))).code).toBe('wire-invalid');
});

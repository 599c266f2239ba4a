// The signature grammar.
import { describe, expect, test } from 'vitest';
import { MAX_DEPTH, MAX_SIGNATURE_BYTES } from '../../protocol/wire/limits.ts';
import { METAOBJECT_SIGNATURE } from '../../protocol/wire/metaobject-signature.ts';
import {
  holdsObjects,
  parseSignature,
  signatureText,
  splitTuple,
  stripAnnotations,
} from '../../protocol/wire/signature.ts';
import { failure } from './failure.ts';

test('every letter of the grammar has its kind', () => {
  const kinds = [...'vbcCwWiIlLfdsrmoX_*'].map((letter) => parseSignature(letter).kind);
  expect(kinds.join(' ')).toBe(
    'void bool int int int int int int int int float double string raw dynamic object unknown none pointer',
  );
  expect(['[i]', '{si}', '(is)', '+i', '#i', '~i'].map((text) => parseSignature(text).kind)).toEqual([
    'list',
    'map',
    'tuple',
    'optional',
    'varargs',
    'kwargs',
  ]);
});

test('integers have bits and sign', () => {
  expect(parseSignature('W')).toMatchObject({ kind: 'int', bits: 16, signed: false, minBytes: 2, isFixed: true });
  expect(parseSignature('l')).toMatchObject({ kind: 'int', bits: 64, signed: true, minBytes: 8, isFixed: true });
});

test('a struct has its name and field names', () => {
  expect(parseSignature('(iis)<Point,x,y,name>')).toMatchObject({ name: 'Point', fieldNames: ['x', 'y', 'name'] });
});

test.each(['(ii)<Point,x>', '(ii)<Point,x,x>', '(ii)<Point,x,y,z>', '(ii)<Point,,y>', '(ii)<Point>', '()<Empty>'])(
  'in %s the fields are not named',
  (text) => {
    expect(parseSignature(text)).not.toHaveProperty('fieldNames');
    expect(parseSignature(text)).toHaveProperty('name');
  },
);

test('an annotation may hold annotations, and stands on any element', () => {
  const text = '({I<id>(I(fff)<MinMaxSum,a,b,c>)<S,n,m<(ff)<T,u,v>,w>>}[s]<names>)';
  const node = parseSignature(text);
  expect(signatureText(node)).toBe(text);
  expect(stripAnnotations(text)).toBe('({I(I(fff))}[s])');
  expect(splitTuple(text)).toEqual(['{I<id>(I(fff)<MinMaxSum,a,b,c>)<S,n,m<(ff)<T,u,v>,w>>}', '[s]<names>']);
});

test('a metaobject has five levels of structs, maps and lists', () => {
  const node = parseSignature(METAOBJECT_SIGNATURE);
  expect(node).toMatchObject({ kind: 'tuple', name: 'MetaObject', holdsObjects: false });
  expect(stripAnnotations(METAOBJECT_SIGNATURE)).toBe('({I(Issss[(ss)]s)}{I(Iss)}{I(Iss)}s)');
});

test.each([
  ['(is)', false],
  ['(i[{s(bd)}])', false],
  ['(is)<moX,o,m>', false],
  ['(io)', true],
  ['[{sm}]', true],
  ['+X', true],
  ['#o', true],
  ['~m', true],
])('%s may hold objects: %s', (text, holds) => {
  expect(holdsObjects(text)).toBe(holds);
});

describe('a wrong signature is wire-invalid at the character', () => {
  test.each([
    ['', 0],
    ['q', 0],
    ['(i', 2],
    ['(i]', 2],
    ['[i', 2],
    ['[ii]', 2],
    ['[]', 1],
    ['{s}', 2],
    ['{sii}', 3],
    ['ii', 1],
    ['+', 1],
    ['i<a', 3],
    ['(i)<a<b>', 8],
    ['i>', 1],
    [')', 0],
    ['#]', 1],
  ])('%j', (text, offset) => {
    expect(failure(() => parseSignature(text))).toMatchObject({ code: 'wire-invalid', data: { offset } });
  });
});

test('nesting and length are bounded', () => {
  expect(parseSignature(`${'['.repeat(MAX_DEPTH - 1)}i${']'.repeat(MAX_DEPTH - 1)}`).depth).toBe(MAX_DEPTH);
  expect(failure(() => parseSignature('['.repeat(1_000_000)))).toMatchObject({ code: 'limit-exceeded' });
  expect(failure(() => parseSignature(`${'['.repeat(MAX_DEPTH)}i${']'.repeat(MAX_DEPTH)}`))).toMatchObject({
    code: 'limit-exceeded',
    data: { limit: 'MAX_DEPTH', maximum: MAX_DEPTH },
  });
  expect(failure(() => parseSignature(`(${'i'.repeat(MAX_SIGNATURE_BYTES)})`))).toMatchObject({
    code: 'limit-exceeded',
    data: { limit: 'MAX_SIGNATURE_BYTES' },
  });
});

test('the same text gives the same tree, and the cache forgets', () => {
  const first = parseSignature('(isb)');
  expect(parseSignature('(isb)')).toBe(first);
  for (let index = 0; index < 20_000; index++) parseSignature(`(i)<N${index},x>`);
  expect(parseSignature('(isb)')).not.toBe(first);
  expect(parseSignature('(isb)')).toEqual(first);
});

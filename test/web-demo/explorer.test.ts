// Forms from signatures: every type can be filled in, wrong entries are told, values are shown.
import { describe, expect, it } from 'vitest';
import { type Draft, DraftError, draftOf, emptyDraft, readDraft } from '../../web-demo/explorer/draft.ts';
import { showValue } from '../../web-demo/explorer/show-value.ts';
import { describeType, parseArguments, parseSignature } from '../../web-demo/explorer/signature.ts';

const read = (signature: string, draft: Draft): unknown => readDraft(parseSignature(signature), draft);

describe('signatures', () => {
  it('become trees with the names of structs and fields', () => {
    expect(parseSignature('[(ff[s])<Point,x,y,tags>]')).toEqual({
      kind: 'list',
      item: {
        kind: 'tuple',
        name: 'Point',
        members: [
          { name: 'x', type: { kind: 'float' } },
          { name: 'y', type: { kind: 'float' } },
          { name: 'tags', type: { kind: 'list', item: { kind: 'string' } } },
        ],
      },
    });
  });

  it('may hold annotations with nested signatures', () => {
    const type = parseSignature('(m(ii)<In<>ner,a,b>)<Outer<{si}>,first,second>');
    expect(type).toMatchObject({ name: 'Outer<{si}>', members: [{ name: 'first' }, { name: 'second' }] });
  });

  it('of a method that takes any arguments say so', () => {
    expect(parseArguments('m')).toBe('any');
    expect(parseArguments('(is)')).toHaveLength(2);
  });

  it.each(['(', 'q', '[s', '{s', '(i)<a', 'ii', ''])('that are none are refused: %s', (signature) => {
    expect(() => parseSignature(signature)).toThrow(/Not a signature/);
  });

  it('can be said in words', () => {
    expect(describeType(parseSignature('{s[I]}'))).toBe('map of text to list of positive integer');
    expect(describeType(parseSignature('+(if)'))).toBe('(integer, number), or nothing');
  });
});

describe('what is filled in', () => {
  it.each<[string, Draft, unknown]>([
    ['b', true, true],
    ['i', ' -12 ', -12],
    ['L', '18446744073709551615', 18446744073709551615n],
    ['d', '1e3', 1000],
    ['s', ' as it is ', ' as it is '],
    ['r', '0a FF:10', new Uint8Array([10, 255, 16])],
    ['r', new Uint8Array([7]), new Uint8Array([7])],
    ['m', '{"a": [1, null]}', { a: [1, null] }],
    ['[i]', ['1', '2'], [1, 2]],
    ['#i', ['1'], [1]],
    ['{si}', [['a', '1']], new Map([['a', 1]])],
    ['+s', null, null],
    ['+s', ['x'], 'x'],
    ['(is)', ['1', 'b'], [1, 'b']],
    ['(ff)<Point,x,y>', ['1', '2.5'], { x: 1, y: 2.5 }],
    ['o', null, null],
  ])('%s: %j', (signature, draft, value) => {
    expect(read(signature, draft)).toEqual(value);
  });

  it.each<[string, Draft, RegExp]>([
    ['i', '1.5', /not a whole number/],
    ['i', '', /not a whole number/],
    ['C', '256', /outside 0 … 255/],
    ['c', '-129', /outside -128 … 127/],
    ['L', '-1', /outside 0/],
    ['f', 'fast', /not a number/],
    ['r', 'abc', /pairs of hexadecimal/],
    ['m', 'hello', /double quotes/],
    [
      '{si}',
      [
        ['a', '1'],
        ['a', '2'],
      ],
      /twice/,
    ],
  ])('is refused with a sentence: %s %j', (signature, draft, sentence) => {
    expect(() => read(signature, draft)).toThrow(DraftError);
    expect(() => read(signature, draft)).toThrow(sentence);
  });

  it.each<[string, unknown]>([
    ['b', true],
    ['l', -5n],
    ['s', 'text'],
    ['r', new Uint8Array([1])],
    ['m', [1, 'a']],
    ['[s]', ['a', 'b']],
    ['+i', null],
    ['+i', 4],
    ['(i(s)<In,name>)<Out,number,inner>', { number: 1, inner: { name: 'x' } }],
  ])('is the value again that a property had: %s', (signature, value) => {
    const type = parseSignature(signature);
    expect(readDraft(type, draftOf(type, value))).toEqual(value);
  });

  it('begins with something that can be sent, for every type', () => {
    for (const signature of ['b', 'i', 'L', 'd', 's', 'r', 'm', '[i]', '{si}', '+s', '(ib)', 'o']) {
      const type = parseSignature(signature);
      expect(() => readDraft(type, emptyDraft(type))).not.toThrow();
    }
  });
});

describe('what is shown', () => {
  it.each<[unknown, string]>([
    ['a "word"', '"a \\"word\\""'],
    [0.10000000149011612, '0.1'],
    [12n, '12'],
    [new Uint8Array([1, 255]), '2 bytes: 01 ff'],
    [[1, [true, null]], '[1, [true, null]]'],
    [new Map([['a', 1]]), '{"a": 1}'],
    [{ x: 1, y: 'b' }, '{x: 1, y: "b"}'],
    [undefined, 'nothing'],
  ])('%s', (value, text) => {
    expect(showValue(value)).toBe(text);
  });

  it('is cut where it is long', () => {
    const text = showValue(Array.from({ length: 5000 }, (_, index) => index));
    expect(text).toContain('4936 more');
    expect(text.length).toBeLessThan(1000);
  });
});

// Conversions between signatures, beside what libqi was recorded to do.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conversionScore, convertValue } from '../../protocol/bus/convert.ts';
import { isQiwayError } from '../../protocol/errors.ts';
import { stripAnnotations } from '../../protocol/wire/signature.ts';
import { Dynamic, decodeValue, encodeValue, Some } from '../../protocol/wire/value.ts';
import { arbitrarySignature, arbitraryTyped } from '../wire/arbitrary-value.ts';
import { failure } from '../wire/failure.ts';

const point = '(iis)<Point,x,y,name>';

describe('values', () => {
  test.each<[string, string, unknown, unknown]>([
    ['i', 'l', 5, 5n],
    ['l', 'i', 5n, 5],
    ['L', 'C', 255n, 255],
    ['d', 'i', -2.9, -2],
    ['d', 'l', 2.9, 2n],
    ['i', 'f', 5, 5],
    ['l', 'd', 5n, 5],
    ['i', 'b', 1, true],
    ['l', 'b', 0n, false],
    ['b', 'i', true, 1],
    ['b', 'l', true, 1n],
    ['d', 'f', Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ['s', 'r', 'hé', Uint8Array.of(0x68, 0xc3, 0xa9)],
    ['s', 'r', Uint8Array.of(0xff), Uint8Array.of(0xff)],
    ['[i]', '[d]', [1, 2], [1, 2]],
    ['[l]', '#i', [1n], [1]],
    ['{si}', '{sl}', { a: 1 }, { a: 1n }],
    ['{is}', '{ls}', new Map([[1, 'a']]), new Map([[1n, 'a']])],
    ['{ii}', '{im}', new Map([[1, 2]]), new Map([[1, new Dynamic('i', 2)]])],
    ['~i', '{sd}', { a: 1 }, { a: 1 }],
    [
      '[(si)]',
      '{sl}',
      [
        ['a', 1],
        ['b', 2],
      ],
      { a: 1n, b: 2n },
    ],
    ['[m]', '{is}', [new Dynamic('(is)', [1, 'x'])], new Map([[1, 'x']])],
    ['(is)', '(ls)', [1, 'a'], [1n, 'a']],
    ['(iis)', point, [1, 2, 'p'], { x: 1, y: 2, name: 'p' }],
    [point, '(lls)', { x: 1, y: 2, name: 'p' }, [1n, 2n, 'p']],
    ['(sii)<Point,name,x,y>', point, { name: 'p', x: 1, y: 2 }, { x: 1, y: 2, name: 'p' }],
    ['(ii)<Pair,a,b>', '(ii)<Point,x,y>', { a: 1, b: 2 }, { x: 1, y: 2 }],
    ['(i)<P,x>', '(i+i)<P,x,y>', { x: 1 }, { x: 1, y: null }],
    [point, '(ii)<Point,y,x>', { x: 1, y: 2, name: 'p' }, { x: 1, y: 2 }],
    ['[i]', '(ii)<P,x,y>', [1, 2], { x: 1, y: 2 }],
    ['{si}', '(ll)<P,x,y>', { x: 1, y: 2, z: 3 }, { x: 1n, y: 2n }],
    ['{sm}', '(i+s)<P,x,y>', { x: new Dynamic('l', 1n) }, { x: 1, y: null }],
    ['i', 'm', 5, new Dynamic('i', 5)],
    ['v', 'm', undefined, new Dynamic('v', null)],
    ['m', 'm', new Dynamic('i', 5), new Dynamic('i', 5)],
    ['m', 'l', new Dynamic('i', 5), 5n],
    ['m', 'i', new Dynamic('m', new Dynamic('d', 5.5)), 5],
    ['[m]', '[d]', [new Dynamic('i', 1), new Dynamic('f', 0.5)], [1, 0.5]],
    ['[i]', '[m]', [1], [new Dynamic('i', 1)]],
    ['i', '+l', 5, 5n],
    ['v', '+l', undefined, null],
    ['m', '+l', new Dynamic('v', null), null],
    ['m', '+l', new Dynamic('', null), null],
    ['m', '+l', new Dynamic('i', 1), 1n],
    ['+i', '+l', null, null],
    ['+i', '+l', 5, 5n],
    ['++i', '++l', new Some(null), new Some(null)],
    ['++i', '++l', new Some(5), new Some(5n)],
    ['i', '++l', 5, new Some(5n)],
    ['+i', 'm', null, new Dynamic('+i', null)],
    ['[_]', '[s]', [], []],
  ])('%s to %s: %o', (from, to, value, expected) => {
    const converted = convertValue(from, to, value);
    expect(converted).toEqual(expected);
    expect(decodeValue(to, encodeValue(to, converted))).toEqual(expected);
  });

  test.each<[string, string, unknown]>([
    ['i', 'C', 256],
    ['i', 'I', -1],
    ['l', 'i', 2n ** 31n],
    ['d', 'i', 1e10],
    ['d', 'l', Number.NaN],
    ['d', 'l', 1e19],
    ['d', 'f', 1e300],
    ['i', 'b', 2],
    ['d', 'b', 0.5],
    ['i', 's', 1],
    ['s', 'i', '1'],
    ['r', 's', Uint8Array.of(1)],
    ['[i]', '{si}', [1]],
    ['{si}', '[i]', { a: 1 }],
    ['[i]', '(ii)', [1]],
    ['(ii)', '(iii)', [1, 2]],
    ['(ii)', '[i]', [1, 2]],
    ['{si}', '(ii)', { a: 1, b: 2 }],
    ['{si}', '(ii)<P,x,y>', { x: 1 }],
    ['(i)<P,x>', '(ii)<P,x,y>', { x: 1 }],
    ['(iii)<P,x,y,z>', '(ii)<Q,x,y>', { x: 1, y: 2, z: 3 }],
    ['+i', 'i', 5],
    ['+i', 'i', null],
    ['m', 'i', new Dynamic('s', '1')],
    ['m', 'i', new Dynamic('+i', 1)],
    ['v', 'i', undefined],
    ['o', 'i', {}],
    ['i', 'o', 1],
    ['i', 'X', 1],
  ])('%s to %s is refused: %o', (from, to, value) => {
    expect(failure(() => convertValue(from, to, value))).toMatchObject({
      code: 'conversion-failed',
      data: { from: expect.any(String), to: expect.any(String) },
    });
  });

  test('the error names the types at the place, and what came', () => {
    expect(failure(() => convertValue('([s])', '([i])', [['a']]))).toMatchObject({
      message: '[conversion-failed] string "a" of type s cannot become i.',
      data: { from: 's', to: 'i' },
    });
  });

  test('a ServiceInfo of an older program, without uid, becomes one with an empty uid, and back; other structs do not', () => {
    const old = '(sI)<ServiceInfo,name,serviceId>';
    const young = '(sIs)<ServiceInfo,name,serviceId,objectUid>';
    expect(convertValue(old, young, { name: 'A', serviceId: 3 })).toEqual({ name: 'A', serviceId: 3, objectUid: '' });
    expect(convertValue(young, old, { name: 'A', serviceId: 3, objectUid: 'u' })).toEqual({ name: 'A', serviceId: 3 });
    const other = '(sIs)<Other,name,serviceId,objectUid>';
    expect(() => convertValue(old, other, { name: 'A', serviceId: 3 })).toThrow('objectUid is missing');
  });

  test('a field of the name __proto__ stays a field', () => {
    const value = Object.fromEntries([['__proto__', 1]]);
    const converted = convertValue('{si}', '{sl}', value) as object;
    expect(Object.entries(converted)).toEqual([['__proto__', 1n]]);
  });

  test('into a dynamic and back nothing is lost', () => {
    fc.assert(
      fc.property(arbitraryTyped, ([signature, value]) => {
        const dynamic = convertValue(signature, 'm', value);
        const back = convertValue('m', signature, dynamic);
        expect(encodeValue(signature, back)).toEqual(encodeValue(signature, value));
      }),
    );
  });

  test('a conversion either fails or gives a value of the other type', () => {
    fc.assert(
      fc.property(arbitraryTyped, arbitrarySignature, ([from, value], to) => {
        let converted: unknown;
        try {
          converted = convertValue(from, to, value);
        } catch (error) {
          expect(isQiwayError(error) && error.code).toBe('conversion-failed');
          return;
        }
        expect(encodeValue(to, converted)).toBeInstanceOf(Uint8Array);
      }),
      { numRuns: 2000 },
    );
  });

  test('names alone cost nothing and never fail', () => {
    fc.assert(
      fc.property(arbitraryTyped, ([from, value]) => {
        const to = stripAnnotations(from);
        expect([conversionScore(from, from), conversionScore(from, to), conversionScore(to, from)]).toEqual([1, 1, 1]);
        const converted = convertValue(from, to, value);
        expect(encodeValue(to, converted)).toEqual(encodeValue(from, value));
        expect(encodeValue(from, convertValue(to, from, converted))).toEqual(encodeValue(from, value));
      }),
    );
  });
});

describe('scores', () => {
  test.each<[string, string, number]>([
    ['i', 'i', 1],
    ['i', 'l', 1],
    ['c', 'L', 1],
    ['f', 'd', 1],
    ['s', 's', 1],
    ['o', 'o', 1],
    ['v', 'v', 1],
    ['m', 'm', 1],
    ['_', 's', 1],
    ['i', 'd', 0.98],
    ['d', 'i', 0.97],
    ['d', 'b', 0.96],
    ['i', 'b', 0.96],
    ['i', 'm', 0.95],
    ['i', 'X', 0.9],
    ['(is)', '(is)', 1],
    ['[i]', '[d]', 1 - 0.95 * 0.02],
    ['{si}', '{sd}', 1 - 0.95 * 0.02],
    ['(dd)', '(ii)', 1 - 0.95 * (1 - 0.97 * 0.97)],
    ['(ii)<P,x,y>', '(ii)<Q,a,b>', 1],
    [
      '(sIsI[s]s)<ServiceInfo,name,serviceId,machineId,processId,endpoints,sessionId>',
      '(sIsI[s]ss)<ServiceInfo,name,serviceId,machineId,processId,endpoints,sessionId,objectUid>',
      0.1,
    ],
    [
      '(sIsI[s]ss)<ServiceInfo,name,serviceId,machineId,processId,endpoints,sessionId,objectUid>',
      '(sIsI[s]s)<ServiceInfo,name,serviceId,machineId,processId,endpoints,sessionId>',
      0.1,
    ],
    ['i', 's', 0],
    ['s', 'i', 0],
    ['[i]', '{si}', 0],
    ['{si}', '[i]', 0],
    ['(ii)', '(iii)', 0],
    ['+i', 'i', 0],
    ['r', 's', 0],
    ['o', 'i', 0],
    ['(is)', '(ss)', 0],
  ])('%s to %s: %d', (from, to, score) => {
    expect(conversionScore(from, to)).toBeCloseTo(score, 10);
  });

  test('what depends on the value is poor, so that the other side is asked', () => {
    for (const [from, to] of [
      ['m', 'i'],
      ['[i]', '(ii)'],
      ['{sm}', '(ii)<P,x,y>'],
      ['[(si)]', '{si}'],
    ] as const) {
      expect(conversionScore(from, to)).toBeGreaterThan(0);
      expect(conversionScore(from, to)).toBeLessThan(0.2);
    }
  });

  test('each loss on the way makes it worse', () => {
    const order = ['(is)', '(ds)', '(bs)', '(ms)', '(mm)'];
    const scores = order.map((to) => conversionScore('(is)', to));
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(new Set(scores).size).toBe(scores.length);
  });
});

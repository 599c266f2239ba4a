// The choice among overloads, beside what libqi was recorded to choose.
import { describe, expect, test } from 'vitest';
import { argumentSignature } from '../../protocol/bus/argument-signature.ts';
import { chooseMethod, type MethodSignature } from '../../protocol/bus/overload.ts';
import { METAOBJECT_SIGNATURE } from '../../protocol/wire/metaobject-signature.ts';
import { Dynamic, decodeValue, encodeValue, NULL_OBJECT } from '../../protocol/wire/value.ts';
import { fromHex, readRecording, toHex } from '../vectors/recording.ts';
import { failure } from '../wire/failure.ts';

const recording = readRecording('overloads');

/** The methods of the recorded service. */
const echo: readonly MethodSignature[] = (() => {
  const reply = recording.messages.find(({ note }) => note === 'Reply to Echo.metaObject');
  const { methods } = decodeValue(METAOBJECT_SIGNATURE, fromHex(reply?.payloadHex ?? '')) as {
    methods: Map<number, MethodSignature>;
  };
  return [...methods.values()];
})();

describe('the calls that libqi made', () => {
  test.each<[string, unknown[], number]>([
    ['over', [1], 14],
    ['over', ['s'], 16],
    ['over', [1, 2], 18],
    ['over', [[1]], 20],
    ['over', [1, 's'], 22],
    ['over', [], 24],
    ['overNum', [1], 26],
    ['overDyn', [1], 30],
    ['overDyn', ['s'], 32],
    ['over::(s)', ['x'], 34],
    ['echoDouble', [3], 36],
    ['echoInt32', [3], 38],
    ['echoDynamic', [5], 44],
  ])('%s %j', (name, args, n) => {
    const recorded = recording.messages.find((message) => message.n === n && message.dir === 'c2s');
    const { method, signature, value } = chooseMethod(echo, name, args);
    expect(method.uid).toBe(recorded?.header.action);
    expect(toHex(encodeValue(signature, value))).toBe(recorded?.payloadHex);
  });

  test('a number with a fraction takes the float', () => {
    expect(chooseMethod(echo, 'overNum', [1.5]).signature).toBe('(f)');
  });

  test('a method that takes any arguments gets their tuple in a dynamic', () => {
    const choice = chooseMethod(echo, 'countArguments', [1, 'b', 3.5]);
    expect(choice.signature).toBe('m');
    expect(choice.value).toEqual(new Dynamic('(isd)', [1, 'b', 3.5]));
  });
});

/** Methods named `f` with these parameters; chosen is told by its parameters. */
function choose(
  parameters: string[],
  args: unknown[],
  name = 'f',
  options?: Parameters<typeof chooseMethod>[3],
): string {
  const methods = parameters.map((parametersSignature, uid) => ({ uid, name: 'f', parametersSignature }));
  return chooseMethod([...methods, { uid: 99, name: 'g', parametersSignature: '(i)' }], name, args, options).signature;
}

describe('numbers', () => {
  test.each<[string[], unknown, string]>([
    [['(i)', '(d)'], 1, '(i)'],
    [['(d)', '(i)'], 1, '(i)'],
    [['(i)', '(d)'], 1.5, '(d)'],
    [['(f)', '(d)'], 1, '(d)'],
    [['(f)', '(d)'], 1.5, '(d)'],
    [['(i)', '(l)', '(d)'], 2 ** 40, '(l)'],
    [['(i)', '(d)'], 2 ** 60, '(d)'],
    [['(c)', '(w)', '(I)', '(i)', '(l)', '(L)'], 7, '(i)'],
    [['(c)', '(C)', '(w)', '(W)'], 200, '(w)'],
    [['(C)', '(i)'], -1, '(i)'],
    [['(i)', '(m)'], 1, '(i)'],
    [['(s)', '(m)'], 1, '(m)'],
    [['(b)', '(i)'], 1, '(i)'],
    [['(b)', '(s)'], 1, '(b)'],
    [['(l)', '(i)'], 5n, '(l)'],
    [['(l)', '(L)'], 2n ** 63n, '(L)'],
    [['(i)', '(d)'], 5n, '(i)'],
  ])('among %j %s takes %s', (parameters, value, chosen) => {
    expect(choose(parameters, [value])).toBe(chosen);
  });
});

describe('other values', () => {
  const lamp = { lamp: true };
  const objects = { read: () => lamp, is: (value: unknown) => value === lamp, write: () => NULL_OBJECT };

  test.each<[string[], unknown, string]>([
    [['(b)', '(i)', '(m)'], true, '(b)'],
    [['(s)', '(r)', '(m)'], 'a', '(s)'],
    [['(s)', '(r)', '(m)', '([C])'], Uint8Array.of(1), '(r)'],
    [['([i])', '([d])', '(r)'], Float64Array.of(1), '([d])'],
    [['([i])', '([d])'], [1, 2], '([i])'],
    [['([i])', '([d])'], [1, 2.5], '([d])'],
    [['([s])', '([i])', '([m])'], ['a', 1], '([m])'],
    [['((is))', '([m])'], [1, 'a'], '((is))'],
    [['((ii))', '([i])'], [1, 2], '([i])'],
    [['({si})', '((ii)<P,x,y>)'], { x: 1, y: 2 }, '((ii)<P,x,y>)'],
    [['({si})', '((ii)<P,x,y>)'], { x: 1, z: 2 }, '({si})'],
    [['({si})', '((i)<P,x>)'], { x: 1, y: 2 }, '({si})'],
    [['({ss})', '((is)<P,x,y>)'], { x: 1, y: 'a' }, '((is)<P,x,y>)'],
    [['((ii)<P,x,y>)', '((ii)<Q,a,b>)'], { a: 1, b: 2 }, '((ii)<Q,a,b>)'],
    [['({si})', '({is})'], new Map([[1, 'a']]), '({is})'],
    [['(+i)', '(i)'], null, '(+i)'],
    [['(o)', '(i)'], null, '(o)'],
    [['(o)', '({sm})', '(m)'], lamp, '(o)'],
    [['(m)', '({sm})'], lamp, '(m)'],
    [['(o)', '({sm})'], NULL_OBJECT, '(o)'],
    [['(m)', '(i)'], new Dynamic('i', 1), '(m)'],
  ])('among %j %o takes %s', (parameters, value, chosen) => {
    expect(choose(parameters, [value], 'f', { objects })).toBe(chosen);
  });
});

describe('the number of arguments', () => {
  test('the only method of that many is taken whatever the types', () => {
    expect(choose(['(i)', '(ii)'], ['no number'])).toBe('(i)');
  });

  test('a method that takes any arguments is taken when no other fits', () => {
    expect(choose(['(i)', 'm'], [1])).toBe('(i)');
    expect(choose(['(i)', 'm'], ['a'])).toBe('m');
    expect(choose(['(i)', 'm'], [1, 2])).toBe('m');
  });

  test('variable arguments are one list', () => {
    expect(choose(['(#i)'], [[1, 2]])).toBe('(#i)');
    expect(failure(() => choose(['(#i)'], [1, 2])).code).toBe('argument-mismatch');
  });

  test('with none of that many, the candidates are named', () => {
    expect(failure(() => choose(['(i)', '(is)'], [1, 's', true]))).toMatchObject({
      code: 'argument-mismatch',
      message: '[argument-mismatch] f takes (i) or (is), not (isb).',
      data: { candidates: ['f::(i)', 'f::(is)'] },
    });
  });
});

test('a full name picks the method, whatever fits better', () => {
  expect(choose(['(i)', '(d)'], [1], 'f::(d)')).toBe('(d)');
  expect(choose(['((ii)<P,x,y>)', '(i)'], [[1, 2]], 'f::((ii))')).toBe('((ii)<P,x,y>)');
});

test('a full name that is not there is a mismatch; a name that is not there is not found', () => {
  expect(failure(() => choose(['(i)'], [1], 'f::(s)'))).toMatchObject({
    code: 'argument-mismatch',
    data: { candidates: ['f::(i)'] },
  });
  expect(failure(() => choose(['(i)'], [1], 'h'))).toMatchObject({ code: 'member-not-found', data: { member: 'h' } });
});

test('types that fit none are a mismatch that says what came', () => {
  expect(failure(() => choose(['(i)', '([s])'], [() => 1])).message).toBe(
    '[argument-mismatch] f takes (i) or ([s]), not (function).',
  );
});

test('two that fit equally well are a mismatch that names them', () => {
  expect(failure(() => choose(['([i])', '([s])'], [[]]))).toMatchObject({
    code: 'argument-mismatch',
    data: { candidates: ['f::([i])', 'f::([s])'] },
  });
});

test('the signature of arguments is the tuple of theirs', () => {
  expect(argumentSignature([1, 'b', 2.5, [1], null, { a: 1 }])).toBe('(isd[i]v{si})');
  expect(argumentSignature([])).toBe('()');
});

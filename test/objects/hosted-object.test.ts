// Hosted objects as a peer sees them: payloads in, payloads out, in the words of libqi.
import type { Payload } from '@qiway/protocol/bus/bus';
import { QiwayError } from '@qiway/protocol/errors';
import {
  type CallContext,
  createObject,
  type HostedObject,
  method,
  property,
  signal,
} from '@qiway/protocol/objects/hosted-object';
import { Dynamic } from '@qiway/protocol/wire/value';
import { describe, expect, it } from 'vitest';
import { ask, listen, type Outcome, payload, start } from '../support/hosted-calls.ts';

describe('a hosted object', () => {
  it('numbers methods, then signals, then properties from 100, overloads one after the other', () => {
    const { metaObject } = createObject({
      count: property('i', 0),
      ping: signal('(s)'),
      over: [method('(i)', 's', () => ''), method('(s)', 's', () => '')],
      plain: (one: unknown, two: unknown) => [one, two],
    });
    expect(
      [...metaObject.methods.values()]
        .filter(({ uid }) => uid >= 100)
        .map(({ uid, name, parametersSignature }) => `${uid} ${name}::${parametersSignature}`),
    ).toEqual(['100 over::(i)', '101 over::(s)', '102 plain::(mm)']);
    expect(
      [...metaObject.signals.values()].map(({ uid, name, signature }) => `${uid} ${name}::${signature}`).slice(1),
    ).toEqual(['103 ping::(s)', '104 count::(i)']);
    expect(metaObject.properties.get(104)).toEqual({ uid: 104, name: 'count', signature: 'i' });
    expect(metaObject.methods.get(5)?.name).toBe('property');
  });

  it('refuses a declaration that is no signature, naming the member', () => {
    expect(() => createObject({ bad: method('i', 'v', () => {}) })).toThrow(
      /"bad" is declared with "i", which is not a tuple/,
    );
    expect(() => createObject({ bad: property('{s', 0) })).toThrow(/"bad".*not a signature/);
    expect(() => createObject({ bad: 7 as never })).toThrow(/"bad"/);
  });

  it('tells names and descriptions of methods and parameters', () => {
    const { metaObject } = createObject(
      {
        say: method('(si)', 'v', () => {}, {
          description: 'Says it.',
          parameters: ['text', { name: 'times', description: 'how often' }],
          returnDescription: 'nothing',
        }),
      },
      { description: 'A speaker.' },
    );
    expect(metaObject.description).toBe('A speaker.');
    expect(metaObject.methods.get(100)).toMatchObject({
      description: 'Says it.',
      parameters: [
        { name: 'text', description: '' },
        { name: 'times', description: 'how often' },
      ],
      returnDescription: 'nothing',
    });
  });

  it('answers with the value, the resolved value, or the words of what was thrown', async () => {
    const object = createObject({
      add: method('(ii)', 'i', (one: number, two: number) => one + two),
      later: method('()', 's', async () => 'later'),
      fail: method('(s)', 'i', (text: string) => {
        throw new Error(text);
      }),
      failLater: method('(s)', 'i', (text: string) => Promise.reject(new Error(text))),
      lie: method('()', 'i', () => 'no number'),
      nothing: method('()', 'v', () => 5),
    });
    expect(await ask(object, 100, '(ii)', [2, 3])).toEqual({ signature: 'i', reply: 5 });
    expect(await ask(object, 101, '()', [])).toEqual({ signature: 's', reply: 'later' });
    expect(await ask(object, 102, '(s)', ['my message'])).toEqual({ error: 'call-failed', text: 'my message' });
    expect(await ask(object, 103, '(s)', ['later'])).toEqual({ error: 'call-failed', text: 'later' });
    expect(await ask(object, 104, '()', [])).toMatchObject({
      error: 'call-failed',
      text: expect.stringContaining('returned what it does not declare'),
    });
    expect(await ask(object, 105, '()', [])).toEqual({ signature: 'v', reply: undefined });
  });

  it('gives a method that takes any arguments what the dynamic holds', async () => {
    const object = createObject({ count: method('m', 'm', (...args: unknown[]) => args.length - 1) });
    expect(await ask(object, 100, 'm', new Dynamic('(isd)', [1, 'b', 3]))).toEqual({ signature: 'm', reply: 3 });
    expect(await ask(object, 100, 'm', new Dynamic('i', 7))).toEqual({ signature: 'm', reply: 1 });
  });

  it('keeps 64-bit integers exact where they are declared', async () => {
    const object = createObject({ echo: method('(L)', 'L', (value: bigint) => value) });
    expect(await ask(object, 100, '(L)', [2n ** 63n])).toEqual({ signature: 'L', reply: 2n ** 63n });
  });
});

describe('a hosted object, given a dynamic payload (flag 1)', () => {
  const object = createObject({ echoInt32: method('(i)', 'i', (value: number) => value) });

  it('converts the arguments', async () => {
    expect(await ask(object, 100, 'm', new Dynamic('(d)', [7]))).toEqual({ signature: 'i', reply: 7 });
  });

  it('says what cannot be converted in libqi’s words', async () => {
    const words = (from: string): string =>
      `Call argument number 0 conversion failure from ${from} to Int32. Function signature: (Int32).`;
    expect(await ask(object, 100, 'm', new Dynamic('(s)', ['abc']))).toEqual({
      error: 'call-failed',
      text: words('String'),
    });
    expect(await ask(object, 100, 'm', new Dynamic('(l)', [1_099_511_627_776n]))).toEqual({
      error: 'call-failed',
      text: words('Int64'),
    });
  });

  it('answers a payload that ends too early as libqi does', async () => {
    const short: Payload = { signature: '(i)', bytes: new Uint8Array(2), objects: [] };
    expect(await start(object, { action: 100, payload: short }).outcome).toEqual({
      error: 'call-failed',
      text: 'ISerialization error Status Read Past End',
    });
  });
});

describe('a hosted object, asked for a return type (flag 2)', () => {
  const object = createObject({ echoInt32: method('(i)', 'i', (value: number) => value) });
  const asked = (returnSignature: string): Promise<Outcome> =>
    start(object, { action: 100, payload: payload('(i)', [7]), returnSignature }).outcome;

  it('converts the result', async () => {
    let given: Payload | undefined;
    object.call(
      { action: 100, payload: payload('(i)', [7]), returnSignature: 'd' },
      { reply: (one) => (given = one), error: () => {}, canceled: () => {} },
    );
    expect(given?.signature).toBe('m');
    expect(Buffer.from(given?.bytes ?? []).toString('hex')).toBe('01000000640000000000001c40');
    expect(await asked('d')).toEqual({ signature: 'm', reply: 7 });
  });

  it('refuses before the call what can never be converted', async () => {
    expect(await asked('s')).toEqual({
      error: 'call-failed',
      text: 'Call error: will not be able to convert return type from i to s',
    });
  });
});

describe('cancelling a call on a hosted object', () => {
  const slow = (context: CallContext): Promise<number> =>
    new Promise((_, reject) => context.onCancel(() => reject(new QiwayError('canceled', 'stopped'))));

  it('ends as cancelled when the method stops', async () => {
    const object = createObject({ slow: method('()', 'i', slow) });
    const { outcome, cancel } = start(object, { action: 100, payload: payload('()', []) });
    cancel();
    expect(await outcome).toBe('canceled');
  });

  it('answers as usual when the method does not listen', async () => {
    let finish = (_: number): void => {};
    const object = createObject({
      stubborn: method('()', 'i', () => new Promise<number>((resolve) => (finish = resolve))),
    });
    const { outcome, cancel } = start(object, { action: 100, payload: payload('()', []) });
    cancel();
    finish(2);
    expect(await outcome).toEqual({ signature: 'i', reply: 2 });
  });

  it('stops a method that begins to listen after it was cancelled', async () => {
    let listenNow = (): void => {};
    const object = createObject({
      slow: method('()', 'i', async (context: CallContext) => {
        await new Promise<void>((resolve) => (listenNow = resolve));
        return slow(context);
      }),
    });
    const { outcome, cancel } = start(object, { action: 100, payload: payload('()', []) });
    cancel();
    listenNow();
    expect(await outcome).toBe('canceled');
  });
});

describe('properties of a hosted object', () => {
  function counter(set?: (value: never) => unknown): HostedObject {
    return createObject({ count: property('i', 0, set === undefined ? {} : { set }), anything: property('m', 'x') });
  }

  it('are read by id or name, set with conversion, and tell their subscribers', async () => {
    const object = counter();
    const { events } = listen(object, 100);
    expect(await ask(object, 5, '(m)', [new Dynamic('I', 100)])).toEqual({ signature: 'm', reply: 0 });
    expect(await ask(object, 6, '(mm)', ['count', new Dynamic('d', 42)])).toEqual({ signature: 'v', reply: undefined });
    expect(await ask(object, 5, '(m)', ['count'])).toEqual({ signature: 'm', reply: 42 });
    expect(await ask(object, 7, '()', [])).toEqual({ signature: '[s]', reply: ['count', 'anything'] });
    expect(events).toEqual([[42]]);
    expect(object.get('count')).toBe(42);
    object.set('count', 43);
    expect(events).toEqual([[42], [43]]);
  });

  it('answer bad keys in libqi’s words', async () => {
    const object = counter();
    const text = async (key: Dynamic): Promise<unknown> =>
      ((await ask(object, 5, '(m)', [key])) as { text: string }).text;
    expect(await text(new Dynamic('s', 'nope'))).toBe('property "nope" was not found');
    expect(await text(new Dynamic('I', 9999))).toBe('property: Id is not id of a property');
    expect(await text(new Dynamic('d', 100))).toBe('Expected int or string for property index');
    expect(await ask(object, 6, '(mm)', ['count', 'no'])).toEqual({
      error: 'call-failed',
      text: 'setProperty: Conversion from s to i failed ',
    });
    expect(object.get('count')).toBe(0);
  });

  it('keep the very type of a dynamic', async () => {
    const object = counter();
    const point = new Dynamic('(iis)<Point,x,y,name>', { x: 7, y: 8, name: 'nine' });
    await ask(object, 6, '(mm)', ['anything', point]);
    let given: Payload | undefined;
    object.call(
      { action: 5, payload: payload('(m)', ['anything']) },
      { reply: (one) => (given = one), error: () => {}, canceled: () => {} },
    );
    expect(Buffer.from(given?.bytes ?? [])).toEqual(Buffer.from(payload('m', point).bytes));
  });

  it('may refuse a value, or store another, at once or later', async () => {
    const clamp = counter((value: number) => {
      if (value < 0) throw new Error('not below zero');
      return Math.min(value, 100);
    });
    expect(await ask(clamp, 6, '(mm)', ['count', -1])).toEqual({ error: 'call-failed', text: 'not below zero' });
    await ask(clamp, 6, '(mm)', ['count', 300]);
    expect(clamp.get('count')).toBe(100);
    const later = counter(async (value: number) => value * 2);
    await ask(later, 6, '(mm)', ['count', 4]);
    expect(later.get('count')).toBe(8);
  });

  it('are not emitted by a post to their id, which would tell a value that is not stored', () => {
    const object = counter();
    const { events } = listen(object, 100);
    object.post(100, payload('(i)', [5]));
    expect(events).toEqual([]);
  });
});

describe('signals of a hosted object', () => {
  it('reach every subscriber until it leaves', async () => {
    const object = createObject({ word: signal('(si)') });
    const one = listen(object, 100);
    const two = listen(object, 100);
    object.emit('word', 'hello', 1);
    await one.close();
    object.emit('word', 'again', 2);
    expect(one.events).toEqual([['hello', 1]]);
    expect(two.events).toEqual([
      ['hello', 1],
      ['again', 2],
    ]);
  });

  it('are emitted by a post, also with a dynamic payload', () => {
    const object = createObject({ word: signal('(s)') });
    const { events } = listen(object, 100);
    object.post(100, payload('(s)', ['posted']));
    object.post(100, payload('m', new Dynamic('(s)', ['too'])));
    object.post(100, payload('m', new Dynamic('(i)', [5])));
    expect(events).toEqual([['posted'], ['too']]);
  });

  it('refuse what does not fit, and names that are none', () => {
    const object = createObject({ word: signal('(s)') });
    expect(() => object.emit('word', 5)).toThrow(/\[invalid-argument\] argument 1: expected a string/);
    expect(() => object.emit('wort', 'x')).toThrow(/\[member-not-found\].*Did you mean word\?/);
    expect(() => object.get('word')).toThrow(/is a signal, not a property/);
  });

  it('cannot be subscribed to when there are none of that id', async () => {
    const { ready } = createObject({}).subscribe(100, { event: () => {}, gone: () => {} });
    await expect(ready).rejects.toMatchObject({ code: 'call-failed' });
  });
});

describe('references of a hosted object', () => {
  it('end it with the last: subscribers and listeners hear of it once, calls are refused', async () => {
    const object = createObject({ word: signal('(s)'), ping: method('()', 's', () => 'pong') });
    const { gone } = listen(object, 101);
    const heard: string[] = [];
    object.onGone((error) => heard.push(error.code));
    object.retain();
    object.release();
    expect(object.goneWith).toBeUndefined();
    object.release();
    expect([gone, heard]).toEqual([['object-gone'], ['object-gone']]);
    expect(await ask(object, 100, '()', [])).toMatchObject({ error: 'object-gone' });
  });

  it('tell the maker when nobody else holds the object', () => {
    let unused = 0;
    const object = createObject({}, { onUnused: () => (unused += 1) });
    object.retain();
    object.retain();
    object.release();
    expect(unused).toBe(0);
    object.release();
    expect(unused).toBe(1);
  });

  it('of objects in a payload are dropped when the call is refused', async () => {
    const child = createObject({});
    let isGone = false;
    child.onGone(() => (isGone = true));
    const object = createObject({ take: method('(io)', 'v', () => {}) });
    const given = payload('(so)', ['x', child]);
    child.release();
    expect(await start(object, { action: 100, payload: { ...given, signature: '(so)' } }).outcome).toMatchObject({
      error: 'call-failed',
    });
    expect(isGone).toBe(true);
  });
});

describe('statistics of a hosted object', () => {
  it('count and time the calls while they are enabled', async () => {
    let nowMs = 1000;
    const work = (ms: number): void => {
      nowMs += ms;
    };
    const object = createObject({ work: method('(i)', 'v', work) }, { now: () => nowMs });
    await ask(object, 100, '(i)', [5]);
    await ask(object, 81, '(b)', [true]);
    expect(await ask(object, 80, '()', [])).toEqual({ signature: 'b', reply: true });
    await ask(object, 100, '(i)', [500]);
    await ask(object, 100, '(i)', [1500]);
    const zero = { minValue: 0, maxValue: 0, cumulatedValue: 0 };
    const { reply } = (await ask(object, 82, '()', [])) as { reply: Map<number, unknown> };
    expect(reply.get(100)).toEqual({
      count: 2,
      wall: { minValue: 0.5, maxValue: 1.5, cumulatedValue: 2 },
      user: zero,
      system: zero,
    });
    await ask(object, 83, '()', []);
    // The methods of statistics count too, as with libqi: the one that cleared was under way.
    const after = (await ask(object, 82, '()', [])) as { reply: Map<number, unknown> };
    expect([...after.reply.keys()]).toEqual([83]);
  });

  it('traces calls and their outcomes to who listens', async () => {
    const object = createObject(
      { fail: method('()', 'v', () => Promise.reject(new Error('no'))) },
      { now: () => 1_500_000.25 },
    );
    const { events } = listen(object, 86);
    await ask(object, 100, '()', []);
    expect(events).toMatchObject([
      [{ id: 1, kind: 1, slotId: 100, timestamp: { tv_sec: 1500n, tv_usec: 250n } }],
      [{ id: 1, kind: 3, arguments: 'no' }],
    ]);
  });
});

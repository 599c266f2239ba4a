// Methods of remote objects over a session in memory: what a page writes, and what reaches the robot.
import { QiwayError } from '@qiway/protocol/errors';
import {
  type CallContext,
  createObject,
  type HostedObject,
  type Members,
  method,
  property,
  signal,
} from '@qiway/protocol/objects/hosted-object';
import type { RemoteObject } from '@qiway/protocol/objects/remote-types';
import { describe, expect, it } from 'vitest';
import { refusal, serve } from '../support/remote-thing.ts';
import { settled } from '../support/virtual-clock.ts';

describe('methods of a remote object', () => {
  interface Speaker {
    say(text: string): string;
    over(value: number): string;
    over(value: string): string;
    over(): string;
    count(...args: unknown[]): number;
    nothing(): void;
    'over::(d)'(value: number): string;
    'say::(s)'(text: string): string;
  }
  const members: Members = {
    say: method('(s)', 's', (text: string) => `said ${text}`, { parameters: ['text'] }),
    over: [
      method('(i)', 's', () => 'int'),
      method('(d)', 's', () => 'double'),
      method('(s)', 's', () => 'string'),
      method('()', 's', () => 'none'),
    ],
    count: method('m', 'i', (...args: unknown[]) => args.length - 1),
    nothing: method('()', 'v', () => {}),
  };

  it('are called with their arguments and resolve to the result', async () => {
    const { service } = await serve<Speaker>(members);
    expect(await service.say('hi')).toBe('said hi');
    expect(await service.nothing()).toBeUndefined();
    expect(await service.count(1, 'b', 2.5, null)).toBe(4);
  });

  it('are chosen among overloads by the arguments, or by full name', async () => {
    const { service } = await serve<Speaker>(members);
    expect(await service.over(1)).toBe('int');
    expect(await service.over(1.5)).toBe('double');
    expect(await service.over('x')).toBe('string');
    expect(await service.over()).toBe('none');
    expect(await service['over::(d)'](1)).toBe('double');
    expect(await service['say::(s)']('full')).toBe('said full');
  });

  it('refuse wrong arguments before anything is sent, saying what is expected', async () => {
    const { service, session } = await serve<Speaker>(members);
    const loose = service as unknown as RemoteObject;
    const type = await refusal(loose['say']!(5));
    expect(type.code).toBe('invalid-argument');
    expect(type.message).toBe('[invalid-argument] say(text: s): argument 1: expected a string (s), got number 5.');
    const few = await refusal(loose['say']!());
    expect(few.code).toBe('argument-mismatch');
    expect(few.message).toBe('[argument-mismatch] say is say(text: s); it was given 0 arguments.');
    expect(few.data).toEqual({ candidates: ['say::(s)'] });
    expect(await refusal(loose['over']!(true))).toMatchObject({
      code: 'argument-mismatch',
      data: { candidates: ['over::(i)', 'over::(d)', 'over::(s)'] },
    });
    expect(session.counts.pendingCalls).toBe(0);
  });

  it('throw at the access when there is no such member, with the nearest names', async () => {
    const { service } = await serve<Speaker>(members);
    const loose = service as unknown as RemoteObject;
    expect(() => loose['sai']).toThrow('[member-not-found] The object has no member "sai". Did you mean say?');
    expect(() => loose['over::(r)']).toThrow(/member-not-found/);
    expect(() => {
      (loose as Record<string, unknown>)['say'] = 1;
    }).toThrow(/cannot be assigned/);
  });

  it('are reached under their bare name as far as the machinery of JavaScript allows', async () => {
    const { service } = await serve<Record<string, (...args: unknown[]) => unknown>>({
      // biome-ignore lint/suspicious/noThenProperty: the very thing under test
      then: method('()', 's', () => 'robot then'),
      toJSON: method('()', 's', () => 'robot toJSON'),
      constructor: method('()', 's', () => 'robot constructor'),
      release: method('()', 's', () => 'robot release'),
      toString: method('()', 's', () => 'robot toString'),
    });
    expect(await service).toBe(service);
    expect(JSON.stringify({ service })).toBe('{"service":{}}');
    expect(String(service)).toBe('[object RemoteObject]');
    for (const name of ['then', 'toJSON', 'constructor', 'release', 'toString'])
      expect(await service[`${name}::()`]!()).toBe(`robot ${name}`);
    expect(service.release()).toBeUndefined();
  });

  it('are listed as own keys, for completion and explorers', async () => {
    const { service } = await serve<Speaker>({ ...members, word: signal('(s)'), volume: property('i', 1) });
    expect(Object.keys(service)).toEqual(['say', 'over', 'count', 'nothing', 'word', 'volume']);
    expect('say' in service).toBe(true);
    expect('sya' in service).toBe(false);
  });

  it('reject with the very words of the service', async () => {
    const { service } = await serve<Speaker>({ say: method('(s)', 's', () => Promise.reject(new Error('no voice'))) });
    expect(await refusal(service.say('x'))).toMatchObject({
      code: 'call-failed',
      message: '[call-failed] no voice',
      data: { text: 'no voice' },
    });
  });

  it('are posted without an answer', async () => {
    const said: string[] = [];
    const { service } = await serve<Speaker>({ say: method('(s)', 's', (text: string) => said.push(text)) });
    expect(service.say.post('quietly')).toBeUndefined();
    await settled();
    expect(said).toEqual(['quietly']);
  });
});

describe('a call of a remote object that takes too long', () => {
  interface Slow {
    slow(): number;
  }

  function slowly(): { members: Members; canceled: () => number; finish: () => void } {
    let canceled = 0;
    let finish = (): void => {};
    const slow = (context: CallContext): Promise<number> =>
      new Promise((resolve, reject) => {
        finish = () => resolve(7);
        context.onCancel(() => {
          canceled += 1;
          reject(new QiwayError('canceled', 'stopped'));
        });
      });
    return { members: { slow: method('()', 'i', slow) }, canceled: () => canceled, finish: () => finish() };
  }

  it('is cancelled on the robot by an AbortSignal, and rejects at once', async () => {
    const { members, canceled } = slowly();
    const { service, session } = await serve<Slow>(members);
    const abort = new AbortController();
    const call = refusal(service.slow.with({ signal: abort.signal })());
    await settled();
    abort.abort(new Error('enough'));
    expect(await call).toMatchObject({ code: 'canceled', maybeExecuted: true, cause: new Error('enough') });
    await settled();
    expect(canceled()).toBe(1);
    expect(session.counts.pendingCalls).toBe(0);
  });

  it('is not even sent when the signal is aborted already', async () => {
    const { members, canceled } = slowly();
    const { service, session } = await serve<Slow>(members);
    const call = service.slow.with({ signal: AbortSignal.abort() })();
    expect(session.counts.pendingCalls).toBe(0);
    expect(await refusal(call)).toMatchObject({ code: 'canceled', maybeExecuted: false });
    expect(canceled()).toBe(0);
  });

  it('ends with a time-out of its own, and is cancelled on the robot', async () => {
    const { members, canceled } = slowly();
    const { service, door } = await serve<Slow>(members);
    const call = refusal(service.slow.with({ timeoutMs: 200 })());
    await door.clock.advance(200);
    expect(await call).toMatchObject({ code: 'timeout', maybeExecuted: true, data: { timeoutMs: 200 } });
    await settled();
    expect(canceled()).toBe(1);
  });

  it.each([-1, Number.NaN])('cannot have %d ms', async (timeoutMs) => {
    const { service } = await serve<Slow>(slowly().members);
    expect(() => service.slow.with({ timeoutMs })).toThrow('[invalid-argument] timeoutMs is 0 (for ever) or more');
  });

  it('ends with the default time-out, each call at its own time', async () => {
    const { members } = slowly();
    const { service, door } = await serve<Slow>(members);
    const ended: string[] = [];
    const first = refusal(service.slow()).then((error) => ended.push(`first ${error.code}`));
    await door.clock.advance(10_000);
    const second = refusal(service.slow()).then((error) => ended.push(`second ${error.code}`));
    await door.clock.advance(19_999);
    expect(ended).toEqual([]);
    await door.clock.advance(1);
    expect(ended).toEqual(['first timeout']);
    await door.clock.advance(10_000);
    await Promise.all([first, second]);
    expect(ended).toEqual(['first timeout', 'second timeout']);
  });

  it('waits for ever when told so', async () => {
    const { members, finish } = slowly();
    const { service, door } = await serve<Slow>(members);
    const call = service.slow.with({ timeoutMs: 0 })();
    await door.clock.advance(100_000);
    finish();
    expect(await call).toBe(7);
  });

  it('drops the objects of an answer that comes too late', async () => {
    let answer = (_: HostedObject): void => {};
    const child = createObject({});
    const { service, session, door } = await serve<{ make(): object }>({
      make: method('()', 'o', () => new Promise((resolve) => (answer = resolve))),
    });
    const call = refusal(service.make.with({ timeoutMs: 5 })());
    await door.clock.advance(5);
    await call;
    const before = session.counts.remoteObjects;
    answer(child);
    await settled();
    expect(session.counts.remoteObjects).toBe(before);
    let isUnused = false;
    child.onGone(() => (isUnused = true));
    child.release();
    expect(isUnused).toBe(true);
  });
});

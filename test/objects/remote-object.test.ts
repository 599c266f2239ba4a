// Remote objects over a session in memory: what a page writes, and what reaches the robot.
import type { BusObject } from '@qiway/protocol/bus/bus';
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
import { createRemoteObjects, type RemoteObjects } from '@qiway/protocol/objects/remote-objects';
import type { Property, RemoteObject, Signal } from '@qiway/protocol/objects/remote-types';
import type { ClientSession } from '@qiway/protocol/session/client-session';
import { describe, expect, it } from 'vitest';
import type { Subscription } from '../../protocol/bus/bus.ts';
import { type MemoryDoor, memoryDoor } from '../support/memory-session.ts';
import { settled } from '../support/virtual-clock.ts';

interface Fixture<T> {
  readonly door: MemoryDoor;
  readonly session: ClientSession;
  readonly hosted: HostedObject;
  readonly objects: RemoteObjects;
  readonly service: RemoteObject<T>;
  readonly reported: unknown[];
}

async function serve<T>(members: Members): Promise<Fixture<T>> {
  const door = memoryDoor();
  const hosted = createObject(members);
  await door.bus.host('Thing', hosted);
  const session = await door.open();
  const reported: unknown[] = [];
  const objects = createRemoteObjects({ clock: door.clock, report: (error) => reported.push(error) });
  const service = objects.wrap<T>(await session.service('Thing'));
  return { door, session, hosted, objects, service, reported };
}

/** What a promise rejects with. */
async function refusal(promise: Promise<unknown>): Promise<QiwayError> {
  try {
    await promise;
  } catch (error) {
    return error as QiwayError;
  }
  throw new Error('it did not reject');
}

/** Registrations at the agent; the session itself has two, at the directory. */
function registrations(door: MemoryDoor): number | undefined {
  return door.serverSessions[0]?.counts.subscriptions;
}

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

describe('signals of a remote object', () => {
  interface Talker {
    word: Signal<[word: string, count: number]>;
  }
  const members: Members = { word: signal('(si)') };

  it('run a callback for each event until it is off, over one registration', async () => {
    const { service, hosted, door } = await serve<Talker>(members);
    const one: unknown[] = [];
    const two: unknown[] = [];
    const before = registrations(door);
    const off = await service.word.connect((...args) => one.push(args));
    await service.word.connect((word) => two.push(word));
    expect(registrations(door)).toBe(Number(before) + 1);
    hosted.emit('word', 'a', 1);
    await settled();
    const closing = off();
    hosted.emit('word', 'b', 2);
    await closing;
    await off();
    await settled();
    expect(one).toEqual([['a', 1]]);
    expect(two).toEqual(['a', 'b']);
  });

  it('are given up when the robot confirms nothing, neither the beginning nor the end', async () => {
    const { service, hosted, door } = await serve<Talker>(members);
    const off = await service.word.connect(() => {});
    const silence = new Promise<void>(() => {});
    Object.assign(hosted, { subscribe: (): Subscription => ({ ready: silence, close: () => silence }) });
    const other = await door.open();
    const objects = createRemoteObjects({ clock: door.clock, report: () => {}, timeoutMs: 5000 });
    const late = objects.wrap<Talker>(await other.service('Thing'));
    const connecting = refusal(late.word.connect(() => {}));
    const reading = refusal(late.word[Symbol.asyncIterator]().next());
    await door.clock.advance(5000);
    expect(await connecting).toMatchObject({ code: 'timeout', data: { timeoutMs: 5000 } });
    expect(await reading).toMatchObject({ code: 'timeout' });
    await off();
  });

  it('are iterated, and unregister when the loop is left', async () => {
    const { service, hosted, door } = await serve<Talker>(members);
    const seen: string[] = [];
    const before = registrations(door);
    const loop = (async () => {
      for await (const [word] of service.word) {
        seen.push(word);
        if (word === 'stop') break;
      }
    })();
    await settled();
    expect(registrations(door)).toBe(Number(before) + 1);
    for (const word of ['a', 'b', 'stop', 'after']) hosted.emit('word', word, 0);
    await loop;
    expect(seen).toEqual(['a', 'b', 'stop']);
    expect(registrations(door)).toBe(before);
  });

  it('keep the newest 256 events for a slow reader, and count what it missed', async () => {
    const { service, hosted } = await serve<Talker>(members);
    const events = service.word[Symbol.asyncIterator]();
    await settled();
    for (let count = 0; count < 300; count += 1) hosted.emit('word', 'w', count);
    await settled();
    expect(events.missed).toBe(44);
    expect((await events.next()).value).toEqual(['w', 44]);
    await events.return?.();
    expect(await events.next()).toEqual({ value: undefined, done: true });
  });

  it('are emitted from outside', async () => {
    const { service, hosted } = await serve<Talker>(members);
    const seen: unknown[] = [];
    await service.word.connect((...args) => seen.push(args));
    service.word.emit('mine', 3);
    await settled();
    expect(seen).toEqual([['mine', 3]]);
    expect(() => (service.word.emit as (...args: unknown[]) => void)(1)).toThrow(/invalid-argument/);
    expect(hosted.goneWith).toBeUndefined();
  });

  it('report what a callback throws, now or later, and go on', async () => {
    const { service, hosted, reported } = await serve<Talker>(members);
    const seen: string[] = [];
    await service.word.connect((word) => {
      seen.push(word);
      throw new Error('sync');
    });
    await service.word.connect(() => Promise.reject(new Error('async')));
    hosted.emit('word', 'a', 1);
    hosted.emit('word', 'b', 2);
    await settled();
    expect(seen).toEqual(['a', 'b']);
    expect(reported.map(String).sort()).toEqual(['Error: async', 'Error: async', 'Error: sync', 'Error: sync']);
  });

  it('tell who listens when the session ends', async () => {
    const { service, door, session } = await serve<Talker>(members);
    const gone: string[] = [];
    await service.word.connect(() => {}, { gone: (error) => gone.push(error.code) });
    const loop = refusal(
      (async () => {
        for await (const _ of service.word);
      })(),
    );
    const waiting = service.word[Symbol.asyncIterator]();
    await settled();
    door.serverSessions[0]?.close();
    await session.closed;
    expect(gone).toEqual(['link-lost']);
    expect((await loop).code).toBe('link-lost');
    expect((await refusal(waiting.next())).code).toBe('link-lost');
    expect((await waiting.next()).done).toBe(true);
    expect((await refusal(service.word.connect(() => {}))).code).toBe('link-lost');
  });

  it('end a loop without an error when the session is closed on purpose', async () => {
    const { service, session } = await serve<Talker>(members);
    const loop = (async () => {
      for await (const _ of service.word);
      return 'ended';
    })();
    await settled();
    await session.close();
    expect(await loop).toBe('ended');
  });
});

describe('properties of a remote object', () => {
  interface Mixer {
    volume: Property<number>;
    big: Property<bigint>;
    anything: Property;
  }
  const members: Members = { volume: property('i', 30), big: property('l', 5n), anything: property('m', null) };

  it('are read, written and followed', async () => {
    const { service, hosted } = await serve<Mixer>(members);
    const heard: number[] = [];
    const off = await service.volume.connect((value) => heard.push(value));
    expect(await service.volume.value()).toBe(30);
    expect(await service.volume.setValue(50)).toBeUndefined();
    hosted.set('volume', 60);
    await settled();
    await off();
    await service.volume.setValue(70);
    expect(heard).toEqual([50, 60]);
    expect(hosted.get('volume')).toBe(70);
  });

  it('keep their declared type: bigint for 64 bits, the bare value for dynamics', async () => {
    const { service } = await serve<Mixer>(members);
    expect(await service.big.value()).toBe(5n);
    expect(await service.anything.value()).toBeNull();
    await service.anything.setValue({ a: [1, 2] });
    expect(await service.anything.value()).toEqual({ a: [1, 2] });
  });

  it('refuse what does not fit before it is sent', async () => {
    const { service } = await serve<Mixer>(members);
    expect(await refusal(service.volume.setValue('loud' as never))).toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('expected an integer'),
    });
  });

  it('are iterated by value', async () => {
    const { service, hosted } = await serve<Mixer>(members);
    const loop = (async () => {
      for await (const value of service.volume) return value;
      return undefined;
    })();
    await settled();
    hosted.set('volume', 99);
    expect(await loop).toBe(99);
  });
});

describe('objects as values', () => {
  interface Counter {
    increment(by: number): number;
    changed: Signal<[number]>;
    total: Property<number>;
  }
  interface Maker {
    make(start: number): RemoteObject<Counter>;
    makeNone(): null;
    makeMany(): RemoteObject<Counter>[];
    makeMap(): Record<string, RemoteObject<Counter>>;
    makeDynamic(): RemoteObject<Counter>;
    echo(value: object): object;
    callBack(callback: object, value: number): number;
    keep(callback: object): void;
    drop(): void;
  }

  function counter(start = 0): HostedObject {
    const object: HostedObject = createObject({
      increment: method('(i)', 'i', (by: number) => {
        object.set('total', (object.get('total') as number) + by);
        object.emit('changed', object.get('total'));
        return object.get('total');
      }),
      changed: signal('(i)'),
      total: property('i', start),
    });
    return object;
  }

  function maker(): Members {
    let kept: BusObject | undefined;
    const remote = createRemoteObjects({
      clock: { now: () => 0, after: () => () => {} },
      timeoutMs: 0,
      report: () => {},
    });
    return {
      make: method('(i)', 'o', (start: number) => counter(start)),
      makeNone: method('()', 'o', () => null),
      makeMany: method('()', '[o]', () => [counter(1), counter(2)]),
      makeMap: method('()', '{so}', () => ({ a: counter(3) })),
      makeDynamic: method('()', 'm', () => counter(4)),
      echo: method('(o)', 'o', (object: BusObject) => object),
      callBack: method('(oi)', 'i', async (object: BusObject, value: number) => {
        const callback = remote.wrap<Record<'call' | 'onCallback', (value: number) => number>>(object);
        const hasName = Object.keys(callback).includes('onCallback');
        try {
          return await (hasName ? callback.onCallback(value) : callback.call(value));
        } finally {
          callback.release();
        }
      }),
      keep: method('(o)', 'v', (object: BusObject) => {
        kept = object;
      }),
      drop: method('()', 'v', () => kept?.release()),
    };
  }

  it('come back as remote objects with methods, signals and properties', async () => {
    const { service } = await serve<Maker>(maker());
    const made = await service.make(5);
    const heard: number[] = [];
    await made.changed.connect((value) => heard.push(value));
    expect(await made.increment(2)).toBe(7);
    expect(await made.total.value()).toBe(7);
    expect(heard).toEqual([7]);
  });

  it('come in lists, maps and dynamics; no object is null', async () => {
    const { service } = await serve<Maker>(maker());
    expect(await service.makeNone()).toBeNull();
    const [one, two] = await service.makeMany();
    expect([await one?.total.value(), await two?.total.value()]).toEqual([1, 2]);
    expect(await (await service.makeMap())['a']?.total.value()).toBe(3);
    expect(await (await service.makeDynamic()).total.value()).toBe(4);
  });

  it('are given back by release, after which they refuse to be used', async () => {
    const { service, session } = await serve<Maker>(maker());
    const before = session.counts.remoteObjects;
    const made = await service.make(1);
    expect(session.counts.remoteObjects).toBe(before + 1);
    made.release();
    made.release();
    expect(session.counts.remoteObjects).toBe(before);
    expect(await refusal(made.increment(1))).toMatchObject({ code: 'object-gone' });
    expect(() => made.changed.emit(1)).toThrow(/object-gone/);
    {
      using other = await service.make(1);
      expect(await other.increment(1)).toBe(2);
    }
    expect(session.counts.remoteObjects).toBe(before);
  });

  it('may be functions and objects of the page: they are hosted, called, and dropped when the robot is done', async () => {
    const { service, session } = await serve<Maker>(maker());
    expect(await service.callBack((value: number) => value * 2, 21)).toBe(42);
    class Callback {
      #factor = 3;
      onCallback(value: number): number {
        return value * this.#factor;
      }
    }
    expect(await service.callBack(new Callback(), 5)).toBe(15);
    await settled();
    expect(session.counts.servedObjects).toBe(0);
    const keep = { onCallback: (value: number) => value };
    await service.keep(keep);
    expect(session.counts.servedObjects).toBe(1);
    await service.drop();
    await settled();
    expect(session.counts.servedObjects).toBe(0);
    expect(await service.callBack(keep, 8)).toBe(8);
  });

  it('come back as what they were when they are the page’s own', async () => {
    const { service, session } = await serve<Maker>(maker());
    const callback = (): void => {};
    const plain = { onCallback: (value: number) => value };
    const hosted = counter(9);
    const before = session.counts.remoteObjects;
    expect(await service.echo(callback)).toBe(callback);
    expect(await service.echo(plain)).toBe(plain);
    expect(await service.echo(hosted)).toBe(hosted);
    expect(session.counts.remoteObjects).toBe(before);
    const made = await service.make(1);
    const back = (await service.echo(made)) as RemoteObject<Counter>;
    expect(await back.increment(1)).toBe(2);
  });

  it('are refused where the value can be no object', async () => {
    const { service } = await serve<Maker>(maker());
    for (const value of [5, 'text', [1], new Date(0), new Uint8Array(1)]) {
      expect(await refusal(service.echo(value as object)), String(value)).toMatchObject({ code: 'invalid-argument' });
    }
  });
});

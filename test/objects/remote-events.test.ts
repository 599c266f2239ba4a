// Signals and properties of remote objects over a session in memory.
import type { EventSink, Subscription } from '@qiway/protocol/bus/bus';
import { type HostedObject, type Members, property, signal } from '@qiway/protocol/objects/hosted-object';
import { createRemoteObjects } from '@qiway/protocol/objects/remote-objects';
import type { Property, Signal } from '@qiway/protocol/objects/remote-types';
import { describe, expect, it } from 'vitest';
import { refusal, registrations, serve } from '../support/remote-thing.ts';
import { settled } from '../support/virtual-clock.ts';

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

describe('events that were missed', () => {
  interface Talker {
    word: Signal<[word: string, count: number]>;
    volume: Property<number>;
  }
  const members: Members = { word: signal('(si)'), volume: property('i', 30) };
  /** Takes what is given to subscribers, so that a gap can be told. */
  const tellsGaps = (hosted: HostedObject): ((missed: number | undefined) => void) => {
    const sinks: EventSink[] = [];
    const subscribe = hosted.subscribe.bind(hosted);
    Object.assign(hosted, {
      subscribe: (action: number, sink: EventSink): Subscription => {
        sinks.push(sink);
        return subscribe(action, sink);
      },
    });
    return (missed) => {
      for (const sink of sinks) sink.gap?.(missed);
    };
  };

  it('are told between the events, of signals and properties, and what the callback throws is reported', async () => {
    const { service, hosted } = await serve<Talker>(members);
    const gap = tellsGaps(hosted);
    const heard: unknown[] = [];
    const off = await service.word.connect((word) => heard.push(word), { gap: (missed) => heard.push({ missed }) });
    await service.word.connect(() => {});
    await service.volume.connect((volume) => heard.push(volume), {
      gap: () => {
        throw new Error('of the page');
      },
    });
    hosted.emit('word', 'a', 1);
    gap(undefined);
    hosted.emit('word', 'b', 2);
    hosted.set('volume', 31);
    gap(5);
    await settled();
    await off();
    gap(6);
    await settled();
    expect(heard).toEqual(['a', { missed: undefined }, 'b', 31, { missed: 5 }]);
  });

  it('are counted by an iterator, one where nobody knows how many', async () => {
    const { service, hosted } = await serve<Talker>(members);
    const gap = tellsGaps(hosted);
    const words = service.word[Symbol.asyncIterator]();
    await settled();
    gap(undefined);
    gap(5);
    hosted.emit('word', 'a', 1);
    expect(await words.next()).toEqual({ done: false, value: ['a', 1] });
    expect(words.missed).toBe(6);
    await words.return?.();
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

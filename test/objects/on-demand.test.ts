// A page before the part that serves objects is loaded: what needs it waits, what comes behind it too, in order.

import { type BusObject, type EventSink, NO_OBJECTS } from '@qiway/protocol/bus/bus';
import { lazyServing } from '@qiway/protocol/bus/lazy-serving';
import { QiwayError } from '@qiway/protocol/errors';
import { hostMembers } from '@qiway/protocol/objects/hosted';
import { createObject, type Members, method, property, signal } from '@qiway/protocol/objects/hosted-object';
import { lazyAnswers } from '@qiway/protocol/objects/lazy-answers';
import { createObjectMap, type RemoteObjects } from '@qiway/protocol/objects/object-map';
import * as whole from '@qiway/protocol/objects/on-demand';
import { createRemoteObjects } from '@qiway/protocol/objects/remote-objects';
import type { Property, RemoteObject, Signal } from '@qiway/protocol/objects/remote-types';
import { type ObjectMapper, plainObjects } from '@qiway/protocol/objects/values';
import { lazyPart, type Part } from '@qiway/protocol/part';
import type { ClientSession } from '@qiway/protocol/session/client-session';
import { Dynamic, encodeValue } from '@qiway/protocol/wire/value';
import { describe, expect, it } from 'vitest';
import { memoryDoor } from '../support/memory-session.ts';
import { settled } from '../support/virtual-clock.ts';

type Whole = typeof whole;

interface Loader {
  readonly part: Part<Whole>;
  /** How often it was asked for. */
  readonly loads: () => number;
  arrive(): Promise<void>;
  fail(): Promise<void>;
}

/** A part that comes when the test says so. */
function loader(): Loader {
  let loads = 0;
  let pending: { resolve: (exports: Whole) => void; reject: (error: Error) => void } | undefined;
  const part = lazyPart(
    () =>
      new Promise<Whole>((resolve, reject) => {
        loads += 1;
        pending = { resolve, reject };
      }),
  );
  return {
    part,
    loads: () => loads,
    arrive: () => {
      pending?.resolve(whole);
      return settled();
    },
    fail: () => {
      pending?.reject(new Error('404'));
      return settled();
    },
  };
}

interface Fixture<T> {
  readonly load: Loader;
  readonly session: ClientSession;
  readonly objects: RemoteObjects;
  readonly service: RemoteObject<T>;
  readonly reported: unknown[];
}

async function serve<T>(members: Members, mapper: ObjectMapper = plainObjects): Promise<Fixture<T>> {
  const door = memoryDoor();
  await door.bus.host('Thing', createObject(members, { mapper }));
  const load = loader();
  const session = await door.open({ serving: lazyServing(load.part) });
  const reported: unknown[] = [];
  const objects = createObjectMap({ clock: door.clock, report: (error) => reported.push(error), part: load.part });
  const service = objects.wrap<T>(await session.service('Thing'));
  return { load, session, objects, service, reported };
}

interface Noting {
  note(text: string): void;
  over(value: number): string;
  over(value: string): string;
  readonly level: Property<number>;
  readonly told: Signal<[text: string]>;
}

function noting(notes: unknown[]): Members {
  return {
    note: method('(s)', 'v', (text: string) => void notes.push(text)),
    over: [
      method('(i)', 's', (value: number) => {
        notes.push(value);
        return 'number';
      }),
      method('(s)', 's', (value: string) => {
        notes.push(value);
        return 'text';
      }),
    ],
    level: property('i', 0, {
      set: (value: number) => {
        notes.push(`level ${value}`);
        return value;
      },
    }),
    told: signal('(s)'),
  };
}

describe('before the part is here', () => {
  it('calls, properties and signals do not ask for it', async () => {
    const notes: unknown[] = [];
    const { service, load } = await serve<Noting>(noting(notes));
    const heard: string[] = [];
    await service.told.connect((text) => heard.push(text));
    await service.note('a');
    await service.level.setValue(3);
    expect(await service.level.value()).toBe(3);
    service.told.emit('hello');
    await settled();
    expect(heard).toEqual(['hello']);
    expect(load.loads()).toBe(0);
  });

  it('a choice among overloads waits for it, and nothing on the same object overtakes', async () => {
    const notes: unknown[] = [];
    const { service, load, objects, session } = await serve<Noting>(noting(notes));
    const answers = Promise.all([
      service.over('first'),
      service.note('second'),
      service.level.setValue(3),
      service.over(4),
    ]);
    service.note.post('fifth');
    await settled();
    expect(notes).toEqual([]);
    expect(load.loads()).toBe(1);
    const other = objects.wrap<Noting>(await session.service('Thing'));
    await other.note('of another object');
    await load.arrive();
    expect(await answers).toEqual(['text', undefined, undefined, 'number']);
    expect(notes).toEqual(['of another object', 'first', 'second', 'level 3', 4, 'fifth']);
  });

  it('a function given as an argument waits for it, and is called back', async () => {
    const { clock } = memoryDoor();
    const calls: string[] = [];
    const { service, load } = await serve<{ run(callback: () => string): string; note(text: string): void }>(
      {
        run: method('(o)', 's', async (callback: { call(): Promise<string> }) => {
          calls.push('run');
          return `${await callback.call()}, said the page`;
        }),
        note: method('(s)', 'v', (text: string) => void calls.push(text)),
      },
      createRemoteObjects({ clock, report: () => {} }),
    );
    const answer = service.run(() => 'yes');
    const behind = service.note('note');
    await settled();
    expect(calls).toEqual([]);
    await load.arrive();
    expect(await answer).toBe('yes, said the page');
    await behind;
    expect(calls).toEqual(['run', 'note']);
  });

  it('a call that failed to get it says so, and the next one tries again', async () => {
    const notes: unknown[] = [];
    const { service, load, reported } = await serve<Noting>(noting(notes));
    const first = service.over('x');
    const second = service.note('behind it');
    service.over.post('nobody waits');
    await settled();
    await load.fail();
    await expect(first).rejects.toMatchObject({ code: 'unsupported', maybeExecuted: false });
    await second;
    expect(reported).toMatchObject([{ code: 'unsupported' }]);
    const third = service.over('y');
    await settled();
    expect(load.loads()).toBe(2);
    await load.arrive();
    expect(await third).toBe('text');
    expect(notes).toEqual(['behind it', 'y']);
  });

  it('a call that was cancelled while it waited is never sent', async () => {
    const notes: unknown[] = [];
    const { service, load } = await serve<Noting>(noting(notes));
    const stop = new AbortController();
    const waiting = service.over.with({ signal: stop.signal })('never');
    stop.abort();
    await settled();
    await load.arrive();
    await expect(waiting).rejects.toMatchObject({ code: 'canceled', maybeExecuted: false });
    expect(notes).toEqual([]);
  });
});

describe('an event of another type than declared', () => {
  it('waits for what converts it, and those behind it wait too', async () => {
    const load = loader();
    const sinks: EventSink[] = [];
    const { metaObject, uid } = createObject({ moved: signal('(i)') });
    const publisher = {
      metaObject,
      uid,
      subscribe: (_: number, sink: EventSink) => {
        sinks.push(sink);
        return { ready: Promise.resolve(), close: () => Promise.resolve() };
      },
      retain: () => {},
      release: () => {},
    } as unknown as BusObject;
    const { clock } = memoryDoor();
    const objects = createObjectMap({ clock, report: () => {}, part: load.part });
    const remote = objects.wrap<{ readonly moved: Signal<[number]> }>(publisher);
    const heard: unknown[] = [];
    await remote.moved.connect((steps) => heard.push(steps), { gone: () => heard.push('gone') });
    const event = (signature: string, value: unknown): void => {
      for (const sink of sinks) sink.event({ signature, bytes: encodeValue(signature, value), objects: NO_OBJECTS });
    };
    event('(i)', [1]);
    event('m', new Dynamic('(d)', [2.75]));
    event('(i)', [3]);
    for (const sink of sinks) sink.gone(new QiwayError('service-gone', 'It left.'));
    await settled();
    expect(heard).toEqual([1]);
    await load.arrive();
    expect(heard).toEqual([1, 2, 3, 'gone']);
    objects.close();
  });
});

describe('an object made before the part is here', () => {
  it('answers its first calls in order once it is', async () => {
    const load = loader();
    const notes: string[] = [];
    const object = hostMembers(
      { note: method('(s)', 's', (text: string) => `${notes.push(text)}`) },
      {},
      lazyAnswers(load.part),
    );
    const door = memoryDoor();
    await door.bus.host('Late', object);
    const late = createObjectMap({ clock: door.clock, report: () => {}, part: load.part }).wrap<{
      note(text: string): string;
    }>(await (await door.open()).service('Late'));
    const answers = Promise.all([late.note('a'), late.note('b')]);
    late.note.post('c');
    await settled();
    expect(notes).toEqual([]);
    await load.arrive();
    expect(await answers).toEqual(['1', '2']);
    expect(notes).toEqual(['a', 'b', 'c']);
  });
});

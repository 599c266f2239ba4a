// Objects as arguments, results and callbacks of remote objects over a session in memory.
import type { BusObject } from '@qiway/protocol/bus/bus';
import {
  createObject,
  type HostedObject,
  type Members,
  method,
  property,
  signal,
} from '@qiway/protocol/objects/hosted-object';
import { createRemoteObjects } from '@qiway/protocol/objects/remote-objects';
import type { Property, RemoteObject, Signal } from '@qiway/protocol/objects/remote-types';
import { describe, expect, it } from 'vitest';
import { refusal, serve } from '../support/remote-thing.ts';
import { settled } from '../support/virtual-clock.ts';

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
    expect(await refusal(service.callBack(made, 1))).toMatchObject({ code: 'object-gone', maybeExecuted: false });
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

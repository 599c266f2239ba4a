// The part of the bus contract about objects as values: returned, given, released.
import { describe, expect, test } from 'vitest';
import type { BusObject } from '../../protocol/bus/bus.ts';
import { createObject, type HostedObject, method, signal } from '../../protocol/objects/hosted-object.ts';
import { callMethod, failureOf, getProperty, watch } from './calls.ts';
import type { ContractState } from './contract-state.ts';

interface Given {
  readonly object: HostedObject;
  /** Resolves each time nobody but the test holds it. */
  readonly unused: Promise<void>;
}

/** An object of this side, to be given away. */
function given(): Given {
  let tell: () => void = () => {};
  const unused = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const object = createObject(
    { onCallback: method('(i)', 'i', (value: number) => value * 2), fired: signal('(i)') },
    { onUnused: () => tell() },
  );
  return { object, unused };
}

export function objectContract(get: () => ContractState): void {
  describe('objects', () => {
    test('a returned object has methods, signals and properties', async () => {
      const { remote } = get();
      const counter = (await callMethod(remote, 'makeCounter', 5)) as BusObject;
      const changed = watch(counter, 'changed');
      await changed.ready;
      expect(await callMethod(counter, 'increment', 2)).toBe(7);
      expect(await changed.events.count(1)).toEqual([[7]]);
      expect(await getProperty(counter, 'value')).toBe(7);
      counter.release();
    });

    test('releasing the last reference tells the host', async () => {
      const { remote, echo } = get();
      const counter = (await callMethod(remote, 'makeCounter', 5)) as BusObject;
      counter.retain();
      counter.release();
      expect(await callMethod(remote, 'liveObjects')).toBe(1);
      counter.release();
      expect(await callMethod(remote, 'liveObjects')).toBe(0);
      expect(echo.liveCounters()).toBe(0);
      expect((await failureOf(callMethod(counter, 'increment', 1))).code).toBe('object-gone');
      counter.release();
    });

    test('each of several objects in a list has a life of its own', async () => {
      const { remote } = get();
      const [first, second, third] = (await callMethod(remote, 'makeCounters', 3)) as [BusObject, BusObject, BusObject];
      second.release();
      expect(await callMethod(remote, 'liveObjects')).toBe(2);
      expect(await callMethod(third, 'increment', 1)).toBe(3);
      expect(await callMethod(first, 'increment', 1)).toBe(1);
      first.release();
      third.release();
      expect(await callMethod(remote, 'liveObjects')).toBe(0);
    });

    test('an object made by an object', async () => {
      const { remote } = get();
      const parent = (await callMethod(remote, 'makeCounter', 5)) as BusObject;
      const child = (await callMethod(parent, 'makeChild')) as BusObject;
      expect(await callMethod(child, 'increment', 1)).toBe(1);
      child.release();
      expect(await callMethod(parent, 'increment', 1)).toBe(6);
      parent.release();
    });

    test('an object in a dynamic is an object', async () => {
      const counter = (await callMethod(get().remote, 'dynamicObject')) as BusObject;
      expect(await callMethod(counter, 'increment', 4)).toBe(4);
      counter.release();
    });

    test('no object is null, both ways', async () => {
      const { remote } = get();
      expect(await callMethod(remote, 'makeNullObject')).toBeNull();
      expect(await callMethod(remote, 'echoObject', null)).toBeNull();
    });

    test('the callee calls an object that was given to it, and lets go of it', async () => {
      const { object, unused } = given();
      expect(await callMethod(get().remote, 'callObject', object, 'onCallback', 21)).toBe(42);
      await unused;
      expect(object.goneWith).toBeUndefined();
    });

    test('the callee keeps an object that was given to it until it drops it', async () => {
      const { remote } = get();
      const { object, unused } = given();
      await callMethod(remote, 'keepObject', object);
      expect(await callMethod(remote, 'callKept', 'onCallback', 4)).toBe(8);
      expect(await callMethod(remote, 'callKept', 'onCallback', 5)).toBe(10);
      await callMethod(remote, 'dropObject');
      await unused;
    });

    test('the callee hears the signals of an object that was given to it', async () => {
      const { remote, echo } = get();
      const { object } = given();
      await callMethod(remote, 'subscribeOf', object, 'fired');
      object.emit('fired', 9);
      await callMethod(remote, 'doNothing');
      expect(echo.noted).toEqual([9]);
    });

    test('an object that comes back is known by its uid, and still works', async () => {
      const { remote } = get();
      const { object } = given();
      const back = (await callMethod(remote, 'echoObject', object)) as BusObject;
      expect(Buffer.from(back.uid).toString('hex')).toBe(Buffer.from(object.uid).toString('hex'));
      expect(await callMethod(back, 'onCallback', 3)).toBe(6);
      back.release();
    });

    test('an object of the callee given to the callee works there', async () => {
      const { remote } = get();
      const counter = (await callMethod(remote, 'makeCounter', 1)) as BusObject;
      expect(await callMethod(remote, 'callObject', counter, 'increment', 4)).toBe(5);
      counter.release();
    });

    test('what a call fails with an object in its arguments releases it', async () => {
      const { object, unused } = given();
      const { remote } = get();
      await failureOf(callMethod(remote, 'callObject', object, 'no such method', 1));
      await unused;
    });
  });
}

// The part of the bus contract about signals and properties.
import { describe, expect, test } from 'vitest';
import type { BusObject } from '../../protocol/bus/bus.ts';
import { Dynamic } from '../../protocol/wire/value.ts';
import { callMethod, failureOf, getProperty, setProperty, watch } from './calls.ts';
import type { ContractState } from './contract-state.ts';

const NO_SUCH_SIGNAL = 9998;

export function signalContract(get: () => ContractState): void {
  describe('signals', () => {
    test('events arrive once each, in the order they were emitted', async () => {
      const { remote } = get();
      const ticks = watch(remote, 'onTick');
      await ticks.ready;
      await callMethod(remote, 'burst', 300);
      expect(await ticks.events.count(300)).toEqual(Array.from({ length: 300 }, (_, index) => [index]));
    });

    test.each([
      ['emitPair', [3, 'x'], 'onPair', [3, 'x']],
      ['emitNothing', [], 'onNothing', []],
      ['emitDynamic', [new Dynamic('[i]', [5])], 'onDynamic', [[5]]],
      ['emitPoint', [{ x: 1, y: 2, name: 'a' }], 'onPoint', [{ x: 1, y: 2, name: 'a' }]],
      ['emitRaw', [3], 'onRaw', [new Uint8Array([0, 1, 2])]],
    ])('%s is heard with its arguments', async (method, args, signal, expected) => {
      const { remote } = get();
      const heard = watch(remote, signal);
      await heard.ready;
      await callMethod(remote, method, ...args);
      expect(await heard.events.count(1)).toEqual([expected]);
    });

    test('an event may hold an object', async () => {
      const { remote } = get();
      const heard = watch(remote, 'onObject');
      await heard.ready;
      await callMethod(remote, 'emitObject');
      const [[counter]] = (await heard.events.count(1)) as [[BusObject]];
      expect(await callMethod(counter, 'increment', 2)).toBe(2);
      counter.release();
      expect(await callMethod(remote, 'liveObjects')).toBe(0);
    });

    test('several subscribers hear each event once, each as long as it wants', async () => {
      const { remote } = get();
      const [first, second] = [watch(remote, 'onTick'), watch(remote, 'onTick')];
      await Promise.all([first.ready, second.ready]);
      await callMethod(remote, 'burst', 2);
      await Promise.all([first.events.count(2), second.events.count(2)]);
      await first.close();
      await callMethod(remote, 'burst', 1);
      expect(await second.events.count(3)).toEqual([[0], [1], [0]]);
      expect(first.events.all).toEqual([[0], [1]]);
    });

    test('subscribers hear an event with an object each with a reference of its own', async () => {
      const { remote } = get();
      const [first, second] = [watch(remote, 'onObject'), watch(remote, 'onObject')];
      await Promise.all([first.ready, second.ready]);
      await callMethod(remote, 'emitObject');
      const [[one]] = (await first.events.count(1)) as [[BusObject]];
      const [[other]] = (await second.events.count(1)) as [[BusObject]];
      one.release();
      expect(await callMethod(other, 'increment', 1)).toBe(1);
      other.release();
      expect(await callMethod(remote, 'liveObjects')).toBe(0);
    });

    test('after closing, nothing is heard; closing twice is closing once', async () => {
      const { remote } = get();
      const [closing, staying] = [watch(remote, 'onEcho'), watch(remote, 'onTick')];
      await Promise.all([closing.ready, staying.ready]);
      await Promise.all([closing.close(), closing.close()]);
      await callMethod(remote, 'emitEcho', 'nobody');
      await callMethod(remote, 'burst', 1);
      await staying.events.count(1);
      expect(closing.events.all).toEqual([]);
    });

    test('one can subscribe again after the last subscriber left', async () => {
      const { remote } = get();
      for (const text of ['first', 'second']) {
        const heard = watch(remote, 'onEcho');
        await heard.ready;
        await callMethod(remote, 'emitEcho', text);
        expect(await heard.events.count(1)).toEqual([[text]]);
        await heard.close();
      }
    });

    test('a signal that is none cannot be subscribed to', async () => {
      await failureOf(watch(get().remote, NO_SUCH_SIGNAL).ready);
    });
  });

  describe('properties', () => {
    test('are read and set by name, and the new value is heard', async () => {
      const { remote } = get();
      expect(await getProperty(remote, 'label')).toBe('initial');
      const heard = watch(remote, 'label');
      await heard.ready;
      await setProperty(remote, 'label', new Dynamic('s', 'new'));
      expect(await heard.events.count(1)).toEqual([['new']]);
      expect(await getProperty(remote, 'label')).toBe('new');
    });

    test('a value is converted to the type of the property, or refused', async () => {
      const { remote } = get();
      await setProperty(remote, 'count', new Dynamic('d', 3));
      expect(await getProperty(remote, 'count')).toBe(3);
      expect((await failureOf(setProperty(remote, 'count', new Dynamic('s', 'no')))).message).toContain(
        'setProperty: Conversion',
      );
      expect(await getProperty(remote, 'count')).toBe(3);
    });

    test('an unknown one is refused', async () => {
      const error = await failureOf(getProperty(get().remote, 'nope'));
      expect(error.message).toContain('property "nope" was not found');
    });
  });
}

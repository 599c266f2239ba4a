// At most so many events a second, and never without the last one.
import { EventRate } from '@qiway/protocol/bus/event-rate';
import { expect, test } from 'vitest';
import { virtualClock } from '../support/virtual-clock.ts';

function rateOf(maxHz: number): {
  readonly rate: EventRate<number>;
  readonly clock: ReturnType<typeof virtualClock>;
  readonly passed: [value: number, atMs: number][];
  readonly dropped: number[];
} {
  const clock = virtualClock();
  const passed: [number, number][] = [];
  const dropped: number[] = [];
  const rate = new EventRate<number>({
    clock,
    maxHz,
    pass: (value) => passed.push([value, clock.now()]),
    drop: (value) => dropped.push(value),
  });
  return { rate, clock, passed, dropped };
}

test('the first goes at once, then the newest at the end of each interval', async () => {
  const { rate, clock, passed, dropped } = rateOf(10);
  for (let value = 0; value < 25; value += 1) {
    rate.push(value);
    await clock.advance(10);
  }
  await clock.advance(1000);
  expect(passed).toEqual([
    [0, 0],
    [9, 100],
    [19, 200],
    [24, 300],
  ]);
  expect([...passed.map(([value]) => value), ...dropped].sort((a, b) => a - b)).toEqual(
    Array.from({ length: 25 }, (_, index) => index),
  );
});

test('values that keep the rate but for a little are not thinned', async () => {
  const { rate, clock, passed, dropped } = rateOf(10);
  for (let value = 0; value < 20; value += 1) {
    rate.push(value);
    await clock.advance(value % 2 === 0 ? 96 : 104);
  }
  expect(dropped).toEqual([]);
  expect(passed.map(([value]) => value)).toEqual(Array.from({ length: 20 }, (_, index) => index));
});

test('another rate lets what waits go at once; 0 lets all pass', async () => {
  const { rate, clock, passed } = rateOf(1);
  rate.push(1);
  rate.push(2);
  rate.setMaxHz(1);
  await clock.advance(10);
  expect(passed).toEqual([[1, 0]]);
  rate.setMaxHz(0);
  rate.push(3);
  rate.push(4);
  expect(passed.slice(1)).toEqual([
    [2, 10],
    [3, 10],
    [4, 10],
  ]);
  await clock.advance(5000);
  expect(passed.length).toBe(4);
});

test('closed, it drops what waits', async () => {
  const { rate, clock, passed, dropped } = rateOf(1);
  rate.push(1);
  rate.push(2);
  rate.close();
  rate.close();
  await clock.advance(5000);
  expect(passed).toEqual([[1, 0]]);
  expect(dropped).toEqual([2]);
});

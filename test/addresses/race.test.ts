// Candidates raced: who begins when, who wins, and what becomes of the others.
import { expect, test } from 'vitest';
import { type Abandon, race } from '../../sdk/dial/race.ts';
import { settled, virtualClock } from '../support/virtual-clock.ts';

function lab(candidates: readonly string[]) {
  const clock = virtualClock();
  const begun: string[] = [];
  const abandoned: string[] = [];
  const ways = new Map<string, PromiseWithResolvers<string> & { readonly abandon: Abandon }>();
  const stops: (() => void)[] = [];
  const result = race<string, string>({
    candidates,
    clock,
    staggerMs: 100,
    onStart: (stop) => stops.push(stop),
    attempt: (candidate, abandon) => {
      begun.push(candidate);
      abandon.onAbandoned(() => abandoned.push(candidate));
      const way = { ...Promise.withResolvers<string>(), abandon };
      ways.set(candidate, way);
      return way.promise;
    },
  });
  return { clock, begun, abandoned, ways, result, stop: () => stops[0]?.() };
}

test('the others are abandoned as soon as one has won, and none begins after that', async () => {
  const { clock, begun, abandoned, ways, result } = lab(['a', 'b', 'c']);
  await clock.advance(100);
  expect(begun).toEqual(['a', 'b']);
  ways.get('b')?.resolve('link');
  expect(await result).toEqual({ kind: 'won', candidate: 'b', value: 'link', failures: [] });
  expect(abandoned).toEqual(['a']);
  await clock.advance(1_000);
  expect(begun).toEqual(['a', 'b']);
});

test('one that comes through all the same is told at once that nobody wants it', async () => {
  const { clock, ways, result } = lab(['a', 'b']);
  await clock.advance(100);
  ways.get('b')?.resolve('link');
  await result;
  let isTold = false;
  ways.get('a')?.abandon.onAbandoned(() => {
    isTold = true;
  });
  expect(isTold).toBe(true);
});

test('a failure lets the next begin at once, and the last one ends the race', async () => {
  const { begun, ways, result } = lab(['a', 'b']);
  ways.get('a')?.reject(new Error('refused'));
  await settled();
  expect(begun).toEqual(['a', 'b']);
  ways.get('b')?.reject(new Error('timed out'));
  const lost = await result;
  expect(lost.kind).toBe('lost');
  expect(lost.failures.map(({ candidate }) => candidate)).toEqual(['a', 'b']);
});

test('stopped, it is lost, and all are abandoned', async () => {
  const { clock, abandoned, result, stop } = lab(['a', 'b', 'c']);
  await clock.advance(100);
  stop();
  expect(await result).toEqual({ kind: 'lost', failures: [] });
  expect(abandoned).toEqual(['a', 'b']);
});

test('without candidates it is lost', async () => {
  expect(await lab([]).result).toEqual({ kind: 'lost', failures: [] });
});

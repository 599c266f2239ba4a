// When a session is asked to move, and when it is asked to look whether its link is alive.
import { expect, test } from 'vitest';
import { followBetterWay } from '../../sdk/dial/better-way.ts';
import type { BetterWay } from '../../sdk/dial/dialer.ts';
import { probeWithPage, thisPage } from '../../sdk/dial/page-probes.ts';
import { virtualClock } from '../support/virtual-clock.ts';

const clock = virtualClock();

/** A session whose agent announces what a test says, and a dialer that judges it as a test says. */
function following(judge: (urls: readonly string[]) => BetterWay) {
  const moves: number[] = [];
  const judged: (readonly string[])[] = [];
  let changed = (): void => {};
  let addresses: readonly string[] | undefined;
  const dialer = {
    current: 'ws://a/robot/link',
    announced: (urls: readonly string[]) => {
      judged.push(urls);
      return judge(urls);
    },
  };
  const began = clock.now();
  const stop = followBetterWay({
    clock,
    dialer,
    session: {
      get told() {
        return { bus: 'up' as const, ...(addresses !== undefined && { addresses }) };
      },
      listenSession: (listener) => {
        changed = () => listener.changed?.();
        return () => {
          changed = () => {};
        };
      },
      moveTo: () => moves.push(clock.now() - began),
    },
  });
  const tell = (...urls: string[]): void => {
    addresses = urls;
    changed();
  };
  return { moves, judged, dialer, tell, stop, change: () => changed() };
}

test('each announcement is judged once, and a better way asked for', () => {
  const { moves, judged, tell, change, stop } = following((urls) => (urls.length > 1 ? 'newer' : 'none'));
  change();
  expect(judged).toEqual([]);
  tell('ws://a');
  change();
  expect(judged).toEqual([['ws://a']]);
  expect(moves).toEqual([]);
  tell('ws://b', 'ws://a');
  expect(moves).toEqual([0]);
  stop();
  tell('ws://c', 'ws://d');
  expect(judged).toHaveLength(2);
});

test('a move that did not come about is asked for again, a few times', async () => {
  const { moves, tell } = following(() => 'only');
  tell('ws://b');
  await clock.advance(60_000);
  expect(moves).toEqual([0, 1000, 4000, 14_000]);
});

test('one that did is not', async () => {
  const { moves, tell, dialer } = following(() => 'newer');
  tell('ws://b', 'ws://a');
  dialer.current = 'ws://b';
  await clock.advance(60_000);
  expect(moves).toEqual([0]);
});

test('a session looks at its link when the page may have lost it', () => {
  const window = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  let probes = 0;
  const stop = probeWithPage({ probe: () => (probes += 1) }, { window, document });
  for (const type of ['online', 'pageshow']) window.dispatchEvent(new Event(type));
  for (const type of ['visibilitychange', 'resume']) document.dispatchEvent(new Event(type));
  expect(probes).toBe(4);
  document.visibilityState = 'hidden';
  document.dispatchEvent(new Event('visibilitychange'));
  expect(probes).toBe(4);
  window.dispatchEvent(new Event('online'));
  expect(probes).toBe(5);
  stop();
  for (const target of [window, document])
    for (const type of ['online', 'pageshow', 'visibilitychange', 'resume']) target.dispatchEvent(new Event(type));
  expect(probes).toBe(5);
});

test('a program without a window has no such events', () => {
  expect(thisPage()).toBeUndefined();
});

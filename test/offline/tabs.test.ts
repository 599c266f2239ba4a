// The offline queue of several tabs, and of a page that is loaded again: one makes the calls, whoever waits gets his answer.
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { indexedDbQueue } from '../../sdk/offline/indexed-db-queue.ts';
import type { OfflineQueue } from '../../sdk/offline/offline-queue.ts';
import { queue } from '../../sdk/offline/policy.ts';
import type { QueueStore } from '../../sdk/offline/queue-types.ts';
import {
  clock,
  memoryLocks,
  memoryStore,
  openTab,
  outcomeOf,
  quiet,
  Robot,
  type Tab,
  type TabOptions,
  until,
} from './queue-lab.ts';

const later = { offline: queue({ ttlMs: 60_000 }) };

let robot: Robot;

beforeEach(async () => {
  robot = new Robot();
  await robot.offer('Voice');
});

async function say(tab: Tab, text: string): Promise<{ value?: unknown }> {
  return outcomeOf((await tab.service('Voice'))['say']!.with(later)(text));
}

describe.each(['locks', 'leases'] as const)('tabs that take turns by %s', (way) => {
  let shared: TabOptions & {
    readonly store: { -readonly [K in keyof QueueStore]: QueueStore[K] } & { readonly size: number };
  };

  beforeEach(() => {
    shared = {
      store: memoryStore(),
      siblings: new Set<OfflineQueue>(),
      ...(way === 'locks' && { locks: memoryLocks() }),
    };
  });

  /** Lets tabs without locks look again. */
  async function passTurns(): Promise<void> {
    for (let second = 0; second < 8; second += 1) {
      await quiet();
      if (way === 'leases') await clock.advance(1000);
    }
    await quiet();
  }

  test('calls of both are made by one of them, in order, and each gets its own answers', async () => {
    const [one, other] = [openTab(robot, { ...shared, isReady: false }), openTab(robot, { ...shared, isReady: false })];
    const outcomes = [];
    for (const [tab, text] of [
      [one, '1'],
      [other, '2'],
      [one, '3'],
      [other, '4'],
    ] as const) {
      outcomes.push(await say(tab, text));
      await quiet();
    }
    expect([one.queue.length, other.queue.length, shared.store.size]).toEqual([4, 4, 4]);
    const open = robot.hold();
    one.line.mend();
    await until(() => robot.ran.length === 1);
    other.line.mend();
    await quiet();
    expect(robot.ran).toEqual(['Voice.say(1)']);
    expect(other.queue.list().map(({ state }) => state)).toEqual(['sending', 'waiting', 'waiting', 'waiting']);
    open();
    await passTurns();
    expect(outcomes.map(({ value }) => value)).toEqual(['1', '2', '3', '4']);
    expect(robot.ran).toEqual(['Voice.say(1)', 'Voice.say(2)', 'Voice.say(3)', 'Voice.say(4)']);
    expect([one.queue.length, other.queue.length, shared.store.size]).toEqual([0, 0, 0]);
    expect(other.line.sent).toBe(0);
    for (const tab of [one, other])
      expect(tab.changes.filter(({ kind }) => kind === 'done').map(({ result }) => result)).toEqual([
        '1',
        '2',
        '3',
        '4',
      ]);
  });

  test('a tab that cannot reach the robot has its calls made by one that can', async () => {
    const [away, there] = [openTab(robot, { ...shared, isReady: false }), openTab(robot, shared)];
    const outcome = await say(away, 'a');
    await passTurns();
    expect([outcome.value, away.line.sent, there.queue.length]).toEqual(['a', 0, 0]);
  });

  test('a tab that is put aside in the middle of a call leaves it to another, and it runs once', async () => {
    const [one, other] = [openTab(robot, shared), openTab(robot, shared)];
    const open = robot.hold();
    const outcomes = [await say(one, '1'), await say(other, '2')];
    await until(() => robot.ran.length === 1);
    one.queue.suspend();
    await passTurns();
    open();
    await passTurns();
    expect([outcomes.map(({ value }) => value), robot.ran]).toEqual([
      ['1', '2'],
      ['Voice.say(1)', 'Voice.say(2)'],
    ]);
    expect(other.line.sent).toBeGreaterThan(0);
    one.queue.resume();
    const after = await say(one, '3');
    await passTurns();
    expect(after.value).toBe('3');
  });

  test('a page that is loaded again goes on with what waited; what came to an end meanwhile is told', async () => {
    const before = openTab(robot, { ...shared, isReady: false });
    await say(before, 'kept');
    void outcomeOf((await before.service('Voice'))['say']!.with({ offline: queue({ ttlMs: 1000 }) })('short'));
    await quiet();
    before.queue.close(); // as a page that is gone, but for its timers
    shared.siblings?.clear();
    await clock.advance(2000);
    const after = openTab(robot, { ...shared, isReady: false });
    await quiet();
    expect(after.queue.list().map(({ args, class: kind }) => [args, kind])).toEqual([['"kept"', 'once']]);
    expect(after.told).toEqual(['queued Voice.say', 'queued Voice.say', 'expired Voice.say']);
    after.line.mend();
    await passTurns();
    expect([robot.ran, shared.store.size]).toEqual([['Voice.say(kept)'], 0]);
    expect(after.told.slice(3)).toEqual(['sending Voice.say', 'done Voice.say']);
  });

  test('a page that dies in the middle of a call has it made once by the next', async () => {
    const before = openTab(robot, shared);
    const open = robot.hold();
    await say(before, 'a');
    await until(() => robot.ran.length === 1);
    before.line.cut();
    before.queue.close();
    shared.siblings?.clear();
    const after = openTab(robot, shared);
    await passTurns();
    open();
    await passTurns();
    expect([robot.ran, after.told.at(-1), shared.store.size]).toEqual([['Voice.say(a)'], 'done Voice.say', 0]);
  });

  test('a call that cannot be stored waits behind those of earlier pages', async () => {
    const before = openTab(robot, { ...shared, isReady: false });
    await say(before, 'stored');
    await quiet();
    before.queue.close();
    shared.siblings?.clear();
    const after = openTab(robot, { ...shared, isReady: false });
    await quiet();
    shared.store.add = () => Promise.reject(new Error('QuotaExceededError'));
    await say(after, 'in memory');
    await quiet();
    expect(after.queue.list().map(({ args }) => args)).toEqual(['"stored"', '"in memory"']);
    after.line.mend();
    await passTurns();
    expect([robot.ran, shared.store.size]).toEqual([['Voice.say(stored)', 'Voice.say(in memory)'], 0]);
  });

  test('calls for another robot are left alone', async () => {
    const one = openTab(robot, { ...shared, isReady: false });
    await say(one, 'a');
    await quiet();
    const other = openTab(robot, { ...shared, robotId: 'another' });
    await passTurns();
    expect([other.queue.length, robot.ran]).toEqual([0, []]);
  });
});

test('a tab whose turn another has taken, since it slept, makes no more calls until it has it again', async () => {
  const store = memoryStore();
  const tab = openTab(robot, { store });
  const open = robot.hold();
  const outcomes = [await say(tab, '1'), await say(tab, '2')];
  await until(() => robot.ran.length === 1);
  const { takeLease } = store;
  store.takeLease = async () => false;
  await clock.advance(3000);
  await quiet();
  open();
  await until(() => outcomes[0]?.value === '1');
  await quiet();
  expect([outcomes[1]?.value, robot.ran]).toEqual([undefined, ['Voice.say(1)']]);
  store.takeLease = takeLease;
  await clock.advance(1000);
  await quiet();
  expect([outcomes[1]?.value, robot.ran]).toEqual(['2', ['Voice.say(1)', 'Voice.say(2)']]);
});

test('a tab that hears nothing from the others learns that its call was made, not what it came to', async () => {
  const shared = { store: memoryStore(), locks: memoryLocks() };
  const [deaf, other] = [openTab(robot, { ...shared, isReady: false }), openTab(robot, { ...shared, isReady: false })];
  const outcome = await say(deaf, 'a');
  await quiet();
  other.line.mend();
  void (await say(other, 'b'));
  await until(() => shared.store.size === 0);
  deaf.line.mend();
  await quiet();
  await clock.advance(1000);
  await quiet();
  expect([outcome.value, robot.ran]).toEqual(['result-not-kept maybe', ['Voice.say(a)', 'Voice.say(b)']]);
});

describe('in IndexedDB', () => {
  beforeEach(() => {
    vi.stubGlobal('indexedDB', new IDBFactory());
    return () => vi.unstubAllGlobals();
  });

  test('calls keep their order and their bytes over loads of the page, and are gone once they are made', async () => {
    const locks = memoryLocks();
    const before = openTab(robot, { store: indexedDbQueue(), locks, isReady: false });
    for (const text of ['1', '2', '3']) await say(before, text);
    await until(() => before.queue.list().length === 3);
    await quiet();
    before.queue.close();
    const store = indexedDbQueue();
    expect((await store.load('robot')).map(({ args, bytes }) => [args, bytes.length])).toEqual([
      ['"1"', 5],
      ['"2"', 5],
      ['"3"', 5],
    ]);
    const after = openTab(robot, { store, locks });
    await until(() => after.told.filter((each) => each.startsWith('done')).length === 3);
    expect(robot.ran).toEqual(['Voice.say(1)', 'Voice.say(2)', 'Voice.say(3)']);
    expect(await store.load('robot')).toEqual([]);
  });

  test('a lease is of one owner until it is given back, or is over', async () => {
    const store = indexedDbQueue();
    const take = (owner: string, nowMs: number): Promise<boolean> =>
      store.takeLease('x', { owner, nowMs, untilMs: nowMs + 10 });
    expect([
      await take('a', 0),
      await take('b', 5),
      await take('a', 8),
      await take('b', 17),
      await take('b', 18),
    ]).toEqual([true, false, true, false, true]);
    await store.dropLease('x', 'a');
    expect(await take('a', 20)).toBe(false);
    await store.dropLease('x', 'b');
    expect(await take('a', 20)).toBe(true);
  });

  test('a call that was taken out is not put back by a late change', async () => {
    const store = indexedDbQueue();
    const tab = openTab(robot, { store, locks: memoryLocks(), isReady: false });
    await say(tab, 'a');
    await until(() => tab.queue.length === 1);
    await quiet();
    const [call] = await store.load('robot');
    await store.remove(call?.order ?? 0);
    await store.update(call!);
    expect(await store.load('robot')).toEqual([]);
  });
});

// What the browser remembers of robots: in the store, over loads of the page, and out of it again.
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, it } from 'vitest';
import { findRobot, type KnownRobot, MAX_ROBOTS, withRobot } from '../../web-demo/memory/known-robot.ts';
import { type Memory, openMemory } from '../../web-demo/memory/memory.ts';
import { openRobotStore } from '../../web-demo/memory/robot-store.ts';
import { dropUntold, showSnapshot, takeSnapshot } from '../../web-demo/memory/snapshot.ts';
import { createRobotState } from '../../web-demo/robot/robot-state.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

const robot = (id: string, seenAtMs: number, token = `t-${id}`): KnownRobot => ({
  id,
  url: `http://agent/#token=${token}&robot=${id}`,
  address: 'agent',
  seenAtMs,
  snapshot: { trail: [], postures: [] },
});

let clock: VirtualClock;
beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  clock = virtualClock();
});
const open = (): Promise<Memory> => openMemory({ openStore: openRobotStore, after: clock.after });
const ids = (memory: Memory): string[] => memory.robots.value.map(({ id }) => id);

describe('a memory', () => {
  it('outlives the page, the robot seen last first', async () => {
    const memory = await open();
    memory.keep(robot('a', 1));
    memory.keep(robot('b', 3));
    memory.keep(robot('a', 2));
    expect(ids(memory)).toEqual(['a', 'b']);
    await memory.forget('none');
    expect(ids(await open())).toEqual(['b', 'a']);
  });

  it('forgets for good, and learns again what it is shown again', async () => {
    const memory = await open();
    memory.keep(robot('a', 1));
    await memory.forget('a');
    expect([ids(memory), ids(await open())]).toEqual([[], []]);
    memory.keep(robot('a', 2));
    await memory.forget('none');
    expect(ids(await open())).toEqual(['a']);
  });

  it('keeps few robots: those seen longest ago fall off', async () => {
    const memory = await open();
    for (let at = 0; at <= MAX_ROBOTS; at += 1) memory.keep(robot(`r${at}`, at));
    await memory.forget('none');
    const kept = ids(await open());
    expect([kept.length, kept[0], kept.includes('r0')]).toEqual([MAX_ROBOTS, `r${MAX_ROBOTS}`, false]);
  });

  it('that cannot be opened costs only what it would have remembered', async () => {
    const memory = await openMemory({ openStore: () => Promise.reject(new Error('refused')), after: clock.after });
    memory.keep(robot('a', 1));
    expect(ids(memory)).toEqual(['a']);
    await memory.forget('a');
    expect(ids(memory)).toEqual([]);
  });

  it('that does not answer does not hold up the page', async () => {
    let isOpen = false;
    const opening = openMemory({ openStore: () => new Promise(() => undefined), after: clock.after });
    void opening.then(() => (isOpen = true));
    await clock.advance(900);
    expect(isOpen).toBe(false);
    await clock.advance(200);
    expect(isOpen).toBe(true);
  });
});

describe('the robot that a URL means', () => {
  const known = [robot('a', 2), robot('b', 1)];

  it('is that of its id', () => {
    expect(findRobot(known, 'http://agent/#token=x&robot=b')?.id).toBe('b');
    expect(findRobot(known, 'http://agent/#token=t-a&robot=c')).toBeUndefined();
  });

  it('is that of its token at the same address where it has no id', () => {
    expect(findRobot(known, 'http://agent/#token=t-b')?.id).toBe('b');
    expect(findRobot(known, 'http://elsewhere/#token=t-b')).toBeUndefined();
    expect(findRobot(known, 'http://agent/#token=x')).toBeUndefined();
  });

  it('is kept once', () => {
    expect(withRobot(known, robot('b', 3)).map(({ id, seenAtMs }) => [id, seenAtMs])).toEqual([
      ['b', 3],
      ['a', 2],
    ]);
  });
});

describe('a snapshot', () => {
  it('shows in another page what one knew, and nothing of a robot before', () => {
    const one = createRobotState();
    one.services.value = ['ALMotion'];
    one.batteryPercent.value = 81;
    one.pose.value = { x: 1, y: 2, theta: 0 };
    one.trail.value = Array.from({ length: 2000 }, (_, at) => ({ x: at, y: 0, theta: 0 }));
    one.postures.value = ['Stand'];
    const kept = structuredClone(takeSnapshot(one));
    const other = createRobotState();
    other.volume.value = 30;
    showSnapshot(other, kept);
    expect(other.batteryPercent.value).toBe(81);
    expect(other.services.value).toEqual(['ALMotion']);
    expect([other.trail.value.length, other.trail.value.at(-1)?.x]).toEqual([300, 1999]);
    expect(other.volume.value).toBeUndefined();
    showSnapshot(other);
    expect([other.batteryPercent.value, other.postures.value]).toEqual([undefined, []]);
  });

  it('leaves nothing standing that the robot, now here, does not tell', () => {
    const state = createRobotState();
    state.batteryPercent.value = 81;
    state.volume.value = 30;
    state.pose.value = { x: 1, y: 2, theta: 0 };
    state.postures.value = ['Stand'];
    dropUntold(state, ['ALMotion', 'ALMemory']);
    expect([state.batteryPercent.value, state.pose.value?.x]).toEqual([81, 1]);
    expect([state.volume.value, state.postures.value]).toEqual([undefined, []]);
  });
});

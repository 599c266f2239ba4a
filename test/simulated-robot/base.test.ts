// The base in the room: speed, acceleration, places, obstacles.
import { describe, expect, it } from 'vitest';
import { BASE_RADIUS, Base, wrap } from '../../simulated-robot/body/base.ts';
import { isOnDock, nearestObstacle } from '../../simulated-robot/room/obstacles.ts';
import { livingRoom } from '../../simulated-robot/room/plan.ts';
import { settled } from '../support/virtual-clock.ts';

const still = { x: 0, y: 0, theta: 0 };

function emptyRoom(): Base {
  return new Base({ ...livingRoom, boxes: [], pillars: [], balls: [] });
}

describe('the base', () => {
  it('speeds up to its limit and not beyond', () => {
    const base = emptyRoom();
    base.drive({ x: 5, y: 0, theta: 0 });
    base.step(0.1);
    expect(base.velocity.x).toBeCloseTo(0.08, 3);
    base.step(2);
    expect(base.velocity.x).toBeCloseTo(0.55, 6);
    expect(base.pose.y).toBeCloseTo(0, 9);
  });

  it('goes the same way in one long step as in many short ones', () => {
    const long = emptyRoom();
    const short = emptyRoom();
    for (const base of [long, short]) base.drive({ x: 0.3, y: 0.1, theta: 0.6 });
    long.step(2);
    for (let count = 0; count < 100; count++) short.step(0.02);
    expect(long.pose.x).toBeCloseTo(short.pose.x, 6);
    expect(long.pose.theta).toBeCloseTo(short.pose.theta, 6);
  });

  it('drives a circle when it turns while it moves', () => {
    const base = emptyRoom();
    base.drive({ x: 0.4, y: 0, theta: 0.8 });
    base.step(1);
    const center = {
      x: base.pose.x - 0.5 * Math.sin(base.pose.theta),
      y: base.pose.y + 0.5 * Math.cos(base.pose.theta),
    };
    base.step(1.5);
    expect(Math.hypot(base.pose.x - center.x, base.pose.y - center.y)).toBeCloseTo(0.5, 3);
  });

  it('brakes to a stop, then tells that it rests', () => {
    const base = emptyRoom();
    let rests = 0;
    base.rested.listen(() => rests++);
    base.drive({ x: 0.5, y: 0, theta: 0 });
    base.step(1.5);
    base.stop();
    expect(base.isActive).toBe(true);
    const before = base.pose.x;
    base.step(1);
    expect(base.velocity).toEqual(still);
    expect(base.pose.x - before).toBeGreaterThan(0.03);
    expect(base.pose.x - before).toBeLessThan(0.12);
    expect([base.isActive, rests]).toEqual([false, 1]);
  });

  it('tells its pose at 10 Hz while it moves, and not when it rests', () => {
    const base = emptyRoom();
    let told = 0;
    base.moved.listen(() => told++);
    base.drive({ x: 0.2, y: 0, theta: 0 });
    base.step(1);
    expect(told).toBe(10);
    base.stop();
    base.step(5);
    const afterRest = told;
    base.step(5);
    expect(told).toBe(afterRest);
  });

  it.each([
    { x: 1, y: 0, theta: 0 },
    { x: 0.3, y: -0.4, theta: Math.PI / 2 },
    { x: -0.5, y: 0.2, theta: -3 },
    { x: 0, y: 0, theta: 3.1 },
  ])('reaches the place $x $y $theta', async (offset) => {
    const base = emptyRoom();
    const move = base.moveTo(offset);
    base.step(12);
    expect(await move.done).toBe('reached');
    expect(base.pose.x).toBeCloseTo(offset.x, 2);
    expect(base.pose.y).toBeCloseTo(offset.y, 2);
    expect(Math.abs(wrap(base.pose.theta - offset.theta))).toBeLessThan(0.01);
    expect(base.isActive).toBe(false);
  });

  it('takes the place in its own frame', async () => {
    const base = emptyRoom();
    base.place({ x: 0.5, y: 0.5, theta: Math.PI / 2 });
    const move = base.moveTo({ x: 1, y: 0.2, theta: 0 });
    base.step(10);
    await move.done;
    expect(base.pose.x).toBeCloseTo(0.3, 2);
    expect(base.pose.y).toBeCloseTo(1.5, 2);
  });

  it('ends a move that another command replaces, and one that is cancelled', async () => {
    const base = emptyRoom();
    const replaced = base.moveTo({ x: 1, y: 0, theta: 0 });
    const canceled = base.moveTo({ x: -1, y: 0, theta: 0 });
    base.step(0.5);
    canceled.cancel();
    replaced.cancel();
    base.step(2);
    expect([await replaced.done, await canceled.done, base.isActive]).toEqual(['stopped', 'stopped', false]);
  });

  it('waits for rest, and stops waiting when cancelled', async () => {
    const base = emptyRoom();
    await base.untilRested().done;
    base.drive({ x: 0.2, y: 0, theta: 0 });
    const wait = base.untilRested();
    let isOver = false;
    wait.done.then(() => {
      isOver = true;
    });
    base.step(1);
    await settled();
    expect(isOver).toBe(false);
    wait.cancel();
    await wait.done;
    expect(base.isActive).toBe(true);
  });
});

describe('obstacles', () => {
  it('stop the base at their edge, and say their name once', () => {
    const base = new Base(livingRoom);
    const names: string[] = [];
    base.blocked.listen((name) => names.push(name));
    for (let count = 0; count < 20; count++) {
      base.drive({ x: 0.5, y: 0, theta: 0 });
      base.step(0.5);
    }
    expect(names).toEqual(['table']);
    expect(base.pose.x).toBeGreaterThan(1.6 - BASE_RADIUS - 0.03);
    expect(base.pose.x).toBeLessThanOrEqual(1.6 - BASE_RADIUS);
    expect(base.velocity).toEqual(still);
  });

  it('let the base turn and drive away', () => {
    const base = new Base(livingRoom);
    base.drive({ x: 0.5, y: 0, theta: 0 });
    base.step(6);
    base.drive({ x: 0.5, y: 0, theta: 1 });
    base.step(0.5);
    expect(base.pose.theta).toBeGreaterThan(0.2);
    base.drive({ x: -0.5, y: 0, theta: 0 });
    base.step(1);
    expect(base.pose.x).toBeLessThan(1.2);
  });

  it('end a move to a place behind them', async () => {
    const base = new Base(livingRoom);
    const move = base.moveTo({ x: 3.5, y: 0, theta: 0 });
    base.step(20);
    expect(await move.done).toBe('blocked');
    expect(base.isActive).toBe(false);
  });

  it('are never overlapped, wherever the base drives', () => {
    let seed = 11;
    const random = (): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return seed / 2 ** 32;
    };
    const base = new Base(livingRoom);
    for (let count = 0; count < 400; count++) {
      base.drive({ x: random() * 1.1 - 0.55, y: random() * 1.1 - 0.55, theta: random() * 4 - 2 });
      base.step(1.5);
      expect(
        nearestObstacle(livingRoom, { ...base.pose, radius: BASE_RADIUS }).distance,
        `drive ${count}`,
      ).toBeGreaterThanOrEqual(-1e-9);
    }
  });

  it('are found by name and distance', () => {
    expect(nearestObstacle(livingRoom, { x: 1.4, y: 0, radius: 0 })).toEqual({
      name: 'table',
      distance: expect.closeTo(0.2, 9),
    });
    expect(nearestObstacle(livingRoom, { x: 3.9, y: 0, radius: 0.3 })).toEqual({
      name: 'window wall',
      distance: expect.closeTo(-0.2, 9),
    });
    expect(nearestObstacle(livingRoom, { x: 1.05, y: 0.6, radius: 0 }).name).toBe('red ball');
    expect(nearestObstacle(livingRoom, { x: 1.9, y: 0, radius: 0 }).distance).toBeLessThan(0);
  });

  it('do not take a robot that is set down on them', () => {
    expect(() => new Base(livingRoom).place({ x: 1.9, y: 0, theta: 0 })).toThrow(/"table" is in the way/);
  });

  it('leave room at the start, on the dock and around', () => {
    for (const at of [{ x: 0, y: 0 }, livingRoom.dock]) {
      expect(nearestObstacle(livingRoom, { x: at.x, y: at.y, radius: BASE_RADIUS }).distance).toBeGreaterThan(0.1);
    }
    expect([isOnDock(livingRoom, livingRoom.dock), isOnDock(livingRoom, { x: 0, y: 0 })]).toEqual([true, false]);
  });
});

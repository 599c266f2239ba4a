// Pictures, plans, trails and series: what the robot sends, in the form that is drawn.
import { describe, expect, it } from 'vitest';
import { numbersIn } from '../../web-demo/plot/numbers.ts';
import { createSeriesBuffer, MAX_SPAN_S } from '../../web-demo/plot/series-buffer.ts';
import { readPicture, watchCamera } from '../../web-demo/robot/camera.ts';
import { readRoomPlan } from '../../web-demo/robot/room-plan.ts';
import { extendTrail, type Pose } from '../../web-demo/robot/trail.ts';
import { virtualClock } from '../support/virtual-clock.ts';

describe('the camera', () => {
  it.each([
    [11, [1, 2, 3], [1, 2, 3, 255]],
    [13, [1, 2, 3], [3, 2, 1, 255]],
    [0, [9], [9, 9, 9, 255]],
  ])('gives a picture in colour space %i', (colorSpace, pixels, rgba) => {
    const picture = readPicture([1, 1, pixels.length, colorSpace, 0, 0, new Uint8Array(pixels), 0, 0, 0, 0, 0]);
    expect([...(picture?.rgba ?? [])]).toEqual(rgba);
  });

  it('may have no picture yet', () => {
    expect(readPicture(null)).toBeUndefined();
  });

  it.each([['text'], [[1, 1]], [[2, 2, 3, 11, 0, 0, new Uint8Array(3)]], [[1, 1, 3, 99, 0, 0, new Uint8Array(3)]]])(
    'that sends something else is told: %j',
    (image) => {
      expect(() => readPicture(image)).toThrow(/camera sent/);
    },
  );

  it('is asked again only after the last picture came, and gets its subscription back', async () => {
    const clock = virtualClock();
    const asked: string[] = [];
    let deliver = (): void => undefined;
    const device = {
      subscribeCamera: async () => 'handle',
      unsubscribe: async (handle: string) => asked.push(`unsubscribe ${handle}`),
      getImageRemote: (handle: string) => {
        asked.push(handle);
        return new Promise((resolve) => {
          deliver = () => resolve([1, 1, 3, 11, 0, 0, new Uint8Array(3)]);
        });
      },
    };
    let pictures = 0;
    const stop = watchCamera(device, {
      camera: 0,
      resolution: 1,
      framesPerSecond: 10,
      after: clock.after,
      onPicture: () => (pictures += 1),
      onProblem: () => undefined,
    });
    await clock.advance(1000);
    expect(asked).toEqual(['handle']);
    deliver();
    await clock.advance(100);
    expect({ asked, pictures }).toEqual({ asked: ['handle', 'handle'], pictures: 1 });
    stop();
    expect(asked.at(-1)).toBe('unsubscribe handle');
    deliver();
    await clock.advance(1000);
    expect({ asked: asked.length, pictures }).toEqual({ asked: 3, pictures: 1 });
  });

  it('that has no place left frees those of pages that went without a word', async () => {
    const clock = virtualClock();
    let taken = 6;
    let pictures = 0;
    const device = {
      subscribeCamera: () => (taken < 6 ? Promise.resolve('handle') : Promise.reject(new Error('too many'))),
      unsubscribe: async () => true,
      unsubscribeAllInstances: async () => {
        taken = 0;
      },
      getImageRemote: async () => [1, 1, 3, 11, 0, 0, new Uint8Array(3)],
    };
    const stop = watchCamera(device, {
      camera: 0,
      resolution: 1,
      framesPerSecond: 10,
      after: clock.after,
      onPicture: () => {
        pictures += 1;
      },
      onProblem: (error) => expect.fail(String(error)),
    });
    await clock.advance(50);
    stop();
    expect(pictures).toBe(1);
  });

  it('that fails is told and tried again', async () => {
    const clock = virtualClock();
    const problems: unknown[] = [];
    const device = {
      subscribeCamera: () => Promise.reject(new Error('busy')),
      unsubscribe: async () => true,
      getImageRemote: async () => null,
    };
    const stop = watchCamera(device, {
      camera: 0,
      resolution: 1,
      framesPerSecond: 10,
      after: clock.after,
      onPicture: () => undefined,
      onProblem: (error) => problems.push(error),
    });
    await clock.advance(4500);
    stop();
    expect(problems).toHaveLength(3);
  });
});

describe('the plan of the room', () => {
  it('is found in lists, structs and maps', () => {
    const wall = { name: 'north', x1: 0, y1: 0, x2: 1, y2: 0, color: 0xff0000 };
    const box = { name: 'box', x: 1, y: 1, width: 0.5, depth: 0.5, color: 0x00ff7f };
    const plan = readRoomPlan(
      new Map<string, unknown>([
        ['walls', [wall]],
        ['boxes', [box]],
        ['pillars', [{ name: 'pillar', x: 2, y: 2, radius: 0.2 }]],
      ]),
    );
    expect(plan.walls).toEqual([{ x1: 0, y1: 0, x2: 1, y2: 0 }]);
    expect(plan.things.map(({ shape, color }) => [shape.kind, color])).toEqual([
      ['box', '#00ff7f'],
      ['disc', '#8a979f'],
    ]);
  });

  it('has the floor below everything, and nothing that hangs', () => {
    const lamp = { name: 'lamp', x: 0, y: 0, z: 2.2, radius: 0.2 };
    const ball = { name: 'ball', x: 1, y: 0, z: 0.1, radius: 0.1 };
    const plan = readRoomPlan({ balls: [lamp, ball], carpet: { x: 0, y: 0, width: 2, depth: 2 } });
    expect(plan.things.map(({ name, isFlat }) => [name, isFlat])).toEqual([
      ['carpet', true],
      ['ball', false],
    ]);
  });

  it('is empty for anything else', () => {
    expect(readRoomPlan('a room')).toEqual({ walls: [], things: [] });
  });
});

describe('the trail', () => {
  it('grows only when the robot moved, and is bounded', () => {
    let trail: readonly Pose[] = [];
    trail = extendTrail(trail, { x: 0, y: 0, theta: 0 });
    trail = extendTrail(trail, { x: 0.001, y: 0, theta: 1 });
    expect(trail).toHaveLength(1);
    for (let step = 1; step < 3000; step += 1) trail = extendTrail(trail, { x: step, y: 0, theta: 0 });
    expect(trail).toHaveLength(1500);
    expect(trail.at(-1)?.x).toBe(2999);
  });
});

describe('plotted numbers', () => {
  it('are found within a value, with names', () => {
    const numbers = numbersIn({ pose: [1, 2n], isOn: true, name: 'x', other: new Map([['a', 3]]) }, 'state');
    expect([...numbers]).toEqual([
      ['state.pose.1', 1],
      ['state.pose.2', 2],
      ['state.isOn', 1],
      ['state.other.a', 3],
    ]);
    expect([...numbersIn(5, 'volume')]).toEqual([['volume', 5]]);
  });

  it('are at most six, and no bytes', () => {
    expect(numbersIn(Array.from({ length: 40 }, () => 1)).size).toBe(6);
    expect(numbersIn(new Uint8Array(9)).size).toBe(0);
  });

  it('that begin later have no value before', () => {
    const buffer = createSeriesBuffer();
    buffer.add(1, new Map([['a', 1]]));
    buffer.add(2, new Map([['b', 2]]));
    expect(buffer.labels).toEqual(['a', 'b']);
    expect(buffer.columns).toEqual([
      [1, 2],
      [1, undefined],
      [undefined, 2],
    ]);
  });

  it('have a hole where some may be missing, one however often that is said', () => {
    const buffer = createSeriesBuffer();
    buffer.gap(0);
    buffer.add(1, new Map([['a', 1]]));
    buffer.gap(2);
    buffer.gap(3);
    buffer.add(4, new Map([['a', 2]]));
    expect(buffer.columns).toEqual([
      [1, 2, 4],
      [1, null, 2],
    ]);
  });

  it('are forgotten when they are older than the longest window', () => {
    const buffer = createSeriesBuffer();
    for (let second = 0; second < 1000; second += 1) buffer.add(second, new Map([['a', second]]));
    const [times, values] = buffer.columns;
    expect(times[0]).toBeGreaterThan(999 - MAX_SPAN_S * 1.3);
    expect(values).toHaveLength(times.length);
  });
});

// ALVideoDevice, SimulatedRoom and QiwayEcho as a caller on the bus sees them, and what all services tell of themselves.
import { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import { describe, expect, it } from 'vitest';
import { settled } from '../support/virtual-clock.ts';
import { heard, livingRobot, refusal, type Service, START_MS } from './living-robot.ts';

/** A picture as the list that NAOqi gives. */
async function imageOf(video: Service, handle: unknown): Promise<readonly unknown[]> {
  const image: unknown = await video.getImageRemote(handle);
  if (!Array.isArray(image)) throw new Error('no picture');
  return image;
}

describe('ALVideoDevice', () => {
  it('gives pictures in the layout of NAOqi', async () => {
    const { clock, service } = livingRobot();
    const video = service('ALVideoDevice');
    await clock.advance(1234.5);
    const handle = await video.subscribeCamera('me', 0, 1, 11, 30);
    const image = await imageOf(video, handle);
    expect(image.slice(0, 6)).toEqual([320, 240, 3, 11, START_MS / 1000 + 1, 234_500]);
    expect(image[6]).toBeInstanceOf(Uint8Array);
    expect((image[6] as Uint8Array).length).toBe(320 * 240 * 3);
    expect(image[7]).toBe(0);
    expect(image.slice(8)).toEqual([
      expect.closeTo(0.499, 3),
      expect.closeTo(0.388, 3),
      expect.closeTo(-0.499, 3),
      expect.closeTo(-0.388, 3),
    ]);
  });

  it.each([
    [8, 0, 40 * 30],
    [7, 13, 80 * 60 * 3],
    [0, 9, 160 * 120 * 2],
    [1, 0, 320 * 240],
    [2, 11, 640 * 480 * 3],
    [0, 10, 160 * 120 * 3],
  ])('has resolution %i in colour space %i with %i bytes', async (resolution, colorSpace, bytes) => {
    const video = livingRobot().service('ALVideoDevice');
    const handle = await video.subscribeCamera('me', 1, resolution, colorSpace, 10);
    const image = await imageOf(video, handle);
    expect((image[6] as Uint8Array).length).toBe(bytes);
    expect(image[7]).toBe(1);
  });

  it('shows another picture when the robot turned, or its head, but not sooner than the rate asked for', async () => {
    const { clock, service } = livingRobot();
    const video = service('ALVideoDevice');
    const motion = service('ALMotion');
    const handle = await video.subscribeCamera('me', 0, 0, 11, 5);
    const pixels = async (): Promise<Uint8Array> => (await imageOf(video, handle))[6] as Uint8Array;
    const first = await pixels();
    await motion.moveToward(0, 0, 1);
    await clock.advance(100);
    expect(await pixels()).toEqual(first);
    await clock.advance(400);
    const turned = await pixels();
    expect(turned).not.toEqual(first);
    await motion.stopMove();
    await clock.advance(1000);
    const still = await pixels();
    await clock.advance(1000);
    expect(await pixels()).toEqual(still);
    await motion.setAngles('HeadYaw', -0.5, 1);
    await clock.advance(1000);
    expect(await pixels()).not.toEqual(still);
  });

  it('gives handles to six subscribers of a name, and takes them back', async () => {
    const video = livingRobot().service('ALVideoDevice');
    const handles: unknown[] = [];
    for (let count = 0; count < 6; count++) handles.push(await video.subscribeCamera('me', 0, 0, 11, 5));
    expect(handles.slice(0, 2)).toEqual(['me', 'me_1']);
    expect(await refusal(video.subscribeCamera('me', 0, 0, 11, 5))).toContain('subscribed 6 times already');
    expect([await video.unsubscribe('me_1'), await video.unsubscribe('me_1')]).toEqual([true, false]);
    expect(await video.subscribe('me', 0, 11, 5)).toBe('me_1');
    expect(await video.unsubscribeAllInstances('me')).toBe(true);
    expect(await video.getSubscribers()).toEqual([]);
    expect(await refusal(video.getImageRemote('me'))).toContain('"me" has not subscribed; call subscribeCamera()');
  });

  it('lets the subscriber that was silent longest give way when there are too many', async () => {
    const { clock, service } = livingRobot();
    const video = service('ALVideoDevice');
    for (let count = 0; count < 48; count++) await video.subscribeCamera(`client ${count}`, 0, 0, 11, 5);
    expect(await refusal(video.subscribeCamera('late', 0, 0, 11, 5))).toContain('48 programs');
    await clock.advance(61_000);
    await video.getFrameRate('client 0');
    expect(await video.subscribeCamera('late', 0, 0, 11, 5)).toBe('late');
    const left = (await video.getSubscribers()) as string[];
    expect([left.includes('client 0'), left.includes('client 1'), left.length]).toEqual([true, false, 48]);
  });

  it('changes formats, and refuses those it has not', async () => {
    const video = livingRobot().service('ALVideoDevice');
    await video.subscribeCamera('me', 0, 0, 11, 5);
    await video.setResolution('me', 7);
    await video.setColorSpace('me', 0);
    await video.setFrameRate('me', 15);
    expect((await imageOf(video, 'me')).slice(0, 4)).toEqual([80, 60, 1, 0]);
    expect([await video.getResolution('me'), await video.getColorSpace('me'), await video.getFrameRate('me')]).toEqual([
      7, 0, 15,
    ]);
    expect(await refusal(video.setResolution('me', 5))).toContain('There is no resolution 5; there is 8 kQQQQVGA');
    expect(await refusal(video.subscribeCamera('x', 7, 0, 11, 5))).toContain(
      'There is no camera 7; there is 0 kTopCamera, 1 kBottomCamera',
    );
    expect(await refusal(video.subscribeCamera('x', 0, 0, 12, 5))).toContain('There is no colour space 12');
    expect(await refusal(video.subscribeCamera('x', 0, 0, 11, 100))).toContain('fps must be a number from 1 to 30');
    expect(await video.getHorizontalFOV(0)).toBeCloseTo(0.9983, 4);
  });
});

describe('SimulatedRoom', () => {
  it('gives a plan with named things, of which the walls close', async () => {
    const plan = (await livingRobot().service('SimulatedRoom').plan()) as {
      walls: { name: string; x1: number; y1: number; x2: number; y2: number }[];
      boxes: { name: string; color: number }[];
      dock: { radius: number };
      robotRadius: number;
    };
    expect(plan.walls).toHaveLength(4);
    plan.walls.forEach((wall, index) => {
      const next = plan.walls[(index + 1) % 4];
      expect([wall.x2, wall.y2]).toEqual([next?.x1, next?.y1]);
    });
    expect(plan.boxes).toContainEqual(expect.objectContaining({ name: 'red box', color: 0xc8372d }));
    expect(plan.robotRadius).toBeCloseTo(0.26, 6);
  });

  it('carries the robot, but not into things', async () => {
    const { service } = livingRobot();
    const positions = await heard(service('ALMotion').positionChanged);
    await service('SimulatedRoom').placeRobot(1, -1, 0.5);
    expect(positions).toEqual([[1, -1, 0.5]]);
    expect(await refusal(service('SimulatedRoom').placeRobot(1.9, 0, 0))).toContain('"table" is in the way');
  });
});

describe('QiwayEcho', () => {
  it.each([
    ['echoBool', true],
    ['echoInt8', -128],
    ['echoUint8', 255],
    ['echoInt16', -32_768],
    ['echoUint16', 65_535],
    ['echoInt32', -2_147_483_648],
    ['echoUint32', 4_294_967_295],
    ['echoInt64', -(2n ** 63n)],
    ['echoUint64', 2n ** 64n - 1n],
    ['echoFloat', 0.5],
    ['echoDouble', 0.1],
    ['echoString', 'héllo'],
    ['echoRaw', Uint8Array.of(0, 255)],
    ['echoInts', [1, -2]],
    ['echoStrings', ['a', '']],
    ['echoLists', [[1.5], []]],
    ['echoTuple', [1, 'a', true]],
    ['echoPoint', { x: 1.5, y: 2, name: 'here' }],
    ['echoDynamic', [1, 'two', 2.5]],
    ['echoVarArgs', ['a', 'b']],
  ])('%s gives back what it got', async (name, value) => {
    expect(await livingRobot().service('QiwayEcho')[name as 'echoBool'](value)).toEqual(value);
  });

  it('adds by the overload that fits', async () => {
    const echo = livingRobot().service('QiwayEcho');
    expect([await echo.add(1, 2), await echo.add(1.5, 2.25), await echo.add('a', 'b')]).toEqual([3, 3.75, 'ab']);
  });

  it('makes raw buffers, and fails with the text given', async () => {
    const echo = livingRobot().service('QiwayEcho');
    const raw = (await echo.raw(1000)) as Uint8Array;
    expect([raw.length, raw[250], raw[251], await echo.rawLength(raw)]).toEqual([1000, 250, 0, 1000]);
    expect(await refusal(echo.raw(2 ** 30))).toContain('size must be');
    expect(await refusal(echo.fail('no luck'))).toBe('[call-failed] no luck');
  });

  it('returns late from slow, or cancelled', async () => {
    const { clock, service } = livingRobot();
    const echo = service('QiwayEcho');
    const slow = echo.slow(500);
    await clock.advance(500);
    expect(await slow).toBe(500);
    const controller = new AbortController();
    const refused = refusal(echo.slow.with({ signal: controller.signal })(500));
    controller.abort();
    expect(await refused).toContain('[canceled]');
  });

  it('ticks as often as asked, until stopped', async () => {
    const { clock, service } = livingRobot();
    const echo = service('QiwayEcho');
    const ticks = await heard(echo.tick);
    await echo.startTicks(3, 100);
    await clock.advance(1000);
    expect(ticks).toEqual([0, 1, 2]);
    await echo.startTicks(100, 10);
    await clock.advance(50);
    await echo.stopTicks();
    await clock.advance(1000);
    expect(ticks.length).toBe(8);
    await echo.burst(1000);
    expect([ticks.length, ticks.at(-1)]).toEqual([1008, 999]);
  });

  it('makes counters that live as long as somebody holds them', async () => {
    const echo = livingRobot().service('QiwayEcho');
    const counter = (await echo.makeCounter(5)) as Service;
    const values = await heard(counter.changed);
    expect([await counter.increment(), await counter.add(10), await counter.value.value()]).toEqual([6, 16, 16]);
    expect([values, await echo.countersAlive()]).toEqual([[6, 16], 1]);
    const list = (await echo.makeCounters(3)) as Service[];
    expect([await list[2]?.get(), await echo.countersAlive()]).toEqual([2, 4]);
    counter.release();
    await settled();
    expect(await echo.countersAlive()).toBe(3);
  });

  it('calls objects that the caller gives, and its own that come back', async () => {
    const echo = livingRobot().service('QiwayEcho');
    const doubler = { double: (value: number) => value * 2 };
    expect(await echo.callObject(doubler, 'double', [21])).toBe(42);
    const counter = (await echo.makeCounter(1)) as Service;
    expect(await echo.callObject(counter, 'add', [4])).toBe(5);
    expect(await refusal(echo.callObject(doubler, 'treble', [1]))).toContain('treble');
    expect(await echo.echoObject(null)).toBeNull();
  });

  it('calls another service of the bus', async () => {
    const bus = new EmbeddedBus({ machineId: 'm', processId: 1, sessionId: 's' });
    const shown: string[] = [];
    await bus.host(
      'Display',
      createObject({ show: method('(s)', 's', (text: string) => `shown ${shown.push(text)}`) }),
    );
    const echo = livingRobot({ bus }).service('QiwayEcho');
    expect(await echo.callService('Display', 'show', ['hi'])).toBe('shown 1');
    expect(shown).toEqual(['hi']);
    expect(await refusal(echo.callService('Displai', 'show', ['hi']))).toContain('Display');
    expect(await refusal(livingRobot().service('QiwayEcho').callService('Display', 'show', []))).toContain(
      'not on the bus',
    );
  });

  it('has properties of several types, one of which refuses', async () => {
    const echo = livingRobot().service('QiwayEcho');
    await echo.point.setValue({ x: 3, y: 4, name: 'there' });
    expect(await echo.point.value()).toEqual({ x: 3, y: 4, name: 'there' });
    await echo.number.setValue(-1000);
    expect(await refusal(echo.number.setValue(1001))).toContain('from -1000 to 1000');
    expect([await echo.number.value(), await echo.list.value()]).toEqual([-1000, [1, 2, 3]]);
  });
});

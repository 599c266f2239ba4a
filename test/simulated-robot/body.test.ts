// Joints, postures, speech, battery, lights and memory, with time passing by steps.
import { describe, expect, it } from 'vitest';
import { Battery } from '../../simulated-robot/body/battery.ts';
import { JOINTS, Joints } from '../../simulated-robot/body/joints.ts';
import { Lights, mix } from '../../simulated-robot/body/lights.ts';
import { createMemory } from '../../simulated-robot/body/memory.ts';
import { Robot } from '../../simulated-robot/body/robot.ts';
import { Speech, type SpeechNews } from '../../simulated-robot/body/speech.ts';
import { livingRoom } from '../../simulated-robot/room/plan.ts';

describe('joints', () => {
  it('move towards an angle at their speed and stay there', () => {
    const joints = new Joints(new Map());
    joints.aim('HeadYaw', { angle: 1, fraction: 0.1 });
    joints.step(1);
    expect(joints.angle('HeadYaw')).toBeCloseTo(0.7, 6);
    joints.step(1);
    joints.step(1);
    expect(joints.angle('HeadYaw')).toBe(1);
  });

  it('stay within their range', () => {
    const joints = new Joints(new Map());
    joints.aim('HeadPitch', { angle: 5, fraction: 1 });
    joints.step(10);
    expect(joints.angle('HeadPitch')).toBe(JOINTS.get('HeadPitch')?.max);
  });

  it('follow points in time', async () => {
    const joints = new Joints(new Map());
    const task = joints.follow(
      new Map([
        [
          'HeadYaw',
          [
            { angle: 1, at: 1 },
            { angle: 0, at: 3 },
          ],
        ],
      ]),
    );
    joints.step(0.5);
    expect(joints.angle('HeadYaw')).toBeCloseTo(0.5, 9);
    joints.step(1.5);
    expect(joints.angle('HeadYaw')).toBeCloseTo(0.5, 9);
    joints.step(1.5);
    expect([await task.done, joints.angle('HeadYaw')]).toEqual([true, 0]);
  });

  it('tell that they did not arrive when another command takes over', async () => {
    const joints = new Joints(new Map());
    const task = joints.aimAll(
      new Map([
        ['HeadYaw', 1],
        ['HeadPitch', 0.3],
      ]),
      0.1,
    );
    joints.step(0.1);
    joints.aim('HeadYaw', { angle: -1, fraction: 1 });
    joints.step(1);
    expect(await task.done).toBe(false);
  });
});

describe('postures', () => {
  it('take time, and are recognised when they are reached', async () => {
    const robot = new Robot(livingRoom);
    const changes: string[] = [];
    robot.postures.changed.listen((name) => changes.push(name));
    const task = robot.postures.goTo('Crouch', 0.5);
    robot.step(200);
    expect(robot.postures.current).toBe('');
    for (let count = 0; count < 500; count++) robot.step(20);
    expect([await task.done, robot.postures.current, changes]).toEqual([true, 'Crouch', ['', 'Crouch']]);
  });

  it('lower the eyes when the robot crouches', () => {
    const robot = new Robot(livingRoom);
    const standing = robot.eye.z;
    robot.postures.goTo('Crouch', 1);
    for (let count = 0; count < 300; count++) robot.step(20);
    expect(robot.eye.z).toBeLessThan(standing - 0.25);
  });

  it('come with rest, which switches the motors off at its end', async () => {
    const robot = new Robot(livingRoom);
    const resting = robot.rest();
    expect(robot.isAwake).toBe(true);
    for (let count = 0; count < 300; count++) robot.step(20);
    await resting.done;
    expect([robot.isAwake, robot.memory.get('robotIsWakeUp')]).toEqual([false, false]);
  });
});

describe('speech', () => {
  function listen(speech: Speech): string[] {
    const lines: string[] = [];
    const line = (news: SpeechNews): string =>
      news.kind === 'word' ? news.word : news.kind === 'sentence' ? `<${news.sentence}>` : `${news.kind} ${news.id}`;
    speech.news.listen((news) => lines.push(line(news)));
    return lines;
  }

  it('takes the longer the more words there are', async () => {
    const speech = new Speech();
    const secondsFor = (text: string): number => {
      speech.say(text);
      let seconds = 0;
      for (; speech.isSpeaking; seconds += 0.01) speech.step(0.01);
      return seconds;
    };
    const short = secondsFor('one two');
    expect(short).toBeGreaterThan(0.4);
    expect(secondsFor('one two one two')).toBeCloseTo(short * 2, 1);
    speech.speed = 200;
    expect(secondsFor('one two')).toBeCloseTo(short / 2, 1);
  });

  it('says one text after the other, word by word', async () => {
    const speech = new Speech();
    const lines = listen(speech);
    const first = speech.say('Hello, world! Nice.');
    const second = speech.say('Bye');
    speech.step(0.1);
    expect(lines).toEqual(['enqueued 1', 'enqueued 2', 'started 1', '<Hello, world!>', 'Hello']);
    speech.step(10);
    expect(lines.slice(5)).toEqual(['world', '<Nice.>', 'Nice', 'done 1', 'started 2', '<Bye>', 'Bye', 'done 2']);
    expect([await first.done, await second.done]).toEqual(['said', 'said']);
  });

  it('leaves instructions to the voice out', () => {
    const speech = new Speech();
    const lines = listen(speech);
    speech.say('\\rspd=80\\ Slow ^start(animations/Hey_1) now - …');
    speech.step(10);
    expect(lines.filter((line) => /^\w+$/.test(line))).toEqual(['Slow', 'now']);
  });

  it('stops in the middle, and drops what waits', async () => {
    const speech = new Speech();
    const lines = listen(speech);
    const first = speech.say('one two three');
    const second = speech.say('four');
    speech.step(0.4);
    speech.stopAll();
    speech.step(5);
    expect([await first.done, await second.done, lines.slice(-2)]).toEqual([
      'stopped',
      'stopped',
      ['stopped 1', 'stopped 2'],
    ]);
    expect(lines).not.toContain('four');
  });

  it('ends a text without words at once, and refuses when too many wait', async () => {
    const speech = new Speech();
    const empty = speech.say(' … ');
    speech.step(0.001);
    expect(await empty.done).toBe('said');
    for (let count = 0; count < 64; count++) speech.say('word');
    expect(() => speech.say('word')).toThrow(/64 texts are waiting/);
  });
});

describe('the battery', () => {
  const idle = { isDriving: false, isSpeaking: false, isOnDock: false };

  it('drains faster when the robot drives', () => {
    const lostIn = (load: typeof idle): number => {
      const battery = new Battery(100);
      battery.step(600, load);
      return 100 - battery.charge;
    };
    expect(lostIn(idle)).toBe(17);
    expect(lostIn({ ...idle, isDriving: true })).toBe(83);
  });

  it('tells each whole percent, and charges on the dock up to full', () => {
    const battery = new Battery(50);
    const charges: number[] = [];
    const plugged: boolean[] = [];
    battery.chargeChanged.listen((charge) => charges.push(charge));
    battery.pluggedChanged.listen((isPlugged) => plugged.push(isPlugged));
    for (let count = 0; count < 60; count++) battery.step(1, idle);
    for (let count = 0; count < 300; count++) battery.step(1, { ...idle, isOnDock: true });
    expect(charges.slice(0, 3)).toEqual([49, 48, 49]);
    expect([battery.charge, plugged]).toEqual([100, [true]]);
  });

  it('slows the robot down when it is low, and never runs empty', () => {
    const robot = new Robot(livingRoom, { charge: 2 });
    robot.base.drive({ x: -0.5, y: 0, theta: 0 });
    for (let count = 0; count < 50; count++) robot.step(20);
    expect(robot.base.velocity.x).toBeCloseTo(-0.25, 3);
    robot.base.place({ x: 0, y: 0, theta: 0 });
    for (let count = 0; count < 1000; count++) robot.step(1000);
    expect(robot.battery.charge).toBe(1);
  });
});

describe('lights', () => {
  it('fade from one colour to another in time', async () => {
    const lights = new Lights();
    const changes: string[] = [];
    lights.changed.listen(({ group, color }) => changes.push(`${group} ${color.toString(16)}`));
    const task = lights.fade('FaceLeds', { color: 0x000000, seconds: 1 });
    lights.step(0.5);
    expect(lights.color('FaceLeds')).toBe(0x808080);
    lights.step(0.6);
    await task.done;
    expect(changes).toEqual(['LeftFaceLeds 0', 'RightFaceLeds 0']);
    expect(lights.color('ChestLeds')).toBe(0xffffff);
  });

  it('end a fade that another one replaces', async () => {
    const lights = new Lights();
    const first = lights.fade('ChestLeds', { color: 0xff0000, seconds: 5 });
    const second = lights.fade('AllLeds', { color: 0x00ff00, seconds: 0 });
    await Promise.all([first.done, second.done]);
    expect(lights.color('ChestLeds')).toBe(0x00ff00);
    expect(mix(0, 0xff8040, 0.5)).toBe(0x804020);
  });
});

describe('memory', () => {
  it('tells the subscribers of an event, once each, until they stop', () => {
    const memory = createMemory();
    const values: unknown[] = [];
    const stop = memory.subscribe('Door', (value) => values.push(value));
    memory.raise('Door', 'open');
    memory.insert('Door', 'quiet');
    memory.raiseMicro('Door', 'ajar');
    stop();
    memory.raise('Door', 'shut');
    expect([values, memory.get('Door')]).toEqual([['open', 'ajar'], 'shut']);
  });

  it('names the nearest key when there is none, and says that an event has no value yet', () => {
    const memory = createMemory();
    memory.insert('BatteryChargeChanged', 1);
    memory.declare('Later');
    expect(() => memory.get('BateryChargeChanged')).toThrow('Did you mean BatteryChargeChanged?');
    expect(() => memory.get('Later')).toThrow(/no value yet/);
    expect(() => memory.remove('Nothing')).toThrow(/no data "Nothing"/);
  });

  it('is bounded', () => {
    const memory = createMemory();
    for (let count = 0; count < 10_000; count++) memory.insert(`key ${count}`, count);
    expect(() => memory.insert('one more', 0)).toThrow(/10000 keys/);
    memory.insert('key 7', 'still changes');
    expect(() => memory.raise('', 0)).toThrow(/1 to 256/);
  });
});

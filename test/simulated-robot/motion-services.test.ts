// ALMotion and ALRobotPosture as a caller on the bus sees them.
import { describe, expect, it } from 'vitest';
import { settled } from '../support/virtual-clock.ts';
import { heard, livingRobot, refusal } from './living-robot.ts';

describe('ALMotion', () => {
  it('moves until it is stopped, and tells where it is', async () => {
    const { clock, service } = livingRobot();
    const motion = service('ALMotion');
    const positions = (await heard(motion.positionChanged)) as number[][];
    await motion.moveToward(0.5, 0, 0);
    await clock.advance(2000);
    expect(await motion.moveIsActive()).toBe(true);
    expect(await motion.getRobotVelocity()).toEqual([expect.closeTo(0.275, 3), 0, 0]);
    await motion.stopMove();
    await clock.advance(1000);
    expect(await motion.moveIsActive()).toBe(false);
    expect(positions.length).toBeGreaterThan(18);
    expect(positions.at(-1)).toEqual(await motion.getRobotPosition(true));
    expect(positions.at(-1)?.[0]).toBeGreaterThan(0.45);
  });

  it('returns true from moveTo when it is there', async () => {
    const { clock, service } = livingRobot();
    const motion = service('ALMotion');
    const move = motion.moveTo(0.4, 0.2, 1);
    await clock.advance(200);
    expect(await motion.getNextRobotPosition()).toEqual([
      expect.closeTo(0.4, 5),
      expect.closeTo(0.2, 5),
      expect.closeTo(1, 5),
    ]);
    await clock.advance(6000);
    expect(await move).toBe(true);
    expect(await motion.getRobotPosition(false)).toEqual([
      expect.closeTo(0.4, 2),
      expect.closeTo(0.2, 2),
      expect.closeTo(1, 2),
    ]);
  });

  it('stops on the robot when the call is cancelled', async () => {
    const { clock, service } = livingRobot();
    const motion = service('ALMotion');
    const controller = new AbortController();
    const move = motion.moveTo.with({ signal: controller.signal })(1, 0, 0);
    const refused = refusal(move);
    await clock.advance(800);
    controller.abort();
    await clock.advance(1000);
    expect(await refused).toContain('[canceled]');
    expect(await motion.moveIsActive()).toBe(false);
    const [x] = (await motion.getRobotPosition(true)) as number[];
    expect(x).toBeGreaterThan(0.1);
    expect(x).toBeLessThan(0.6);
  });

  it('stops at an obstacle, says what it is, and moveTo returns false', async () => {
    const { clock, service } = livingRobot();
    const motion = service('ALMotion');
    const names = await heard(motion.moveBlocked);
    const move = motion.moveTo(3.5, 0, 0);
    await clock.advance(10_000);
    expect(await move).toBe(false);
    expect(names).toEqual(['table']);
    expect(await service('ALMemory').getData('ALMotion/MoveFailed')).toEqual([
      'Obstacle',
      'table',
      [expect.closeTo(1.33, 1), expect.closeTo(0, 2)],
    ]);
  });

  it('keeps to the limits that a call configures', async () => {
    const { clock, service } = livingRobot();
    const motion = service('ALMotion');
    await motion.moveToward(1, 0, 0, [['MaxVelXY', 0.1]]);
    await clock.advance(1000);
    expect(await motion.getRobotVelocity()).toEqual([expect.closeTo(0.1, 3), 0, 0]);
    expect(await refusal(motion.moveToward(1, 0, 0, [['MaxVelXy', 0.1]]))).toContain('Did you mean MaxVelXY');
    expect(await refusal(motion.moveTo(1, 0, 0, [['MaxVelXY', 7]]))).toContain(
      'MaxVelXY must be a number from 0.05 to 0.55, not 7',
    );
  });

  it('refuses speeds and places that make no sense', async () => {
    const motion = livingRobot().service('ALMotion');
    expect(await refusal(motion.moveToward(1.5, 0, 0))).toBe('[call-failed] x must be a number from -1 to 1, not 1.5.');
    expect(await refusal(motion.moveTo(0, Number.POSITIVE_INFINITY, 0))).toContain(
      'y must be a number from -100 to 100',
    );
    expect(await refusal(motion.move(0, 0, Number.NaN))).toContain('theta must be a number');
  });

  it('waits until a move has ended', async () => {
    const { clock, service } = livingRobot();
    const motion = service('ALMotion');
    await motion.move(0.2, 0, 0);
    let isOver = false;
    const waiting = motion.waitUntilMoveIsFinished().then(() => {
      isOver = true;
    });
    await clock.advance(1000);
    expect(isOver).toBe(false);
    await motion.stopMove();
    await clock.advance(1000);
    await waiting;
    expect(isOver).toBe(true);
  });

  it('does not move at rest, until it wakes up', async () => {
    const { clock, service } = livingRobot();
    const motion = service('ALMotion');
    const awake = await heard(motion.isAwake);
    const resting = motion.rest();
    await clock.advance(5000);
    await resting;
    expect(await motion.robotIsWakeUp()).toBe(false);
    expect(await refusal(motion.moveToward(1, 0, 0))).toContain('call ALMotion.wakeUp() first');
    expect(await refusal(motion.setAngles('HeadYaw', 1, 0.5))).toContain('at rest');
    const waking = motion.wakeUp();
    await clock.advance(5000);
    await waking;
    await motion.moveToward(0.1, 0, 0);
    expect(awake).toEqual([false, true]);
  });

  it('takes names and angles in every form NAOqi does', async () => {
    const { clock, service } = livingRobot();
    const motion = service('ALMotion');
    await motion.setAngles('HeadYaw', 0.4, 1);
    await clock.advance(500);
    expect(await motion.getAngles('HeadYaw', true)).toEqual([expect.closeTo(0.4, 6)]);
    await motion.setAngles('Head', [0.1, 0.2], 1);
    await clock.advance(500);
    expect(await motion.getAngles(['HeadPitch', 'HeadYaw'], true)).toEqual([
      expect.closeTo(0.2, 6),
      expect.closeTo(0.1, 6),
    ]);
    await motion.changeAngles(['HeadYaw', 'HeadPitch'], [0.1, -0.1], 1);
    await clock.advance(500);
    expect(await motion.getAngles('Head', true)).toEqual([expect.closeTo(0.2, 6), expect.closeTo(0.1, 6)]);
    expect(await refusal(motion.setAngles('Head', [1, 2, 3], 1))).toContain('2 joints and 3 angles');
    expect(await refusal(motion.setAngles('HeadYaw', 'left', 1))).toContain(
      'angles must be a number or a list of numbers, not "left"',
    );
    expect(await refusal(motion.setAngles('HeadYaw', 1, 0))).toContain('above 0 and at most 1');
    expect(await refusal(motion.getAngles('HedYaw', true))).toContain('Did you mean HeadYaw');
  });

  it('interpolates angles in time, absolute and by change', async () => {
    const { clock, service } = livingRobot();
    const motion = service('ALMotion');
    const nod = motion.angleInterpolation(['HeadYaw', 'HeadPitch'], [[0.5, 0], [0.2]], [[1, 2], [1]], true);
    await clock.advance(1010);
    expect(await motion.getAngles('Head', true)).toEqual([expect.closeTo(0.49, 1), expect.closeTo(0.2, 6)]);
    await clock.advance(1500);
    await nod;
    const by = motion.angleInterpolation('HeadYaw', 0.3, 0.5, false);
    await clock.advance(600);
    await by;
    expect(await motion.getAngles('HeadYaw', true)).toEqual([expect.closeTo(0.3, 6)]);
    expect(await refusal(motion.angleInterpolation('HeadYaw', [1, 2], [2, 1], true))).toContain('must rise');
  });

  it('lists bodies, limits and a summary', async () => {
    const motion = livingRobot().service('ALMotion');
    expect(await motion.getBodyNames('Head')).toEqual(['HeadYaw', 'HeadPitch']);
    expect(await motion.getBodyNames('Body')).toHaveLength(17);
    expect(await motion.getLimits('HeadYaw')).toEqual([[expect.closeTo(-2.0857, 4), expect.closeTo(2.0857, 4), 7]]);
    expect(await motion.getStiffnesses('Head')).toEqual([1, 1]);
    expect(await motion.getSummary()).toMatch(
      /^Position 0\.00 0\.00 0\.00, awake, posture Stand\n.*\nHeadYaw +0\.000 +0\.000/,
    );
  });

  it('opens and closes hands', async () => {
    const { clock, service } = livingRobot();
    const motion = service('ALMotion');
    const opening = motion.openHand('LHand');
    await clock.advance(2000);
    await opening;
    expect(await motion.getAngles('LHand', true)).toEqual([1]);
    expect(await refusal(motion.closeHand('Foot'))).toContain('no hand "Foot"');
  });
});

describe('ALRobotPosture', () => {
  it('goes to a posture in time, and tells each change', async () => {
    const { clock, service } = livingRobot();
    const posture = service('ALRobotPosture');
    const changes = await heard(posture.postureChanged);
    const values = await heard(posture.posture);
    const going = posture.goToPosture('Crouch', 0.5);
    await clock.advance(5000);
    expect(await going).toBe(true);
    expect([changes, values]).toEqual([
      ['', 'Crouch'],
      ['', 'Crouch'],
    ]);
    expect([await posture.getPosture(), await posture.getPostureFamily()]).toEqual(['Crouch', 'Sitting']);
    expect(await service('ALMemory').getData('PostureChanged')).toBe('Crouch');
  });

  it('returns false when it is stopped on the way', async () => {
    const { clock, service } = livingRobot();
    const posture = service('ALRobotPosture');
    const going = posture.goToPosture('Crouch', 0.2);
    await clock.advance(300);
    await posture.stopMove();
    await clock.advance(100);
    expect(await going).toBe(false);
  });

  it('ends as cancelled when the caller cancels', async () => {
    const { clock, service } = livingRobot();
    const posture = service('ALRobotPosture');
    const controller = new AbortController();
    const refused = refusal(posture.goToPosture.with({ signal: controller.signal })('Crouch', 0.2));
    await clock.advance(300);
    controller.abort();
    expect(await refused).toContain('[canceled]');
    await clock.advance(3000);
    expect(await posture.getPosture()).toBe('');
  });

  it('refuses what it does not know, and its property cannot be set', async () => {
    const posture = livingRobot().service('ALRobotPosture');
    expect(await refusal(posture.goToPosture('Sit', 0.5))).toContain('There is no posture "Sit".');
    expect(await refusal(posture.goToPosture('Stand', 2))).toContain('speed must be above 0 and at most 1, not 2');
    expect(await refusal(posture.posture.setValue('Stand'))).toContain('read-only');
    expect(await posture.getPostureList()).toContain('StandInit');
    await settled();
  });
});

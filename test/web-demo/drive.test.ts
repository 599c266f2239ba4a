// Driving: whatever happens to the joystick or the link, the robot is told to stop and old commands are not sent.
import { QiwayError } from '@qiway/protocol/errors';
import { beforeEach, describe, expect, it } from 'vitest';
import { createDrive, type Drive, type DriveMotor, describeSteering, steeringOf } from '../../web-demo/robot/drive.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

let sent: string[];
let refusals: unknown[];
let answers: { readonly resolve: () => void; readonly reject: (error: Error) => void }[];
let isReachable: boolean;
let clock: VirtualClock;
let drive: Drive;

const answer = (): Promise<void> => new Promise((resolve, reject) => answers.push({ resolve, reject }));
const motor: DriveMotor = {
  moveToward: (x, y, theta) => {
    sent.push(`move ${x} ${y} ${theta}`);
    return answer();
  },
  stopMove: () => {
    sent.push('stop');
    return answer();
  },
};

beforeEach(() => {
  sent = [];
  refusals = [];
  answers = [];
  isReachable = true;
  clock = virtualClock();
  drive = createDrive({
    motor: () => (isReachable ? motor : undefined),
    refused: (error) => refusals.push(error),
    after: clock.after,
  });
});

describe('a hand that leaves the joystick after somebody stopped the robot', () => {
  it('does not stop it once more: by now somebody else may drive', async () => {
    drive.steer({ x: 1, y: 0, theta: 0 });
    expect(drive.halted()).toBe(true);
    for (const { resolve } of answers) resolve();
    await clock.advance(100);
    drive.release();
    expect(sent).toEqual(['move 1 0 0', 'stop']);
    drive.steer({ x: 0.5, y: 0, theta: 0 });
    expect(sent.at(-1)).toBe('move 0.5 0 0');
  });

  it('does, as long as it is not known that the stop was heard', async () => {
    drive.steer({ x: 1, y: 0, theta: 0 });
    drive.halted();
    drive.release();
    expect(sent).toEqual(['move 1 0 0', 'stop', 'stop']);
  });
});

describe('the joystick', () => {
  it('sends the first place at once', () => {
    drive.steer({ x: 1, y: 0, theta: 0 });
    expect(sent).toEqual(['move 1 0 0']);
  });

  it('sends only the newest place once the last was answered', async () => {
    drive.steer({ x: 0.1, y: 0, theta: 0 });
    drive.steer({ x: 0.2, y: 0, theta: 0 });
    drive.steer({ x: 0.3, y: 0, theta: 0 });
    await clock.advance(500);
    expect(sent).toEqual(['move 0.1 0 0']);
    answers[0]?.resolve();
    await clock.advance(0);
    expect(sent).toEqual(['move 0.1 0 0', 'move 0.3 0 0']);
  });

  it('sends no more than one place in 50 ms, however fast the robot answers', async () => {
    drive.steer({ x: 0.1, y: 0, theta: 0 });
    answers[0]?.resolve();
    drive.steer({ x: 0.2, y: 0, theta: 0 });
    await clock.advance(49);
    expect(sent).toHaveLength(1);
    await clock.advance(1);
    expect(sent).toHaveLength(2);
  });

  it('stops at once when let go, and drops the place that waited', async () => {
    drive.steer({ x: 0.1, y: 0, theta: 0 });
    drive.steer({ x: 0.9, y: 0, theta: 0 });
    drive.release();
    answers[0]?.resolve();
    await clock.advance(1000);
    expect(sent).toEqual(['move 0.1 0 0', 'stop']);
    expect(drive.steering.value).toEqual({ x: 0, y: 0, theta: 0 });
  });
});

describe('a page that is left', () => {
  it('stops the robot that it drives, and no other', () => {
    drive.leave();
    expect(sent).toEqual([]);
    drive.steer({ x: 1, y: 0, theta: 0 });
    drive.leave();
    expect(sent).toEqual(['move 1 0 0', 'stop']);
  });
});

describe('the stop button', () => {
  it('stops, and ignores the hand on the joystick until it lets go', async () => {
    drive.steer({ x: 1, y: 0, theta: 0 });
    expect(drive.halt()).toBe(true);
    answers[0]?.resolve();
    drive.steer({ x: 1, y: 0, theta: 0 });
    await clock.advance(1000);
    expect(sent).toEqual(['move 1 0 0', 'stop']);
    drive.release();
    drive.steer({ x: 0.5, y: 0, theta: 0 });
    expect(sent.at(-1)).toBe('move 0.5 0 0');
  });

  it('stops a robot that somebody else drives', () => {
    drive.halt();
    expect(sent).toEqual(['stop']);
  });

  it('is pressed elsewhere: a drive of this page ends with a stop of its own, and needs a new hand', async () => {
    drive.steer({ x: 1, y: 0, theta: 0 });
    drive.steer({ x: 0.8, y: 0, theta: 0 });
    expect(drive.halted()).toBe(true);
    expect([drive.steering.value.x, drive.isBlocked.value]).toEqual([0, true]);
    answers[0]?.resolve();
    drive.steer({ x: 0.7, y: 0, theta: 0 });
    await clock.advance(1000);
    expect(sent).toEqual(['move 1 0 0', 'stop']);
    drive.release();
    expect(drive.isBlocked.value).toBe(false);
    drive.steer({ x: 0.5, y: 0, theta: 0 });
    expect(sent.at(-1)).toBe('move 0.5 0 0');
  });

  it('is pressed elsewhere: a page that does not drive sends nothing, and its joystick counts', () => {
    expect(drive.halted()).toBe(false);
    expect(sent).toEqual([]);
    drive.steer({ x: 1, y: 0, theta: 0 });
    expect(sent).toEqual(['move 1 0 0']);
  });

  it('says when it cannot be sent', () => {
    isReachable = false;
    expect(drive.halt()).toBe(false);
  });
});

describe('a robot that refuses', () => {
  it('is reported once and not asked again until the joystick was let go', async () => {
    drive.steer({ x: 1, y: 0, theta: 0 });
    answers[0]?.reject(new Error('asleep'));
    await clock.advance(100);
    drive.steer({ x: 0.9, y: 0, theta: 0 });
    await clock.advance(100);
    expect(refusals).toHaveLength(1);
    expect(sent).toEqual(['move 1 0 0']);
    expect(drive.steering.value.x).toBe(0);
  });
});

describe('a lost link', () => {
  it('sends nothing, and stops the robot when it is found again', async () => {
    drive.steer({ x: 1, y: 0, theta: 0 });
    isReachable = false;
    drive.lost();
    drive.release();
    await clock.advance(1000);
    expect(sent).toEqual(['move 1 0 0']);
    isReachable = true;
    drive.found();
    expect(sent).toEqual(['move 1 0 0', 'stop']);
  });

  it('stops it as soon as its motors are back, which may be later than the link', async () => {
    drive.steer({ x: 1, y: 0, theta: 0 });
    drive.lost();
    drive.found();
    for (let index = 1; index <= 2; index += 1) {
      answers[index]?.reject(new QiwayError('bus-down', 'ALMotion is not back yet.'));
      await clock.advance(249);
      expect(sent).toHaveLength(index + 1);
      await clock.advance(1);
      expect(sent).toHaveLength(index + 2);
    }
    answers[3]?.resolve();
    await clock.advance(1000);
    expect([sent.length, sent.at(-1), refusals.length]).toEqual([4, 'stop', 1]);
  });

  it('stops it too when the answer to an earlier stop came while it was driven again', async () => {
    drive.steer({ x: 1, y: 0, theta: 0 });
    drive.release();
    drive.steer({ x: 0.5, y: 0, theta: 0 });
    for (const { resolve } of answers) resolve();
    await clock.advance(0);
    drive.lost();
    drive.found();
    expect(sent.at(-1)).toBe('stop');
  });

  it('leaves a robot alone that this page was not driving', async () => {
    drive.steer({ x: 1, y: 0, theta: 0 });
    drive.release();
    for (const { resolve } of answers) resolve();
    await clock.advance(100);
    drive.lost();
    drive.found();
    expect(sent).toEqual(['move 1 0 0', 'stop']);
  });
});

describe('a page that takes control before it drives', () => {
  let taken: { readonly resolve: () => void; readonly reject: (error: Error) => void }[];
  let eased: number;
  beforeEach(() => {
    taken = [];
    eased = 0;
    drive = createDrive({
      motor: () => motor,
      refused: (error) => refusals.push(error),
      after: clock.after,
      control: {
        take: () => new Promise((resolve, reject) => taken.push({ resolve, reject })),
        ease: () => {
          eased += 1;
        },
      },
    });
  });

  it('moves nothing before it has it, then sends the newest place', async () => {
    drive.steer({ x: 0.1, y: 0, theta: 0 });
    drive.steer({ x: 0.2, y: 0, theta: 0 });
    await clock.advance(500);
    expect(sent).toEqual([]);
    expect(taken).toHaveLength(1);
    taken[0]?.resolve();
    await clock.advance(0);
    expect(sent).toEqual(['move 0.2 0 0']);
  });

  it.each(['release', 'leave'] as const)(
    'gives it back when the hand is off before it was had (%s), and stops nobody: nothing moved',
    async (how) => {
      drive.steer({ x: 0.1, y: 0, theta: 0 });
      drive[how]();
      expect(eased).toBe(1);
      taken[0]?.resolve();
      await clock.advance(500);
      expect([sent, eased]).toEqual([[], 1]);
    },
  );

  it('eases only once the stop was heard', async () => {
    drive.steer({ x: 0.1, y: 0, theta: 0 });
    taken[0]?.resolve();
    await clock.advance(0);
    drive.release();
    await clock.advance(500);
    expect([sent, eased]).toEqual([['move 0.1 0 0', 'stop'], 0]);
    answers[1]?.resolve();
    await clock.advance(0);
    expect(eased).toBe(1);
  });

  it('does not ease while the next hand is on the joystick', async () => {
    drive.steer({ x: 0.1, y: 0, theta: 0 });
    taken[0]?.resolve();
    await clock.advance(0);
    drive.release();
    drive.steer({ x: 0.2, y: 0, theta: 0 });
    for (const { resolve } of answers) resolve();
    await clock.advance(100);
    expect(eased).toBe(0);
    taken[1]?.resolve();
    await clock.advance(0);
    expect(sent).toEqual(['move 0.1 0 0', 'stop', 'move 0.2 0 0']);
  });

  it('does not take the control that a first hand asked for as that of the next', async () => {
    drive.steer({ x: 0.1, y: 0, theta: 0 });
    drive.release();
    drive.steer({ x: 0.2, y: 0, theta: 0 });
    taken[0]?.resolve();
    await clock.advance(0);
    expect(sent).toEqual([]);
    taken[1]?.resolve();
    await clock.advance(0);
    expect(sent).toEqual(['move 0.2 0 0']);
  });

  it('says once that somebody else has it, and asks again with the next hand', async () => {
    drive.steer({ x: 0.1, y: 0, theta: 0 });
    taken[0]?.reject(new Error('held'));
    await clock.advance(0);
    drive.steer({ x: 0.2, y: 0, theta: 0 });
    await clock.advance(500);
    expect(refusals).toHaveLength(1);
    expect(taken).toHaveLength(1);
    expect(sent).toEqual([]);
    drive.release();
    drive.steer({ x: 0.3, y: 0, theta: 0 });
    expect(taken).toHaveLength(2);
  });
});

describe('a robot that somebody else stopped', () => {
  let isMoving: boolean;
  let asked: number;
  beforeEach(() => {
    isMoving = true;
    asked = 0;
    drive = createDrive({
      motor: () => motor,
      refused: (error) => refusals.push(error),
      after: clock.after,
      isMoving: async () => {
        asked += 1;
        return isMoving;
      },
    });
  });
  const go = async (x: number): Promise<void> => {
    drive.steer({ x, y: 0, theta: 0 });
    answers.at(-1)?.resolve();
    await clock.advance(50);
  };

  it('ends the drive: told once, stopped once more, and it needs a new hand', async () => {
    await go(1);
    await clock.advance(3000);
    expect([drive.isBlocked.value, refusals.length]).toEqual([false, 0]);
    isMoving = false;
    await clock.advance(299);
    await clock.advance(301);
    expect([drive.isBlocked.value, drive.steering.value.x, refusals.length]).toEqual([true, 0, 1]);
    expect(sent).toEqual(['move 1 0 0', 'stop']);
    const before = asked;
    await clock.advance(3000);
    expect([asked, refusals.length]).toEqual([before, 1]);
  });

  it('is not one that has just been told something else, nor one that is to stand', async () => {
    isMoving = false;
    await go(1);
    await clock.advance(300);
    await go(0.9);
    await clock.advance(300);
    await go(0);
    const before = asked;
    await clock.advance(3000);
    expect([asked, refusals.length, drive.isBlocked.value]).toEqual([before, 0, false]);
  });

  it('is not asked about once the hand is off', async () => {
    await go(1);
    drive.release();
    await clock.advance(3000);
    expect(asked).toBe(0);
  });
});

describe('steering', () => {
  it('turns left for the left, and walks left when sidestepping', () => {
    expect(steeringOf(-1, 0, { sideways: false, limit: 0.5 })).toEqual({ x: 0, y: 0, theta: 0.5 });
    expect(steeringOf(-1, 0, { sideways: true, limit: 0.5 })).toEqual({ x: 0, y: 0.5, theta: 0 });
  });

  it('ignores a hand that trembles in the middle', () => {
    expect(steeringOf(0.05, -0.05, { sideways: false, limit: 1 })).toEqual({ x: 0, y: 0, theta: 0 });
  });

  it('is said in words', () => {
    expect(describeSteering({ x: -0.5, y: 0, theta: 0.25 })).toBe('Back 50 %, turning left 25 %');
    expect(describeSteering({ x: 0, y: 0, theta: 0 })).toBe('Standing still');
  });
});

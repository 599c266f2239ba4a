// The part of ALMotion that moves joints. Angles in radians.
import { type Members, method } from '@qiway/protocol/objects/hosted-object';
import type { CallContext } from '@qiway/protocol/objects/members';
import { CHAINS, JOINTS } from '../body/joints.ts';
import type { Robot } from '../body/robot.ts';
import { oneOf, refuse, untilDone } from './checks.ts';
import { anglePerJoint, jointNames, paths } from './joint-arguments.ts';

const NAMES = { name: 'names', description: 'A joint, a chain such as "Head" or "Body", or a list' } as const;
const ANGLES = { name: 'angles', description: 'Radians: one for each joint' } as const;
const FRACTION = { name: 'fractionMaxSpeed', description: 'Above 0, up to 1' } as const;

export function joints(robot: Robot): Members {
  const awake = (): void => {
    if (!robot.isAwake) throw refuse('The robot is at rest; call ALMotion.wakeUp() first.');
  };
  const setAngles = (names: unknown, angles: unknown, fraction: number): void => {
    awake();
    const share = checkedFraction(fraction);
    for (const [joint, angle] of anglePerJoint(jointNames(names), angles))
      robot.joints.aim(joint, { angle, fraction: share });
  };
  const changeAngles = (names: unknown, changes: unknown, fraction: number): void => {
    awake();
    const share = checkedFraction(fraction);
    for (const [joint, change] of anglePerJoint(jointNames(names), changes)) {
      robot.joints.aim(joint, { angle: robot.joints.angle(joint) + change, fraction: share });
    }
  };
  const interpolate = async (
    names: unknown,
    angles: unknown,
    times: unknown,
    isAbsolute: boolean,
    call: CallContext,
  ): Promise<void> => {
    awake();
    const given = paths(jointNames(names), { angles, times });
    if (!isAbsolute) {
      for (const [joint, points] of given) for (const point of points) point.angle += robot.joints.angle(joint);
    }
    await untilDone(robot.joints.follow(given), call);
  };
  const interpolateAtSpeed = async (
    names: unknown,
    angles: unknown,
    fraction: number,
    call: CallContext,
  ): Promise<void> => {
    awake();
    await untilDone(robot.joints.aimAll(anglePerJoint(jointNames(names), angles), checkedFraction(fraction)), call);
  };
  const hand =
    (position: number) =>
    async (name: string, call: CallContext): Promise<void> => {
      awake();
      oneOf('hand', name, ['LHand', 'RHand']);
      await untilDone(robot.joints.aimAll(new Map([[name, position]]), 0.3), call);
    };
  return {
    setAngles: method('(mmf)', 'v', setAngles, {
      description: 'Starts joints towards angles and returns at once.',
      parameters: [NAMES, ANGLES, FRACTION],
    }),
    changeAngles: method('(mmf)', 'v', changeAngles, {
      description: 'Starts joints by a change of angle and returns at once.',
      parameters: [NAMES, { ...ANGLES, name: 'changes' }, FRACTION],
    }),
    getAngles: method('(mb)', '[f]', (names: unknown) => jointNames(names).map((joint) => robot.joints.angle(joint)), {
      description: 'The angles of joints.',
      parameters: [NAMES, { name: 'useSensors', description: 'No difference here: the simulation knows' }],
    }),
    angleInterpolation: method('(mmmb)', 'v', interpolate, {
      description: 'Moves joints through angles at given times. Returns at the end; cancelling stops them.',
      parameters: [
        NAMES,
        { name: 'angleLists', description: 'Radians: a list for each joint' },
        { name: 'timeLists', description: 'Seconds from now, rising: a list for each joint' },
        { name: 'isAbsolute', description: 'False: angles are changes' },
      ],
    }),
    angleInterpolationWithSpeed: method('(mmf)', 'v', interpolateAtSpeed, {
      description: 'Moves joints to angles. Returns at the end; cancelling stops them.',
      parameters: [NAMES, ANGLES, FRACTION],
    }),
    openHand: method('(s)', 'v', hand(1), {
      description: 'Opens a hand.',
      parameters: [{ name: 'handName', description: 'LHand or RHand' }],
    }),
    closeHand: method('(s)', 'v', hand(0), {
      description: 'Closes a hand.',
      parameters: [{ name: 'handName', description: 'LHand or RHand' }],
    }),
    getBodyNames: method(
      '(s)',
      '[s]',
      (name: string) => CHAINS.get(name) ?? [oneOf('joint or chain', name, [...JOINTS.keys(), ...CHAINS.keys()])],
      {
        description: 'The joints of a chain.',
        parameters: [{ name: 'name', description: [...CHAINS.keys()].join(', ') }],
      },
    ),
    getLimits: method(
      '(s)',
      '[[f]]',
      (name: string) =>
        jointNames(name).map((joint) => {
          const { min, max, maxSpeed } = JOINTS.get(joint) ?? { min: 0, max: 0, maxSpeed: 0 };
          return [min, max, maxSpeed];
        }),
      {
        description: 'Limits of joints.',
        parameters: [{ name: 'name', description: 'A joint or a chain' }],
        returnDescription: '[minAngle, maxAngle, maxSpeed] for each joint',
      },
    ),
    getStiffnesses: method('(m)', '[f]', (names: unknown) => jointNames(names).map(() => (robot.isAwake ? 1 : 0)), {
      description: 'How stiff joints are: 1 awake, 0 at rest.',
      parameters: [NAMES],
    }),
    getSummary: method('()', 's', () => summary(robot), {
      description: 'Every joint with its angle and where it is going, as a table.',
    }),
  };
}

function checkedFraction(fraction: number): number {
  if (fraction > 0 && fraction <= 1) return fraction;
  throw refuse(`fractionMaxSpeed must be above 0 and at most 1, not ${fraction}.`);
}

function summary(robot: Robot): string {
  const { x, y, theta } = robot.base.pose;
  const line = (name: string, one: string, other: string): string =>
    `${name.padEnd(16)}${one.padStart(10)}${other.padStart(10)}`;
  const rows = [...JOINTS.keys()].map((name) =>
    line(name, robot.joints.angle(name).toFixed(3), robot.joints.target(name).toFixed(3)),
  );
  const state = `${robot.isAwake ? 'awake' : 'at rest'}, posture ${robot.postures.current || 'none'}`;
  return [
    `Position ${x.toFixed(2)} ${y.toFixed(2)} ${theta.toFixed(2)}, ${state}`,
    line('Joint', 'angle', 'target'),
    ...rows,
  ].join('\n');
}

// The part of ALMotion that drives the base, wakes and rests.
import { type Members, method } from '@qiway/protocol/objects/hosted-object';
import type { CallContext } from '@qiway/protocol/objects/members';
import { DEFAULT_LIMITS, type MoveLimits, type Pose } from '../body/base.ts';
import { JOINTS } from '../body/joints.ts';
import type { Robot } from '../body/robot.ts';
import { refuse, untilDone, within } from './checks.ts';
import { moveLimits } from './move-arguments.ts';

const OFFSET = [
  { name: 'x', description: 'Metres ahead' },
  { name: 'y', description: 'Metres to the left' },
  { name: 'theta', description: 'Radians counterclockwise' },
] as const;
const CONFIG = {
  name: 'moveConfig',
  description: 'List of pairs: MaxVelXY, MaxVelTheta, MaxAccXY, MaxAccTheta',
} as const;
const SHARES = [
  { name: 'x', description: 'Share of the full speed ahead, -1 to 1' },
  { name: 'y', description: 'Share of the full speed to the left, -1 to 1' },
  { name: 'theta', description: 'Share of the full turning speed counterclockwise, -1 to 1' },
] as const;
const SPEEDS = [
  { name: 'x', description: 'Metres per second ahead' },
  { name: 'y', description: 'Metres per second to the left' },
  { name: 'theta', description: 'Radians per second counterclockwise' },
] as const;
/** No room is longer. */
const FARTHEST_M = 100;

export function driving(robot: Robot): Members {
  const { base } = robot;
  const awake = (): void => {
    if (!robot.isAwake) throw refuse('The robot is at rest; call ALMotion.wakeUp() first.');
  };
  const toward = (share: Pose, limits: MoveLimits): void => {
    awake();
    const one = { min: -1, max: 1 };
    const x = within('x', share.x, one) * limits.maxVelXy;
    const y = within('y', share.y, one) * limits.maxVelXy;
    base.drive({ x, y, theta: within('theta', share.theta, one) * limits.maxVelTheta }, limits);
  };
  const drive = (speed: Pose, limits: MoveLimits): void => {
    awake();
    const any = { min: -10, max: 10 };
    base.drive(
      { x: within('x', speed.x, any), y: within('y', speed.y, any), theta: within('theta', speed.theta, any) },
      limits,
    );
  };
  const to = async (
    offset: Pose,
    options: { readonly limits: MoveLimits; readonly call: CallContext },
  ): Promise<boolean> => {
    awake();
    const far = { min: -FARTHEST_M, max: FARTHEST_M };
    const target = {
      x: within('x', offset.x, far),
      y: within('y', offset.y, far),
      theta: within('theta', offset.theta, far),
    };
    return (await untilDone(base.moveTo(target, options.limits), options.call)) === 'reached';
  };
  const listed = ({ x, y, theta }: Pose): number[] => [x, y, theta];
  return {
    move: [
      method('(fff)', 'v', (x: number, y: number, theta: number) => drive({ x, y, theta }, DEFAULT_LIMITS), {
        description: 'Moves at a speed until stopMove().',
        parameters: SPEEDS,
      }),
      method(
        '(fffm)',
        'v',
        (x: number, y: number, theta: number, config: unknown) => drive({ x, y, theta }, moveLimits(config)),
        { description: 'Moves at a speed until stopMove().', parameters: [...SPEEDS, CONFIG] },
      ),
    ],
    moveToward: [
      method('(fff)', 'v', (x: number, y: number, theta: number) => toward({ x, y, theta }, DEFAULT_LIMITS), {
        description: 'Moves at a share of the full speed until stopMove(), or moveToward(0, 0, 0).',
        parameters: SHARES,
      }),
      method(
        '(fffm)',
        'v',
        (x: number, y: number, theta: number, config: unknown) => toward({ x, y, theta }, moveLimits(config)),
        { description: 'Moves at a share of the speed configured.', parameters: [...SHARES, CONFIG] },
      ),
    ],
    moveTo: [
      method(
        '(fff)',
        'b',
        (x: number, y: number, theta: number, call: CallContext) =>
          to({ x, y, theta }, { limits: DEFAULT_LIMITS, call }),
        {
          description:
            "Moves to a place in the robot's frame. Returns when it is there or was stopped; cancelling stops it.",
          parameters: OFFSET,
          returnDescription: 'True if it is there; false if an obstacle or another command stopped it',
        },
      ),
      method(
        '(fffm)',
        'b',
        (x: number, y: number, theta: number, config: unknown, call: CallContext) =>
          to({ x, y, theta }, { limits: moveLimits(config), call }),
        {
          description: "Moves to a place in the robot's frame within the limits configured.",
          parameters: [...OFFSET, CONFIG],
          returnDescription: 'True if it is there; false if an obstacle or another command stopped it',
        },
      ),
    ],
    moveInit: method(
      '()',
      'v',
      async (call: CallContext) => {
        await untilDone(robot.postures.goTo('Stand', 1), call);
      },
      { description: 'Takes the posture from which the robot moves.' },
    ),
    stopMove: method('()', 'v', () => base.stop(), { description: 'Brakes to a stop.' }),
    moveIsActive: method('()', 'b', () => base.isActive, { description: 'Whether the base is moving.' }),
    waitUntilMoveIsFinished: method('()', 'v', (call: CallContext) => untilDone(base.untilRested(), call), {
      description: 'Returns when the base stands still; cancelling ends the waiting, not the move.',
    }),
    getRobotPosition: method('(b)', '[f]', () => listed(base.pose), {
      description: 'Where the robot is in its world frame.',
      parameters: [{ name: 'useSensors', description: 'No difference here: the simulation knows' }],
      returnDescription: '[x, y, theta] in metres and radians',
    }),
    getNextRobotPosition: method('()', '[f]', () => listed(base.destination), {
      description: 'Where the move under way will end.',
      returnDescription: '[x, y, theta]',
    }),
    getRobotVelocity: method('()', '[f]', () => listed(base.velocity), {
      description: 'How fast the robot moves, in its own frame.',
      returnDescription: '[x, y, theta] in metres and radians per second',
    }),
    wakeUp: method(
      '()',
      'v',
      async (call: CallContext) => {
        await untilDone(robot.wakeUp(), call);
      },
      { description: 'Switches the motors on and stands up.' },
    ),
    rest: method(
      '()',
      'v',
      async (call: CallContext) => {
        await untilDone(robot.rest(), call);
      },
      { description: 'Stops, crouches and switches the motors off.' },
    ),
    robotIsWakeUp: method('()', 'b', () => robot.isAwake, { description: 'Whether the motors are on.' }),
    killAll: method(
      '()',
      'v',
      () => {
        base.stop();
        robot.joints.stop([...JOINTS.keys()]);
      },
      { description: 'Stops every movement.' },
    ),
  };
}

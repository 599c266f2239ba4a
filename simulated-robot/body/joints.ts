// The joints of the upper body: they move towards targets, each at a speed of its own. Angles in radians; hands 0 to 1.
// Names, order and ranges are Pepper's. Time comes in by step().
import type { Task } from './notices.ts';

export interface JointRange {
  readonly min: number;
  readonly max: number;
  /** Radians per second at full speed. */
  readonly maxSpeed: number;
}

/** The joints in the order in which NAOqi lists them. Source: Pepper's public documentation, rounded. */
export const JOINTS: ReadonlyMap<string, JointRange> = new Map([
  ['HeadYaw', { min: -2.0857, max: 2.0857, maxSpeed: 7.0 }],
  ['HeadPitch', { min: -0.7068, max: 0.6371, maxSpeed: 9.2 }],
  ['LShoulderPitch', { min: -2.0857, max: 2.0857, maxSpeed: 7.3 }],
  ['LShoulderRoll', { min: 0.0087, max: 1.5621, maxSpeed: 9.2 }],
  ['LElbowYaw', { min: -2.0857, max: 2.0857, maxSpeed: 7.3 }],
  ['LElbowRoll', { min: -1.5621, max: -0.0087, maxSpeed: 9.2 }],
  ['LWristYaw', { min: -1.8239, max: 1.8239, maxSpeed: 17.4 }],
  ['LHand', { min: 0, max: 1, maxSpeed: 8.3 }],
  ['HipRoll', { min: -0.5149, max: 0.5149, maxSpeed: 2.3 }],
  ['HipPitch', { min: -1.0385, max: 1.0385, maxSpeed: 2.9 }],
  ['KneePitch', { min: -0.5149, max: 0.5149, maxSpeed: 2.9 }],
  ['RShoulderPitch', { min: -2.0857, max: 2.0857, maxSpeed: 7.3 }],
  ['RShoulderRoll', { min: -1.5621, max: -0.0087, maxSpeed: 9.2 }],
  ['RElbowYaw', { min: -2.0857, max: 2.0857, maxSpeed: 7.3 }],
  ['RElbowRoll', { min: 0.0087, max: 1.5621, maxSpeed: 9.2 }],
  ['RWristYaw', { min: -1.8239, max: 1.8239, maxSpeed: 17.4 }],
  ['RHand', { min: 0, max: 1, maxSpeed: 8.3 }],
]);

const names = [...JOINTS.keys()];
const starting = (prefix: string): string[] => names.filter((name) => name.startsWith(prefix));

/** Groups of joints that NAOqi accepts in place of a name. */
export const CHAINS: ReadonlyMap<string, readonly string[]> = new Map([
  ['Body', names],
  ['Joints', names],
  ['Head', starting('Head')],
  ['LArm', starting('L')],
  ['RArm', starting('R')],
  ['Leg', ['HipRoll', 'HipPitch', 'KneePitch']],
  ['Arms', [...starting('L'), ...starting('R')]],
]);

interface Point {
  readonly angle: number;
  /** Seconds from the start of the movement. */
  readonly at: number;
}

type Motion =
  | { readonly kind: 'still' }
  | { readonly kind: 'speed'; readonly target: number; readonly speed: number; readonly end?: () => void }
  | {
      readonly kind: 'path';
      readonly from: number;
      readonly points: readonly Point[];
      elapsed: number;
      readonly end: () => void;
    };

interface Joint extends JointRange {
  angle: number;
  motion: Motion;
}

export class Joints {
  readonly #joints = new Map<string, Joint>();

  constructor(initial: ReadonlyMap<string, number>) {
    for (const [name, range] of JOINTS) {
      this.#joints.set(name, { ...range, angle: clamp(initial.get(name) ?? 0, range), motion: { kind: 'still' } });
    }
  }

  angle(name: string): number {
    return this.#joint(name).angle;
  }

  /** Where the joint is going, or its angle if it is still. */
  target(name: string): number {
    const { angle, motion } = this.#joint(name);
    if (motion.kind === 'speed') return motion.target;
    return motion.kind === 'path' ? (motion.points.at(-1)?.angle ?? angle) : angle;
  }

  /** Moves towards `angle`, which is clamped to the range, as on the robot. `fraction` of the full speed, within (0, 1]. */
  aim(name: string, order: { readonly angle: number; readonly fraction: number }): void {
    const joint = this.#joint(name);
    this.#start(joint, { kind: 'speed', target: clamp(order.angle, joint), speed: joint.maxSpeed * order.fraction });
  }

  /** Moves several joints; ends true when all are there, false when another command took one of them over or it was stopped. */
  aimAll(targets: ReadonlyMap<string, number>, fraction: number): Task<boolean> {
    return this.#together([...targets.keys()], (joint, name, end) => {
      const target = clamp(targets.get(name) ?? joint.angle, joint);
      return { kind: 'speed', target, speed: joint.maxSpeed * fraction, end };
    });
  }

  /** Follows points in time, straight lines between them; ends as {@link aimAll}. */
  follow(paths: ReadonlyMap<string, readonly Point[]>): Task<boolean> {
    return this.#together([...paths.keys()], (joint, name, end) => {
      const points = (paths.get(name) ?? []).map(({ angle, at }) => ({ angle: clamp(angle, joint), at }));
      return { kind: 'path', from: joint.angle, points, elapsed: 0, end };
    });
  }

  stop(which: readonly string[]): void {
    for (const name of which) this.#start(this.#joint(name), { kind: 'still' });
  }

  step(seconds: number): void {
    for (const joint of this.#joints.values()) {
      const { motion } = joint;
      if (motion.kind === 'speed') {
        const gap = motion.target - joint.angle;
        const reach = motion.speed * seconds;
        joint.angle = Math.abs(gap) <= reach ? motion.target : joint.angle + Math.sign(gap) * reach;
        if (joint.angle === motion.target) this.#start(joint, { kind: 'still' });
      } else if (motion.kind === 'path') {
        motion.elapsed += seconds;
        joint.angle = along(motion);
        if (motion.elapsed >= (motion.points.at(-1)?.at ?? 0)) this.#start(joint, { kind: 'still' });
      }
    }
  }

  #joint(name: string): Joint {
    const joint = this.#joints.get(name);
    if (joint === undefined) throw new Error(`There is no joint "${name}"; getBodyNames("Body") lists them.`);
    return joint;
  }

  /** Every replaced motion hears that it ended, reached or not; who waits compares the angle. */
  #start(joint: Joint, motion: Motion): void {
    const former = joint.motion;
    joint.motion = motion;
    if (former.kind !== 'still') former.end?.();
  }

  #together(
    which: readonly string[],
    motionOf: (joint: Joint, name: string, end: () => void) => Motion,
  ): Task<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    let left = which.length;
    let isReached = true;
    if (left === 0) resolve(true);
    const started: { readonly joint: Joint; readonly motion: Motion }[] = [];
    for (const name of which) {
      const joint = this.#joint(name);
      const motion: Motion = motionOf(joint, name, () => {
        isReached &&= joint.angle === goal(motion, joint.angle);
        left -= 1;
        if (left === 0) resolve(isReached);
      });
      this.#start(joint, motion);
      started.push({ joint, motion });
    }
    const cancel = (): void => {
      for (const { joint, motion } of started) if (joint.motion === motion) this.#start(joint, { kind: 'still' });
    };
    return { done: promise, cancel };
  }
}

function goal(motion: Motion, otherwise: number): number {
  if (motion.kind === 'speed') return motion.target;
  return motion.kind === 'path' ? (motion.points.at(-1)?.angle ?? otherwise) : otherwise;
}

function along(path: { readonly from: number; readonly points: readonly Point[]; readonly elapsed: number }): number {
  let from: Point = { angle: path.from, at: 0 };
  for (const point of path.points) {
    if (path.elapsed < point.at) {
      const part = (path.elapsed - from.at) / (point.at - from.at);
      return from.angle + (point.angle - from.angle) * part;
    }
    from = point;
  }
  return from.angle;
}

function clamp(angle: number, range: JointRange): number {
  return Math.min(range.max, Math.max(range.min, angle));
}

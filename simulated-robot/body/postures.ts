// The postures by their joint angles, and going from one to another. Angles in radians; joints not named are at 0.
import { JOINTS, type Joints } from './joints.ts';
import { createNotices, type Notices, type Task } from './notices.ts';

/** Angles of each posture, after Pepper's. */
export const POSTURES: ReadonlyMap<string, ReadonlyMap<string, number>> = new Map(
  Object.entries({
    Stand: {
      LShoulderPitch: 1.56,
      LShoulderRoll: 0.14,
      LElbowYaw: -1.23,
      LElbowRoll: -0.52,
      LHand: 0.6,
      HipPitch: -0.03,
      RShoulderPitch: 1.56,
      RShoulderRoll: -0.14,
      RElbowYaw: 1.23,
      RElbowRoll: 0.52,
      RHand: 0.6,
    },
    StandInit: {
      HeadPitch: -0.2,
      LShoulderPitch: 1.38,
      LShoulderRoll: 0.12,
      LElbowYaw: -1.2,
      LElbowRoll: -0.9,
      LHand: 0.2,
      RShoulderPitch: 1.38,
      RShoulderRoll: -0.12,
      RElbowYaw: 1.2,
      RElbowRoll: 0.9,
      RHand: 0.2,
    },
    StandZero: { LShoulderRoll: 0.0087, LElbowRoll: -0.0087, RShoulderRoll: -0.0087, RElbowRoll: 0.0087 },
    Crouch: {
      HeadPitch: 0.45,
      LShoulderPitch: 1.1,
      LShoulderRoll: 0.1,
      LElbowYaw: -0.9,
      LElbowRoll: -0.3,
      HipPitch: -1.03,
      KneePitch: 0.51,
      RShoulderPitch: 1.1,
      RShoulderRoll: -0.1,
      RElbowYaw: 0.9,
      RElbowRoll: 0.3,
    },
  }).map(([name, angles]) => [name, completed(angles)]),
);

/** Joints may be off by this much and it is still the posture; the head may look anywhere. */
const TOLERANCE = 0.05;
/** Joints move at most at this share of their full speed between postures: it looks alive, and takes a second or two. */
const CALM = 0.2;

export class Postures {
  /** The name of the posture reached, or '' when the robot left one. */
  readonly changed: Notices<string> = createNotices();
  readonly #joints: Joints;
  #current: string;
  #going: Task<boolean> | undefined;

  constructor(joints: Joints) {
    this.#joints = joints;
    this.#current = this.#recognise();
  }

  /** The posture the joints are in, '' for none. */
  get current(): string {
    return this.#current;
  }

  /** Ends true when the posture is reached, false when stopped or crossed by another movement. */
  goTo(name: string, fraction: number): Task<boolean> {
    const angles = POSTURES.get(name);
    if (angles === undefined)
      throw new Error(`There is no posture "${name}"; the robot knows ${[...POSTURES.keys()].join(', ')}.`);
    this.#going = this.#joints.aimAll(angles, fraction * CALM);
    return this.#going;
  }

  stop(): void {
    this.#going?.cancel();
  }

  /** Called after the joints moved. */
  step(): void {
    const now = this.#recognise();
    if (now === this.#current) return;
    this.#current = now;
    this.changed.tell(now);
  }

  #recognise(): string {
    for (const [name, angles] of POSTURES) if (this.#isIn(angles)) return name;
    return '';
  }

  #isIn(angles: ReadonlyMap<string, number>): boolean {
    for (const [joint, angle] of angles) {
      if (!joint.startsWith('Head') && Math.abs(this.#joints.angle(joint) - angle) > TOLERANCE) return false;
    }
    return true;
  }
}

function completed(angles: Readonly<Record<string, number>>): ReadonlyMap<string, number> {
  return new Map([...JOINTS].map(([name, { min, max }]) => [name, Math.min(max, Math.max(min, angles[name] ?? 0))]));
}

// The wheeled base: pose, velocity limits, acceleration, moves to a place, stops at obstacles. Time comes in by step().
// Knows the room's plan, nothing of the bus. SI units: metres, radians, seconds; the frame of a velocity is the robot's.

import { nearestObstacle } from '../room/obstacles.ts';
import type { RoomPlan } from '../room/plan.ts';
import { createNotices, type Notices, type Task } from './notices.ts';

export interface Pose {
  readonly x: number;
  readonly y: number;
  /** Counterclockwise from the x axis, within (-π, π]. */
  readonly theta: number;
}

/** How fast the base may go; the defaults follow Pepper's wheels. */
export interface MoveLimits {
  readonly maxVelXy: number;
  readonly maxVelTheta: number;
  readonly maxAccXy: number;
  readonly maxAccTheta: number;
}

export const DEFAULT_LIMITS: MoveLimits = { maxVelXy: 0.55, maxVelTheta: 1.4, maxAccXy: 0.8, maxAccTheta: 3.5 };

/** Radius of the base: the circle that must stay free. */
export const BASE_RADIUS = 0.26;
/** Braking is harder than speeding up: a stop command has to be felt. m/s² and rad/s². */
const BRAKE_XY = 1.6;
const BRAKE_THETA = 7;
/** Longest piece of time integrated at once, so that no obstacle is jumped over. */
const MAX_SLICE_S = 0.02;
/** A place counts as reached within this; 2 mm and 0.3°. */
const NEAR_XY = 0.002;
const NEAR_THETA = 0.005;
/** An obstacle is told again only after the robot was this far from it. */
const FORGET_OBSTACLE_M = 0.05;
/** Positions are told at 10 Hz while the robot moves. */
const TELL_EVERY_S = 0.1;

/** How a move to a place ended. */
export type MoveEnd = 'reached' | 'blocked' | 'stopped';

type Vector = { x: number; y: number; theta: number };
type Order =
  | { readonly kind: 'idle' }
  | { readonly kind: 'velocity'; readonly target: Vector; readonly limits: MoveLimits }
  | {
      readonly kind: 'place';
      readonly target: Pose;
      readonly limits: MoveLimits;
      readonly end: (how: MoveEnd) => void;
    };

export class Base {
  /** The pose, at 10 Hz while it changes, and where it came to rest. */
  readonly moved: Notices<Pose> = createNotices();
  /** The name of what the robot stopped at. */
  readonly blocked: Notices<string> = createNotices();
  /** The base came to rest with nothing more to do. */
  readonly rested: Notices<void> = createNotices();
  /** Share of the velocity limits that may be used: lower when the battery is nearly empty. */
  speedShare = 1;
  readonly #plan: RoomPlan;
  readonly #velocity: Vector = { x: 0, y: 0, theta: 0 };
  #pose: Vector = { x: 0, y: 0, theta: 0 };
  #order: Order = { kind: 'idle' };
  #touching: string | undefined;
  #sinceTold = 0;
  #active = false;

  constructor(plan: RoomPlan) {
    this.#plan = plan;
  }

  get pose(): Pose {
    return { ...this.#pose };
  }

  get velocity(): Pose {
    return { ...this.#velocity };
  }

  /** True until the base stands still with nothing more to do. */
  get isActive(): boolean {
    return this.#active;
  }

  /** Where a move under way will end; the pose itself otherwise. */
  get destination(): Pose {
    return this.#order.kind === 'place' ? { ...this.#order.target } : this.pose;
  }

  /** Moves at a velocity until told otherwise; beyond the limits it is scaled down in proportion. */
  drive(velocity: Pose, limits: MoveLimits = DEFAULT_LIMITS): void {
    const speed = Math.hypot(velocity.x, velocity.y);
    const scale = speed > limits.maxVelXy ? limits.maxVelXy / speed : 1;
    const theta = Math.max(-limits.maxVelTheta, Math.min(limits.maxVelTheta, velocity.theta));
    const isStop = speed === 0 && theta === 0;
    this.#replace(
      isStop
        ? { kind: 'idle' }
        : { kind: 'velocity', target: { x: velocity.x * scale, y: velocity.y * scale, theta }, limits },
    );
  }

  /** Moves to a place given in the robot's frame. */
  moveTo(offset: Pose, limits: MoveLimits = DEFAULT_LIMITS): Task<MoveEnd> {
    const { x, y, theta } = this.#pose;
    const target = {
      x: x + offset.x * Math.cos(theta) - offset.y * Math.sin(theta),
      y: y + offset.x * Math.sin(theta) + offset.y * Math.cos(theta),
      theta: wrap(theta + offset.theta),
    };
    const { promise, resolve } = Promise.withResolvers<MoveEnd>();
    const order: Order = { kind: 'place', target, limits, end: resolve };
    this.#replace(order);
    return { done: promise, cancel: () => this.#order === order && this.stop() };
  }

  /** Brakes; a move to a place ends as 'stopped'. */
  stop(): void {
    this.#replace({ kind: 'idle' });
  }

  /** Sets the robot down at a place, standing still. @throws when something stands there */
  place(pose: Pose): void {
    const { name, distance } = nearestObstacle(this.#plan, { ...pose, radius: BASE_RADIUS });
    if (distance < 0) throw new Error(`The robot does not fit there: "${name}" is in the way.`);
    this.#replace({ kind: 'idle' });
    Object.assign(this.#velocity, { x: 0, y: 0, theta: 0 });
    this.#pose = { x: pose.x, y: pose.y, theta: wrap(pose.theta) };
    this.#touching = undefined;
    this.#active = true;
    this.#rest();
  }

  /** Settles once the base stands still with nothing more to do. */
  untilRested(): Task<void> {
    if (!this.#active) return { done: Promise.resolve(), cancel: () => undefined };
    const { promise, resolve } = Promise.withResolvers<void>();
    const off = this.rested.listen(() => end());
    const end = (): void => {
      off();
      resolve();
    };
    return { done: promise, cancel: end };
  }

  /** Lets time pass. */
  step(seconds: number): void {
    for (let left = seconds; left > 1e-9; left -= MAX_SLICE_S) this.#slice(Math.min(left, MAX_SLICE_S));
  }

  #replace(order: Order): void {
    const former = this.#order;
    this.#order = order;
    if (order.kind !== 'idle') this.#active = true;
    if (former.kind === 'place') former.end('stopped');
  }

  #slice(dt: number): void {
    if (!this.#active) return;
    this.#accelerate(dt);
    this.#advance(dt);
    const order = this.#order;
    const still = this.#velocity.x === 0 && this.#velocity.y === 0 && this.#velocity.theta === 0;
    if (order.kind === 'place' && this.#isAt(order.target)) {
      Object.assign(this.#velocity, { x: 0, y: 0, theta: 0 });
      this.#order = { kind: 'idle' };
      this.#rest();
      order.end('reached');
    } else if (order.kind === 'idle' && still) {
      this.#rest();
    } else {
      this.#sinceTold += dt;
      if (this.#sinceTold >= TELL_EVERY_S - 1e-9) this.#tell();
    }
  }

  #rest(): void {
    this.#active = false;
    this.#tell();
    this.rested.tell();
  }

  #tell(): void {
    this.#sinceTold = 0;
    this.moved.tell(this.pose);
  }

  #isAt(target: Pose): boolean {
    return (
      Math.hypot(target.x - this.#pose.x, target.y - this.#pose.y) < NEAR_XY &&
      Math.abs(wrap(target.theta - this.#pose.theta)) < NEAR_THETA
    );
  }

  /** The velocity wanted now, in the robot's frame. */
  #wanted(): Vector {
    const order = this.#order;
    if (order.kind === 'idle') return { x: 0, y: 0, theta: 0 };
    const share = this.speedShare;
    if (order.kind === 'velocity') {
      return { x: order.target.x * share, y: order.target.y * share, theta: order.target.theta * share };
    }
    const { limits } = order;
    const dx = order.target.x - this.#pose.x;
    const dy = order.target.y - this.#pose.y;
    const far = Math.hypot(dx, dy);
    const turn = wrap(order.target.theta - this.#pose.theta);
    // The speed from which it can still stop in time: v² = 2 a s; linear in the last millimetres, so that it settles.
    const speed = Math.min(limits.maxVelXy * share, Math.sqrt(2 * limits.maxAccXy * 0.8 * far), far * 8);
    const turning = Math.min(
      limits.maxVelTheta * share,
      Math.sqrt(2 * limits.maxAccTheta * 0.8 * Math.abs(turn)),
      Math.abs(turn) * 8,
    );
    const along = far === 0 ? 0 : speed / far;
    const { theta } = this.#pose;
    return {
      x: (dx * Math.cos(theta) + dy * Math.sin(theta)) * along,
      y: (-dx * Math.sin(theta) + dy * Math.cos(theta)) * along,
      theta: Math.sign(turn) * turning,
    };
  }

  #accelerate(dt: number): void {
    const wanted = this.#wanted();
    const limits = this.#order.kind === 'idle' ? DEFAULT_LIMITS : this.#order.limits;
    const v = this.#velocity;
    const slowing = Math.hypot(wanted.x, wanted.y) < Math.hypot(v.x, v.y);
    const change = Math.hypot(wanted.x - v.x, wanted.y - v.y);
    const allowed = (slowing ? BRAKE_XY : limits.maxAccXy) * dt;
    const part = change <= allowed ? 1 : allowed / change;
    v.x = part === 1 ? wanted.x : v.x + (wanted.x - v.x) * part;
    v.y = part === 1 ? wanted.y : v.y + (wanted.y - v.y) * part;
    const turnAllowed = (Math.abs(wanted.theta) < Math.abs(v.theta) ? BRAKE_THETA : limits.maxAccTheta) * dt;
    const turnChange = wanted.theta - v.theta;
    v.theta = Math.abs(turnChange) <= turnAllowed ? wanted.theta : v.theta + Math.sign(turnChange) * turnAllowed;
  }

  #advance(dt: number): void {
    const v = this.#velocity;
    const pose = this.#pose;
    // Middle of the turn: exact enough for an arc at slices of 20 ms.
    const heading = pose.theta + (v.theta * dt) / 2;
    const next = {
      x: pose.x + (v.x * Math.cos(heading) - v.y * Math.sin(heading)) * dt,
      y: pose.y + (v.x * Math.sin(heading) + v.y * Math.cos(heading)) * dt,
    };
    const before = nearestObstacle(this.#plan, { ...pose, radius: BASE_RADIUS });
    const after = nearestObstacle(this.#plan, { ...next, radius: BASE_RADIUS });
    pose.theta = wrap(pose.theta + v.theta * dt);
    if (after.distance < 0 && after.distance <= before.distance && (v.x !== 0 || v.y !== 0)) {
      this.#bump(after.name);
      return;
    }
    pose.x = next.x;
    pose.y = next.y;
    if (after.distance > FORGET_OBSTACLE_M) this.#touching = undefined;
  }

  #bump(name: string): void {
    this.#velocity.x = 0;
    this.#velocity.y = 0;
    const order = this.#order;
    if (order.kind === 'place') {
      this.#order = { kind: 'idle' };
      order.end('blocked');
    } else if (order.kind === 'velocity') {
      const { theta } = order.target;
      this.#order = theta === 0 ? { kind: 'idle' } : { ...order, target: { x: 0, y: 0, theta } };
    }
    if (this.#touching === name) return;
    this.#touching = name;
    this.blocked.tell(name);
  }
}

/** The same angle within (-π, π]. */
export function wrap(angle: number): number {
  const turned = angle % (2 * Math.PI);
  if (turned > Math.PI) return turned - 2 * Math.PI;
  return turned <= -Math.PI ? turned + 2 * Math.PI : turned;
}

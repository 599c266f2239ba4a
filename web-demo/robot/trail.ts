// Where the robot has been: a bounded line of places. Layer: robot; pure.

/** Metres and radians in the robot's world frame: x ahead of where it started, y to its left, theta turning left. */
export interface Pose {
  readonly x: number;
  readonly y: number;
  readonly theta: number;
}

/** Places closer than this to the last one do not change the line. Metres. */
const MIN_STEP = 0.03;
const MAX_PLACES = 1500;

/** The trail with one more place; the oldest fall off. */
export function extendTrail(trail: readonly Pose[], pose: Pose): readonly Pose[] {
  const last = trail.at(-1);
  if (last !== undefined && Math.hypot(pose.x - last.x, pose.y - last.y) < MIN_STEP) return trail;
  return [...(trail.length >= MAX_PLACES ? trail.slice(-MAX_PLACES + 1) : trail), pose];
}

/** NAOqi's `[x, y, theta]`. */
export function readPose(values: readonly number[]): Pose | undefined {
  const [x, y, theta] = values;
  return x === undefined || y === undefined || theta === undefined ? undefined : { x, y, theta };
}

// What stands in the way of a round base on the room's floor. Pure geometry; lengths in metres.
import type { RoomPlan } from './plan.ts';

/** Height of the robot's base: what hangs higher is no obstacle. */
const BASE_HEIGHT = 0.35;

export interface Nearest {
  readonly name: string;
  /** From the base's edge to the obstacle; negative when they overlap. */
  readonly distance: number;
}

/** Finds the obstacle nearest to a base of `radius` standing at (x, y). */
export function nearestObstacle(
  plan: RoomPlan,
  at: { readonly x: number; readonly y: number; readonly radius: number },
): Nearest {
  const { x, y, radius } = at;
  const [south, east, north, west] = plan.walls;
  let name = south.name;
  let distance = y - plan.minY;
  const consider = (candidate: string, gap: number): void => {
    if (gap < distance) {
      distance = gap;
      name = candidate;
    }
  };
  consider(east.name, plan.maxX - x);
  consider(north.name, plan.maxY - y);
  consider(west.name, x - plan.minX);
  for (const box of plan.boxes) {
    const outX = Math.max(box.x - x, 0, x - (box.x + box.width));
    const outY = Math.max(box.y - y, 0, y - (box.y + box.depth));
    const inside = Math.max(box.x - x, x - (box.x + box.width), box.y - y, y - (box.y + box.depth));
    consider(box.name, inside > 0 ? Math.hypot(outX, outY) : inside);
  }
  for (const pillar of plan.pillars) consider(pillar.name, Math.hypot(x - pillar.x, y - pillar.y) - pillar.radius);
  for (const ball of plan.balls) {
    if (ball.z - ball.radius < BASE_HEIGHT) consider(ball.name, Math.hypot(x - ball.x, y - ball.y) - ball.radius);
  }
  return { name, distance: distance - radius };
}

/** Whether a robot standing at (x, y) touches the charging contacts. */
export function isOnDock(plan: RoomPlan, at: { readonly x: number; readonly y: number }): boolean {
  return Math.hypot(at.x - plan.dock.x, at.y - plan.dock.y) <= plan.dock.radius;
}

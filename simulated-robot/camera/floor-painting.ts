// How the floor and the ceiling look: planks, carpet, docking place, shadows beside things, light from the window.
// Painted once when a camera is made. Lengths in metres.
import { nearestObstacle } from '../room/obstacles.ts';
import type { RoomPlan } from '../room/plan.ts';
import { blend, grain, paintTexture, smoothstep, type Texture, tone } from './texture.ts';

/** Texels per metre: fine enough two metres ahead of the camera, small enough for the cache. */
export const FLOOR_SCALE = 100;
export const CEILING_SCALE = 20;

const PLANK_WIDTH = 0.14;
const PLANK_LENGTH = 1.1;
const PLANK_COLORS = [0xb98a5a, 0xad7d4e, 0xc29463, 0xa6774a] as const;

export function paintFloor(plan: RoomPlan): Texture {
  const width = Math.round((plan.maxX - plan.minX) * FLOOR_SCALE);
  const height = Math.round((plan.maxY - plan.minY) * FLOOR_SCALE);
  const shade = shadowGrid(plan);
  return paintTexture(width, height, (column, row) => {
    const x = plan.minX + (column + 0.5) / FLOOR_SCALE;
    const y = plan.minY + (row + 0.5) / FLOOR_SCALE;
    const bare = dock(plan, x, y) ?? carpet(plan, x, y) ?? planks(x, y);
    return tone(bare, shade(x, y) * sunlight(plan, x, y) * (0.97 + 0.06 * grain(column, row)));
  });
}

export function paintCeiling(plan: RoomPlan): Texture {
  const width = Math.round((plan.maxX - plan.minX) * CEILING_SCALE);
  const height = Math.round((plan.maxY - plan.minY) * CEILING_SCALE);
  const lamp = plan.balls.find(({ name }) => name === 'lamp') ?? { x: 0, y: 0 };
  return paintTexture(width, height, (column, row) => {
    const x = plan.minX + (column + 0.5) / CEILING_SCALE;
    const y = plan.minY + (row + 0.5) / CEILING_SCALE;
    const glow = Math.exp(-(((x - lamp.x) ** 2 + (y - lamp.y) ** 2) / 1.6));
    const beam = Math.abs(((x - plan.minX) % 1.625) - 0.8125) < 0.06 ? 0.8 : 1;
    const edge = smoothstep(0, 0.5, Math.min(x - plan.minX, plan.maxX - x, y - plan.minY, plan.maxY - y));
    return tone(blend(0xc9c4b8, 0xfff4d8, glow), beam * (0.82 + 0.18 * edge));
  });
}

function planks(x: number, y: number): number {
  const row = Math.floor(y / PLANK_WIDTH);
  const shifted = x / PLANK_LENGTH + grain(row, 7);
  const plank = Math.floor(shifted);
  const across = y / PLANK_WIDTH - row;
  const along = shifted - plank;
  if (across < 0.05 || along < 0.008) return 0x6d4a2b;
  const color = PLANK_COLORS[Math.floor(grain(plank, row) * PLANK_COLORS.length)] ?? PLANK_COLORS[0];
  const vein = 0.95 + 0.1 * grain(Math.floor(x * 12 + plank * 31), Math.floor(y * 90));
  return tone(color, vein);
}

function carpet(plan: RoomPlan, x: number, y: number): number | undefined {
  const { carpet: area } = plan;
  const edge = Math.min(x - area.x, area.x + area.width - x, y - area.y, area.y + area.depth - y);
  if (edge < 0) return undefined;
  if (edge < 0.05) return 0xe8d9b5;
  if (edge < 0.17) return 0x7a2536;
  if (edge < 0.2) return 0xe8d9b5;
  const u = (x - area.x) / 0.32;
  const v = (y - area.y) / 0.32;
  const diamond = Math.abs((u % 1) - 0.5) + Math.abs((v % 1) - 0.5);
  if (diamond < 0.16) return 0xe3b04b;
  if (diamond < 0.34) return 0x1f4e66;
  return (Math.floor(u) + Math.floor(v)) % 2 === 0 ? 0x9a2f42 : 0x8c2a3c;
}

function dock(plan: RoomPlan, x: number, y: number): number | undefined {
  const distance = Math.hypot(x - plan.dock.x, y - plan.dock.y) / plan.dock.radius;
  if (distance > 1) return undefined;
  if (distance > 0.88) return 0x2fbf71;
  if (distance > 0.8) return 0x20262b;
  // A plug: two pins and a body.
  const u = (x - plan.dock.x) / plan.dock.radius;
  const v = (y - plan.dock.y) / plan.dock.radius;
  const isPin = u > 0.1 && u < 0.45 && Math.abs(Math.abs(v) - 0.2) < 0.06;
  const isBody = u > -0.3 && u <= 0.1 && Math.abs(v) < 0.38 - 0.3 * Math.max(0, -u - 0.05);
  const isCord = u > -0.75 && u <= -0.3 && Math.abs(v) < 0.06;
  return isPin || isBody || isCord ? 0xf4d35e : 0x39424a;
}

/** Darker close to walls and things. Sampled coarsely, read smoothly. */
function shadowGrid(plan: RoomPlan): (x: number, y: number) => number {
  const scale = 20;
  const columns = Math.ceil((plan.maxX - plan.minX) * scale) + 2;
  const rows = Math.ceil((plan.maxY - plan.minY) * scale) + 2;
  const shade = new Float32Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = { x: plan.minX + column / scale, y: plan.minY + row / scale, radius: 0 };
      shade[row * columns + column] = 0.55 + 0.45 * smoothstep(-0.12, 0.3, nearestObstacle(plan, at).distance);
    }
  }
  return (x, y) => {
    const u = (x - plan.minX) * scale;
    const v = (y - plan.minY) * scale;
    const column = Math.floor(u);
    const row = Math.floor(v);
    const at = (c: number, r: number): number => shade[(row + r) * columns + column + c] ?? 1;
    const top = at(0, 0) + (at(1, 0) - at(0, 0)) * (u - column);
    const bottom = at(0, 1) + (at(1, 1) - at(0, 1)) * (u - column);
    return top + (bottom - top) * (v - row);
  };
}

/** Light that falls through the two panes of the window in the east wall, slanting into the room. */
function sunlight(plan: RoomPlan, x: number, y: number): number {
  const inward = plan.maxX - x;
  const slanted = y + inward * 0.35;
  const isInPane = (low: number, high: number): number =>
    smoothstep(low - 0.05, low + 0.05, slanted) * (1 - smoothstep(high - 0.05, high + 0.05, slanted));
  const depth = smoothstep(0.5, 0.7, inward) * (1 - smoothstep(1.9, 2.2, inward));
  return 0.92 + 0.38 * depth * Math.max(isInPane(-1.15, -0.05), isInPane(0.05, 1.15));
}

// How the walls look: wallpaper, skirting, a window with a view, a door, framed pictures, a clock. Painted once.
import type { RoomPlan, Wall } from '../room/plan.ts';
import { blend, grain, paintTexture, smoothstep, type Texture, tone } from './texture.ts';

/** Texels per metre. */
const WALL_SCALE = 100;

/** A colour at `u` metres along the wall and `z` metres above the floor, or undefined where the wallpaper shows. */
type Fixture = (u: number, z: number) => number | undefined;

export function paintWall(plan: RoomPlan, wall: Wall): Texture {
  const length = Math.hypot(wall.x2 - wall.x1, wall.y2 - wall.y1);
  const fixtures = fixturesOf(wall.name);
  return paintTexture(Math.round(length * WALL_SCALE), Math.round(plan.height * WALL_SCALE), (column, row) => {
    const u = (column + 0.5) / WALL_SCALE;
    const z = plan.height - (row + 0.5) / WALL_SCALE;
    const corner = 0.78 + 0.22 * smoothstep(0, 0.45, Math.min(u, length - u));
    const lower = 0.86 + 0.14 * smoothstep(0, 0.5, z);
    for (const fixture of fixtures) {
      const color = fixture(u, z);
      if (color !== undefined) return color;
    }
    return tone(wallpaper(wall, u, z), corner * lower * (0.985 + 0.03 * grain(column, row)));
  });
}

function fixturesOf(name: string): readonly Fixture[] {
  if (name === 'window wall') return [windowAt(2.6, 2.3)];
  if (name === 'door wall')
    return [doorAt(3.9), picture({ u: 0.95, z: 1.5, width: 0.7, height: 0.5, subject: 'waves' })];
  if (name === 'picture wall') {
    return [
      picture({ u: 1.5, z: 1.55, width: 0.9, height: 0.65, subject: 'sun' }),
      picture({ u: 3.1, z: 1.55, width: 0.55, height: 0.75, subject: 'squares' }),
      picture({ u: 4.9, z: 1.5, width: 0.8, height: 0.6, subject: 'waves' }),
    ];
  }
  return [clockAt(0.95, 1.8), picture({ u: 2.5, z: 1.6, width: 1.3, height: 0.55, subject: 'sun' })];
}

function wallpaper(wall: Wall, u: number, z: number): number {
  if (z < 0.1) return 0xf1ece0;
  if (z < 0.112) return tone(wall.color, 0.55);
  if (z > 2.42) return 0xf1ece0;
  if (wall.name === 'sofa wall') return Math.floor(u / 0.13) % 2 === 0 ? wall.color : tone(wall.color, 1.07);
  if (wall.name === 'picture wall') {
    const isDot = Math.hypot(((u + (Math.floor(z / 0.2) % 2) * 0.1) % 0.2) - 0.1, (z % 0.2) - 0.1) < 0.022;
    return isDot ? tone(wall.color, 1.13) : wall.color;
  }
  if (wall.name === 'door wall' && z < 0.95)
    return z > 0.91 ? 0xf1ece0 : tone(wall.color, u % 0.3 < 0.012 ? 0.7 : 0.88);
  return wall.color;
}

function windowAt(middle: number, width: number): Fixture {
  return (u, z) => {
    const du = u - middle;
    const dz = z - 1.45;
    const out = Math.max(Math.abs(du) - width / 2, Math.abs(dz) - 0.65);
    if (out > 0.07) return undefined;
    if (out > 0 || Math.abs(du) < 0.03 || Math.abs(dz - 0.25) < 0.02) return out > 0.05 ? 0xcfc8b6 : 0xfbfaf4;
    return view(du, dz);
  };
}

/** What is outside: sky, clouds, a sun, two rows of hills. */
function view(u: number, z: number): number {
  const far = -0.1 + 0.12 * Math.sin(u * 2.1 + 0.6) + 0.04 * Math.sin(u * 5.3);
  const near = -0.34 + 0.09 * Math.sin(u * 1.6 + 2.2);
  if (z < near) return blend(0x4f8f45, 0x3d7437, smoothstep(near, near - 0.3, z));
  if (z < far) return 0x7fa88c;
  if (Math.hypot(u - 0.7, z - 0.42) < 0.1) return 0xfff6cf;
  const cloud = Math.sin(u * 4 + 1) * Math.sin(z * 9 + u * 2) + 0.6 * Math.sin(u * 9 + z * 5);
  return blend(blend(0xd5ecf7, 0x6fb4e6, smoothstep(-0.1, 0.65, z)), 0xffffff, 0.75 * smoothstep(0.55, 1.1, cloud));
}

function doorAt(middle: number): Fixture {
  return (u, z) => {
    const du = u - middle;
    const side = Math.abs(du);
    if (side > 0.52 || z > 2.12) return undefined;
    if (side > 0.44 || z > 2.04) return 0xf4efe3;
    if (Math.hypot(du - 0.36, z - 1.02) < 0.035) return 0xd9b84a;
    const isPanel = side > 0.07 && side < 0.34 && ((z > 0.2 && z < 0.9) || (z > 1.1 && z < 1.9));
    const isEdge =
      isPanel &&
      (side < 0.085 || side > 0.325 || z < 0.215 || (z > 0.885 && z < 0.9) || (z > 1.1 && z < 1.115) || z > 1.885);
    const wood = tone(0x8a5a36, 0.94 + 0.12 * grain(Math.floor(du * 60), Math.floor(z * 4)));
    if (isEdge) return tone(wood, 0.65);
    return isPanel ? tone(wood, 0.88) : wood;
  };
}

interface Picture {
  readonly u: number;
  readonly z: number;
  readonly width: number;
  readonly height: number;
  readonly subject: 'sun' | 'squares' | 'waves';
}

function picture({ u: middle, z: center, width, height, subject }: Picture): Fixture {
  return (u, z) => {
    const x = (u - middle) / (width / 2);
    const y = (z - center) / (height / 2);
    const out = Math.max(Math.abs(u - middle) - width / 2, Math.abs(z - center) - height / 2);
    if (out > 0.04) return undefined;
    if (out > 0) return out > 0.03 ? 0x2b2019 : 0x55402d;
    if (out > -0.05) return 0xf5f1e6;
    if (subject === 'sun') return sunset(x, y);
    return subject === 'squares' ? squares(x, y) : waves(x, y);
  };
}

function sunset(x: number, y: number): number {
  if (y < -0.25) return Math.abs(x) < 0.25 - y * 0.1 && Math.floor(y * 14) % 2 === 0 ? 0xf6b26b : 0x27476e;
  if (Math.hypot(x, (y + 0.2) * 0.7) < 0.38) return 0xf7d154;
  return blend(0xf08a4b, 0x7b3f7f, smoothstep(-0.25, 0.9, y));
}

const SQUARES = [0xd1495b, 0xedae49, 0x30638e, 0x00798c, 0xf3efe0] as const;

function squares(x: number, y: number): number {
  const column = Math.floor((x + 1) * 1.9);
  const row = Math.floor((y + 1) * 2.4);
  const isLine = ((x + 1) * 1.9) % 1 < 0.09 || ((y + 1) * 2.4) % 1 < 0.09;
  return isLine ? 0x15181c : (SQUARES[Math.floor(grain(column, row + 3) * SQUARES.length)] ?? 0xf3efe0);
}

function waves(x: number, y: number): number {
  const level = y + 0.18 * Math.sin(x * 5);
  return (
    [0x12355b, 0x1f5f8b, 0x3b8ea5, 0x8fc1b5, 0xf2e8c9][Math.min(4, Math.max(0, Math.floor((level + 1) * 2.4)))] ??
    0x12355b
  );
}

function clockAt(middle: number, height: number): Fixture {
  return (u, z) => {
    const x = u - middle;
    const y = z - height;
    const radius = Math.hypot(x, y);
    if (radius > 0.2) return undefined;
    if (radius > 0.17) return 0x2a2a2e;
    const angle = Math.atan2(x, y);
    const isMark = radius > 0.14 && Math.abs(((angle / (Math.PI / 6) + 12.5) % 1) - 0.5) < 0.09;
    // Ten past ten, as clocks in shops show.
    const isHand = onRay({ x, y, angle: -1.04, length: 0.09 }) || onRay({ x, y, angle: 1.05, length: 0.13 });
    return isMark || isHand || radius < 0.015 ? 0x1d1d20 : 0xfaf7ee;
  };
}

function onRay(ray: {
  readonly x: number;
  readonly y: number;
  readonly angle: number;
  readonly length: number;
}): boolean {
  const along = ray.x * Math.sin(ray.angle) + ray.y * Math.cos(ray.angle);
  const across = ray.x * Math.cos(ray.angle) - ray.y * Math.sin(ray.angle);
  return along > 0 && along < ray.length && Math.abs(across) < 0.011;
}

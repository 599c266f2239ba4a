// How boxes and pillars look, by their finish. Painted once when a camera is made.
import type { Box, Finish, Pillar } from '../room/plan.ts';
import { grain, paintTexture, smoothstep, type Texture, tone } from './texture.ts';

/** Texels per metre. */
const THING_SCALE = 80;

export interface BoxPainting {
  /** Sides whose normal is along x (length: the box's depth), and along y. */
  readonly sideX: Texture;
  readonly sideY: Texture;
  readonly top: Texture;
}

export function paintBox(box: Box): BoxPainting {
  return { sideX: side(box, box.depth), sideY: side(box, box.width), top: top(box) };
}

/** The mantle of a pillar, unrolled. */
export function paintMantle(pillar: Pillar): Texture {
  const around = 2 * Math.PI * pillar.radius;
  return surface({ width: around, height: pillar.height, color: pillar.color, finish: pillar.finish });
}

function side(box: Box, width: number): Texture {
  return surface({ width, height: box.height, color: box.color, finish: box.finish });
}

function surface(face: {
  readonly width: number;
  readonly height: number;
  readonly color: number;
  readonly finish: Finish;
}): Texture {
  const { width, height, color, finish } = face;
  const columns = Math.max(1, Math.round(width * THING_SCALE));
  const rows = Math.max(1, Math.round(height * THING_SCALE));
  return paintTexture(columns, rows, (column, row) => {
    const u = (column + 0.5) / THING_SCALE;
    const z = height - (row + 0.5) / THING_SCALE;
    const low = 0.72 + 0.28 * smoothstep(0, 0.25, z);
    return tone(finished(finish, { color, u, z, width, height }), low * (0.98 + 0.04 * grain(column, row)));
  });
}

interface Spot {
  readonly color: number;
  readonly u: number;
  readonly z: number;
  readonly width: number;
  readonly height: number;
}

function finished(finish: Finish, spot: Spot): number {
  const { color, u, z, width, height } = spot;
  const edge = Math.min(u, width - u, z, height - z);
  if (finish === 'stripes') return Math.floor(z / 0.16 + 100) % 2 === 0 ? color : 0xf3ede0;
  if (finish === 'wood') {
    const vein = 0.92 + 0.16 * grain(Math.floor(u * 5), Math.floor(z * 70));
    return tone(color, edge < 0.015 ? 0.6 : vein);
  }
  if (finish === 'cushions') {
    const along = Math.abs(((u / (width / Math.max(1, Math.round(width / 0.62)))) % 1) - 0.5);
    return tone(color, along > 0.485 || edge < 0.015 ? 0.6 : 1.08 - along * 0.35);
  }
  if (finish === 'parcel') {
    if (edge < 0.018) return tone(color, 0.6);
    const isTape = Math.abs(u - width / 2) < 0.03 || Math.abs(z - height / 2) < 0.012;
    return isTape ? tone(color, 1.35) : color;
  }
  if (finish === 'books') return books(spot);
  return color;
}

const SPINES = [0xa8322a, 0x2d4f7c, 0xd9a441, 0x3c6e47, 0x6b3a5b, 0xe6dcc3, 0x28323c, 0xc76b33] as const;

function books({ color, u, z, width }: Spot): number {
  const shelf = z / 0.38;
  const above = (shelf % 1) * 0.38;
  if (above < 0.025 || u < 0.03 || width - u < 0.03) return color;
  const slot = Math.floor(u / 0.045);
  const pick = grain(slot, Math.floor(shelf));
  const tall = 0.2 + 0.12 * grain(slot + 50, Math.floor(shelf));
  if (above > tall || pick > 0.93) return tone(color, 0.35);
  const across = (u / 0.045) % 1;
  const spine = SPINES[Math.floor(grain(slot + 9, Math.floor(shelf)) * SPINES.length)] ?? SPINES[0];
  const isTitle = above > 0.11 && above < 0.15 && across > 0.25 && across < 0.75;
  return tone(spine, isTitle ? 1.5 : across < 0.12 ? 0.6 : 1);
}

function top(box: Box): Texture {
  const columns = Math.max(1, Math.round(box.width * THING_SCALE));
  const rows = Math.max(1, Math.round(box.depth * THING_SCALE));
  return paintTexture(columns, rows, (column, row) => {
    const x = (column + 0.5) / THING_SCALE;
    const y = (row + 0.5) / THING_SCALE;
    const edge = Math.min(x, box.width - x, y, box.depth - y);
    const plain =
      box.finish === 'wood' ? tone(box.color, 0.95 + 0.15 * grain(Math.floor(x * 90), Math.floor(y * 4))) : box.color;
    const isTape = box.finish === 'parcel' && Math.abs(x - box.width / 2) < 0.03;
    return tone(plain, edge < 0.018 ? 0.8 : isTape ? 1.4 : 1.15);
  });
}

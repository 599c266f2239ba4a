// Painted surfaces as rows of texels, and the brushes they are painted with. Colours are 0xRRGGBB. Pure.

/** Row 0 is the top of an upright surface. */
export interface Texture {
  readonly width: number;
  readonly height: number;
  readonly texels: Uint32Array;
}

/** The colour of the texel at column x, row y. */
export type Paint = (x: number, y: number) => number;

export function paintTexture(width: number, height: number, paint: Paint): Texture {
  const texels = new Uint32Array(width * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) texels[y * width + x] = paint(x, y);
  return { width, height, texels };
}

/** A colour made lighter (> 1) or darker (< 1). */
export function tone(color: number, factor: number): number {
  const r = Math.min(255, ((color >> 16) & 255) * factor);
  const g = Math.min(255, ((color >> 8) & 255) * factor);
  const b = Math.min(255, (color & 255) * factor);
  return (r << 16) | (g << 8) | b;
}

/** `part` (0 to 1) of the way from one colour to another. */
export function blend(from: number, to: number, part: number): number {
  const keep = 1 - part;
  const r = ((from >> 16) & 255) * keep + ((to >> 16) & 255) * part;
  const g = ((from >> 8) & 255) * keep + ((to >> 8) & 255) * part;
  const b = (from & 255) * keep + (to & 255) * part;
  return (r << 16) | (g << 8) | b;
}

/** A number within [0, 1) that looks random and is the same for the same place. */
export function grain(x: number, y: number): number {
  let h = Math.imul(x | 0, 374761393) + Math.imul(y | 0, 668265263);
  h = Math.imul(h ^ (h >>> 13), 1274126177);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

/** 0 below `from`, 1 above `to`, smooth between. */
export function smoothstep(from: number, to: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return t * t * (3 - 2 * t);
}

// Pixels into the byte layouts that NAOqi's cameras give. Pure. Numbers and layouts: ALVideoDevice's public documentation.
import type { Picture } from './raycaster.ts';

export interface ColorSpace {
  readonly name: string;
  /** Bytes per pixel, which NAOqi calls layers. */
  readonly layers: number;
  readonly convert: (picture: Picture) => Uint8Array;
}

/** Luma of BT.601, full range. */
const luma = (p: number): number => (77 * ((p >> 16) & 255) + 150 * ((p >> 8) & 255) + 29 * (p & 255)) >> 8;
const blueness = (p: number): number =>
  clamp(128 + ((-43 * ((p >> 16) & 255) - 85 * ((p >> 8) & 255) + 128 * (p & 255)) >> 8));
const redness = (p: number): number =>
  clamp(128 + ((128 * ((p >> 16) & 255) - 107 * ((p >> 8) & 255) - 21 * (p & 255)) >> 8));

function clamp(value: number): number {
  return Math.max(0, Math.min(255, value));
}

function perPixel(
  layers: number,
  write: (bytes: Uint8Array, at: number, pixel: number) => void,
): (picture: Picture) => Uint8Array {
  return ({ pixels }) => {
    const bytes = new Uint8Array(pixels.length * layers);
    for (let index = 0; index < pixels.length; index++) write(bytes, index * layers, pixels[index] ?? 0);
    return bytes;
  };
}

function yuyv({ pixels }: Picture): Uint8Array {
  const bytes = new Uint8Array(pixels.length * 2);
  for (let index = 0; index < pixels.length; index += 2) {
    const left = pixels[index] ?? 0;
    const right = pixels[index + 1] ?? left;
    bytes[index * 2] = luma(left);
    bytes[index * 2 + 1] = (blueness(left) + blueness(right)) >> 1;
    bytes[index * 2 + 2] = luma(right);
    bytes[index * 2 + 3] = (redness(left) + redness(right)) >> 1;
  }
  return bytes;
}

/** By NAOqi's number. */
export const COLOR_SPACES: ReadonlyMap<number, ColorSpace> = new Map([
  [
    0,
    {
      name: 'kYuvColorSpace',
      layers: 1,
      convert: perPixel(1, (bytes, at, pixel) => {
        bytes[at] = luma(pixel);
      }),
    },
  ],
  [9, { name: 'kYUV422ColorSpace', layers: 2, convert: yuyv }],
  [
    10,
    {
      name: 'kYUVColorSpace',
      layers: 3,
      convert: perPixel(3, (bytes, at, pixel) => {
        bytes[at] = luma(pixel);
        bytes[at + 1] = blueness(pixel);
        bytes[at + 2] = redness(pixel);
      }),
    },
  ],
  [
    11,
    {
      name: 'kRGBColorSpace',
      layers: 3,
      convert: perPixel(3, (bytes, at, pixel) => {
        bytes[at] = pixel >> 16;
        bytes[at + 1] = pixel >> 8;
        bytes[at + 2] = pixel;
      }),
    },
  ],
  [
    13,
    {
      name: 'kBGRColorSpace',
      layers: 3,
      convert: perPixel(3, (bytes, at, pixel) => {
        bytes[at] = pixel;
        bytes[at + 1] = pixel >> 8;
        bytes[at + 2] = pixel >> 16;
      }),
    },
  ],
]);

export interface Resolution {
  readonly name: string;
  readonly width: number;
  readonly height: number;
}

/** By NAOqi's number. */
export const RESOLUTIONS: ReadonlyMap<number, Resolution> = new Map([
  [8, { name: 'kQQQQVGA', width: 40, height: 30 }],
  [7, { name: 'kQQQVGA', width: 80, height: 60 }],
  [0, { name: 'kQQVGA', width: 160, height: 120 }],
  [1, { name: 'kQVGA', width: 320, height: 240 }],
  [2, { name: 'kVGA', width: 640, height: 480 }],
]);

// What in a result is a picture: a file that says so itself, or NAOqi's list of a camera image. Pure.
// Layouts and numbers of colour spaces: ALVideoDevice's public documentation.
import { type Deflate, encodePng, type Pixels } from './png.ts';

export interface PictureFile {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** Beginnings of files that every browser shows. */
const MAGIC: readonly { readonly type: string; readonly at: number; readonly bytes: readonly number[] }[] = [
  { type: 'image/png', at: 0, bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] },
  { type: 'image/jpeg', at: 0, bytes: [0xff, 0xd8, 0xff] },
  { type: 'image/gif', at: 0, bytes: [0x47, 0x49, 0x46, 0x38] },
  { type: 'image/webp', at: 8, bytes: [0x57, 0x45, 0x42, 0x50] },
];

/** The type of a picture's file; undefined for other bytes. */
export function pictureType(bytes: Uint8Array): string | undefined {
  return MAGIC.find(({ at, bytes: magic }) => magic.every((byte, index) => bytes[at + index] === byte))?.type;
}

/**
 * The picture in a decoded result: `none` when a camera had none just now, undefined when the result is no picture.
 * @param deflate makes a PNG small; without it, it is as large as the pixels
 */
export async function pictureOf(value: unknown, deflate?: Deflate): Promise<PictureFile | 'none' | undefined> {
  if (value === null || value === undefined) return 'none';
  if (value instanceof Uint8Array) {
    const type = pictureType(value);
    return type === undefined ? undefined : { type, bytes: value };
  }
  const pixels = cameraPixels(value);
  return pixels === undefined ? undefined : { type: 'image/png', bytes: await encodePng(pixels, deflate) };
}

/** When a camera took the image of its list; undefined when it does not say. Tells whether an image is another one. */
export function takenAt(value: unknown): string | undefined {
  return Array.isArray(value) && value.length > 6 ? `${String(value[4])}.${String(value[5])}` : undefined;
}

/** Turns the pixels of a colour space into grey or RGB. */
interface ColorSpace {
  /** Bytes of a pixel. */
  readonly layers: number;
  readonly depth: 1 | 3;
  readonly convert: (bytes: Uint8Array) => Uint8Array;
}

const same = (bytes: Uint8Array): Uint8Array => bytes;

/** By NAOqi's number. */
const COLOR_SPACES: ReadonlyMap<number, ColorSpace> = new Map([
  [0, { layers: 1, depth: 1, convert: same }],
  [9, { layers: 2, depth: 3, convert: fromYuv422 }],
  [10, { layers: 3, depth: 3, convert: fromYuv }],
  [11, { layers: 3, depth: 3, convert: same }],
  [13, { layers: 3, depth: 3, convert: fromBgr }],
]);

/** Of `[width, height, layers, colour space, seconds, microseconds, pixels, …]`. */
function cameraPixels(value: unknown): Pixels | undefined {
  if (!Array.isArray(value)) return undefined;
  const [width, height, , number, , , bytes] = value as unknown[];
  if (!isSize(width) || !isSize(height) || typeof number !== 'number' || !(bytes instanceof Uint8Array))
    return undefined;
  const space = COLOR_SPACES.get(number);
  const length = width * height * (space?.layers ?? 0);
  if (space === undefined || bytes.length < length) return undefined;
  return { width, height, depth: space.depth, bytes: space.convert(bytes.subarray(0, length)) };
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 8192;
}

function fromBgr(bytes: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += 3) {
    rgb[at] = bytes[at + 2] as number;
    rgb[at + 1] = bytes[at + 1] as number;
    rgb[at + 2] = bytes[at] as number;
  }
  return rgb;
}

function fromYuv(bytes: Uint8Array): Uint8Array {
  const rgb = new Uint8ClampedArray(bytes.length);
  for (let at = 0; at < bytes.length; at += 3)
    writeRgb(rgb, at, { y: bytes[at] as number, u: bytes[at + 1] as number, v: bytes[at + 2] as number });
  return new Uint8Array(rgb.buffer);
}

/** Two pixels share their colour: Y1 U Y2 V. */
function fromYuv422(bytes: Uint8Array): Uint8Array {
  const rgb = new Uint8ClampedArray((bytes.length / 2) * 3);
  for (let at = 0, to = 0; at + 3 < bytes.length; at += 4, to += 6) {
    const u = bytes[at + 1] as number;
    const v = bytes[at + 3] as number;
    writeRgb(rgb, to, { y: bytes[at] as number, u, v });
    writeRgb(rgb, to + 3, { y: bytes[at + 2] as number, u, v });
  }
  return new Uint8Array(rgb.buffer);
}

/** BT.601, full range. */
function writeRgb(rgb: Uint8ClampedArray, at: number, { y, u, v }: { y: number; u: number; v: number }): void {
  const blue = u - 128;
  const red = v - 128;
  rgb[at] = y + 1.402 * red;
  rgb[at + 1] = y - 0.344136 * blue - 0.714136 * red;
  rgb[at + 2] = y + 1.772 * blue;
}

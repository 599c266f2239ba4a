// What of an answer is a picture, and the PNG made of a camera's pixels, as any reader of PNG takes it.
import { deflateSync, inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { pictureOf, pictureType, takenAt } from '../../protocol/http-door/pictures.ts';
import { encodePng } from '../../protocol/http-door/png.ts';
import { patternBytes } from '../support/door-robot.ts';

const GREY = 0;
const RGB = 11;

/** As ALVideoDevice answers. */
function image(width: number, height: number, more: { space?: number; bytes?: Uint8Array } = {}): unknown[] {
  const { space = RGB, bytes = new Uint8Array(width * height * 3) } = more;
  return [width, height, 3, space, 17, 250, bytes, 0];
}

/** The rows of a PNG with their filters undone. @throws when the zlib stream or its sum is wrong */
function rowsOf(png: Uint8Array, rowBytes: number, depth: number): Uint8Array {
  const view = new DataView(png.buffer, png.byteOffset, png.length);
  const packed = png.subarray(33 + 8, 33 + 8 + view.getUint32(33));
  const rows = inflateSync(packed);
  const pixels = new Uint8Array(rows.length - rows.length / (rowBytes + 1));
  for (let row = 0, to = 0; row < rows.length; row += rowBytes + 1) {
    for (let at = 0; at < rowBytes; at++, to++) {
      const left = rows[row] === 1 && at >= depth ? (pixels[to - depth] as number) : 0;
      pixels[to] = (rows[row + 1 + at] as number) + left;
    }
  }
  return pixels;
}

describe('a PNG', () => {
  test.each([
    ['stored as it is', undefined],
    ['deflated', async (bytes: Uint8Array) => new Uint8Array(deflateSync(bytes))],
  ] as const)('of the size of a camera, %s, holds every pixel', async (_, deflate) => {
    const pixels = patternBytes(320 * 240 * 3);
    const png = await encodePng({ width: 320, height: 240, depth: 3, bytes: pixels }, deflate);
    expect(Buffer.from(rowsOf(png, 960, 3)).equals(pixels)).toBe(true);
  });

  test('of bright pixels has the right sum', async () => {
    const pixels = new Uint8Array(640 * 480).fill(255);
    const png = await encodePng({ width: 640, height: 480, depth: 1, bytes: pixels });
    expect(Buffer.from(rowsOf(png, 640, 1)).equals(pixels)).toBe(true);
  });
});

describe('a picture is', () => {
  test.each([
    ['image/png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0]],
    ['image/jpeg', [0xff, 0xd8, 0xff, 0xe0]],
    ['image/gif', [0x47, 0x49, 0x46, 0x38, 0x39, 0x61]],
    ['image/webp', [...Buffer.from('RIFF\0\0\0\0WEBPVP8 ', 'latin1')]],
  ])('a file that begins as %s does', (type, bytes) => {
    expect(pictureType(Uint8Array.from(bytes))).toBe(type);
  });

  test.each<[string, unknown]>([
    ['bytes of no known file', Uint8Array.of(1, 2, 3, 4)],
    ['an image with fewer bytes than pixels', image(4, 4, { bytes: new Uint8Array(47) })],
    ['an image of an unknown colour space', image(4, 4, { space: 99 })],
    ['an image without a height', image(4, 0)],
    ['an image of half a pixel', image(1.5, 4)],
    ['an image wider than any camera sees', image(8193, 1, { space: GREY, bytes: new Uint8Array(8193) })],
    ['a text', 'picture'],
  ])('not %s', async (_, value) => {
    expect(await pictureOf(value)).toBeUndefined();
  });

  test.each([null, undefined])('none just now when the answer is %s', async (value) => {
    expect(await pictureOf(value)).toBe('none');
  });

  test('the widest that is taken', async () => {
    expect(await pictureOf(image(8192, 1, { space: GREY, bytes: new Uint8Array(8192) }))).toMatchObject({
      type: 'image/png',
    });
  });
});

test('two images of the same second are told apart', () => {
  const later = image(2, 2);
  later[5] = 251;
  expect(takenAt(later)).not.toBe(takenAt(image(2, 2)));
  expect(takenAt(image(2, 2))).toBe(takenAt(image(2, 2)));
  expect([takenAt(null), takenAt([1, 2])]).toEqual([undefined, undefined]);
});

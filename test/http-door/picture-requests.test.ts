// Pictures by GET: stills for an <img>, and one after the other. As plain data: no sockets.
import { inflateSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { QiwayError } from '../../protocol/errors.ts';
import { createDoor, type Door } from '../../protocol/http-door/door.ts';
import type { DoorOptions, DoorResponse } from '../../protocol/http-door/door-types.ts';
import { frameStream } from '../../protocol/http-door/frame-stream.ts';
import { classOfTester, type DoorRobot, doorRobot } from '../support/door-robot.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

const TESTER = '/robot/services/Tester';
let robot: DoorRobot;
let clock: VirtualClock;
let door: Door;

function makeDoor(options: Partial<DoorOptions> = {}): Door {
  return createDoor(robot.bus, { clock, newEpoch: () => 'e', classOf: classOfTester, ...options });
}

beforeEach(async () => {
  robot = await doorRobot();
  clock = virtualClock();
  door = makeDoor();
});

function get(path: string, headers: Record<string, string> = {}): Promise<DoorResponse> {
  return door.handle({ method: 'GET', path: `${TESTER}/${path}`, headers, body: new Uint8Array(0) });
}

function textOf({ body }: DoorResponse): string {
  return new TextDecoder().decode(body as Uint8Array);
}

/** Browsers, measured. */
const IMG_ACCEPTS = [
  'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8',
  'image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5',
];

/** Width, height, bytes of a pixel, and the pixels, of a PNG whose rows have filter 0 or 1. */
function readPng(png: Uint8Array): { width: number; height: number; depth: number; pixels: number[] } {
  const bytes = Buffer.from(png);
  expect(bytes.toString('latin1', 12, 16)).toBe('IHDR');
  const [width, height, depth] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20), bytes[25] === 2 ? 3 : 1];
  const at = bytes.indexOf('IDAT');
  const rows = inflateSync(bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at - 4)));
  const pixels: number[] = [];
  for (let row = 0; row < height; row++) {
    const [filter, ...line] = rows.subarray(row * (width * depth + 1), (row + 1) * (width * depth + 1));
    expect(filter).toBeLessThanOrEqual(1);
    for (const [at, byte] of line.entries())
      line[at] = filter === 1 && at >= depth ? (byte + (line[at - depth] as number)) & 255 : byte;
    pixels.push(...line);
  }
  return { width, height, depth, pixels };
}

const COLORS = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];

describe('pictures', () => {
  test.each(IMG_ACCEPTS)('an <img> gets one: %s', async (accept) => {
    const response = await get('getPicture?args=[11]', { accept });
    expect([response.status, response.headers['content-type']]).toEqual([200, 'image/png']);
    expect(readPng(response.body as Uint8Array)).toEqual({ width: 2, height: 2, depth: 3, pixels: COLORS });
  });

  test.each([10, 11, 13])('of colour space %d', async (space) => {
    const { pixels } = readPng((await get(`getPicture?args=[${space}]&as=png`)).body as Uint8Array);
    for (const [index, value] of COLORS.entries()) expect(Math.abs((pixels[index] ?? -99) - value)).toBeLessThan(3);
  });

  test('of colour space 9: two pixels share a colour', async () => {
    const { pixels } = readPng((await get('getPicture?args=[9]&as=png')).body as Uint8Array);
    const expected = [254, 0, 0, 254, 0, 0, 0, 0, 254, 0, 0, 254];
    for (const [index, value] of expected.entries()) expect(Math.abs((pixels[index] ?? -99) - value)).toBeLessThan(3);
  });

  test('grey', async () => {
    const png = readPng((await get('getPicture?args=[0]&as=png')).body as Uint8Array);
    expect(png).toEqual({ width: 2, height: 2, depth: 1, pixels: [76, 150, 29, 255] });
  });

  test('are made small where that is worth it', async () => {
    const { deflateSync } = await import('node:zlib');
    door = makeDoor({ deflate: async (bytes) => deflateSync(bytes) });
    expect(readPng((await get('getPicture?args=[11]&as=png')).body as Uint8Array).pixels).toEqual(COLORS);
  });

  test('that are files already pass as they are', async () => {
    const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 1, 2, 3);
    robot.tester.set('icon', jpeg);
    const response = await get('icon', { accept: IMG_ACCEPTS[0] as string });
    expect([response.headers['content-type'], response.body]).toEqual(['image/jpeg', jpeg]);
    expect((await get('icon?as=png')).status).toBe(406);
  });

  test('a camera that has none just now is worth a retry', async () => {
    const response = await get('getNothing?as=image');
    expect([response.status, response.headers['retry-after']]).toEqual([503, '2']);
  });

  test.each(['getSum?args=[1,2]&as=image', 'getPicture?args=[99]&as=image', 'icon?as=image'])(
    '%s is none',
    async (path) => {
      expect((await get(path)).status).toBe(406);
    },
  );

  test('who asks for anything gets JSON', async () => {
    const json = JSON.parse(textOf(await get('getPicture?args=[0]', { accept: '*/*' })));
    expect((json as { result: unknown[] }).result.slice(0, 7)).toEqual([2, 2, 1, 0, 1, 2, { $raw: 'TJYd/w==' }]);
  });
});

describe('pictures one after the other', () => {
  const BEGINNING = '--qiway-frame\r\ncontent-type: image/png\r\n\r\n';

  async function frames(path = 'getPicture?args=[0]&as=mjpeg&fps=10'): Promise<AsyncIterator<Uint8Array>> {
    const response = await get(path);
    expect(response.headers['content-type']).toBe('multipart/x-mixed-replace; boundary=qiway-frame');
    return (response.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  }

  test('each between two boundaries: a browser shows it when it has seen what follows', async () => {
    const parts = await frames();
    const next = parts.next();
    await clock.advance(0);
    const part = Buffer.from((await next).value);
    expect(part.subarray(0, BEGINNING.length).toString()).toBe(BEGINNING);
    expect(part.subarray(-BEGINNING.length - 2).toString()).toBe(`\r\n${BEGINNING}`);
    expect(readPng(part.subarray(BEGINNING.length)).pixels).toEqual([76, 150, 29, 255]);
    await parts.return?.();
  });

  test('a picture of another type says so', async () => {
    const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, 1);
    const pictures = [jpeg, jpeg, Uint8Array.of(0x47, 0x49, 0x46, 0x38, 1)];
    const stream = frameStream({
      clock,
      framesPerSecond: 10,
      take: async () => {
        const [bytes] = pictures.splice(0, 1);
        return bytes && { type: bytes[0] === 0x47 ? 'image/gif' : 'image/jpeg', bytes };
      },
      ended: () => {},
    });
    let text = '';
    for (let count = 0; count < 3; count++) {
      const next = stream.next();
      await clock.advance(100);
      text += Buffer.from((await next).value).toString('latin1');
    }
    const types = [...text.matchAll(/content-type: (\S+)\r\n\r\n([^\r]*)/g)].map(([, type, body]) => [
      type,
      body?.length,
    ]);
    expect(types).toEqual([
      ['image/jpeg', 4],
      ['image/jpeg', 4],
      ['image/jpeg', 0],
      ['image/gif', 5],
      ['image/gif', 0],
    ]);
    await stream.return?.();
  });

  test('the same picture is not sent again, and not asked for more often than agreed', async () => {
    let asked = 0;
    door = makeDoor({ onCall: () => asked++ });
    const parts = await frames('getPicture?args=[0]&as=mjpeg');
    const first = parts.next();
    await clock.advance(0);
    await first;
    const second = parts.next();
    await clock.advance(1000);
    expect(asked).toBe(11);
    await parts.return?.();
    expect((await second).done).toBe(true);
  });

  test('who stops looking stops the call under way', async () => {
    const parts = await frames('getNow?as=mjpeg');
    const next = parts.next();
    await clock.advance(0);
    await robot.logged('getNow began');
    await parts.return?.();
    expect(await robot.logged('getNow stopped')).toBe('getNow stopped');
    expect((await next).done).toBe(true);
  });

  test('a robot that is away for less than a minute at a time does not end them, one that is away for longer does', async () => {
    const away = new QiwayError('bus-down', 'Away.', { data: { url: 'tcp://robot' } });
    const picture = { type: 'image/jpeg', bytes: Uint8Array.of(0xff, 0xd8, 0xff, 1) };
    let isAway = true;
    const take = async (): Promise<typeof picture> => {
      if (isAway) throw away;
      return picture;
    };
    const stream = frameStream({ clock, framesPerSecond: 10, take, ended: () => {} });
    for (const _ of ['one after the other', 'count for themselves']) {
      isAway = true;
      const next = stream.next();
      await clock.advance(59_000);
      isAway = false;
      await clock.advance(1_000);
      expect((await next).done).toBe(false);
    }
    isAway = true;
    const last = stream.next();
    await clock.advance(61_000);
    expect((await last).done).toBe(true);
  });

  test('30 a second are not too many', async () => {
    const parts = await frames('getPicture?args=[0]&as=mjpeg&fps=30');
    await parts.return?.();
  });

  test('what is no picture ends them', async () => {
    const parts = await frames('getSum?args=[1,2]&as=mjpeg');
    const next = parts.next();
    await clock.advance(0);
    expect((await next).done).toBe(true);
  });
});

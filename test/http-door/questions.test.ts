// What only asks can be asked with GET: by a link, an <img>, a player that seeks. As plain data: no sockets.
import { inflateSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { QiwayError } from '../../protocol/errors.ts';
import { wantedForm } from '../../protocol/http-door/answer-forms.ts';
import { createDoor, type Door } from '../../protocol/http-door/door.ts';
import type { DoorOptions, DoorResponse } from '../../protocol/http-door/door-types.ts';
import { frameStream } from '../../protocol/http-door/frame-stream.ts';
import { classOfTester, type DoorRobot, doorRobot, patternBytes } from '../support/door-robot.ts';
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

function problemOf(response: DoorResponse): unknown {
  expect(response.headers['content-type']).toBe('application/problem+json');
  return JSON.parse(textOf(response));
}

/** Browsers, measured. */
const IMG_ACCEPTS = [
  'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8',
  'image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5',
];

describe('a question', () => {
  test('has its arguments in the query', async () => {
    const response = await get(`getSum?args=${encodeURIComponent('[20, 22]')}`);
    expect([response.status, JSON.parse(textOf(response))]).toEqual([200, { result: 42 }]);
  });

  test.each([
    ['getSum?args=20', 400, 'invalid-argument'],
    ['getSum?args=%5B1', 400, 'invalid-argument'],
    ['getSum?args=%ff', 400, 'invalid-argument'],
    ['getSum', 400, 'argument-mismatch'],
    ['getPicture?args=[0]&as=mjpeg&fps=100', 400, 'invalid-argument'],
    ['getPicture?args=[0]&as=mjpeg&fps=0', 400, 'invalid-argument'],
    ['getPicture?args=[0]&as=mjpeg&fps=-1', 400, 'invalid-argument'],
  ])('%s is refused', async (path, status, code) => {
    expect(problemOf(await get(path))).toMatchObject({ status, code });
  });

  test.each(['say?args=["x"]', 'getDone'])('%s is none: it does something, or answers nothing', async (path) => {
    const response = await get(path);
    expect([response.status, response.headers['allow']]).toEqual([405, 'POST, OPTIONS']);
    expect(robot.log).toEqual([]);
  });

  test('is none that sets something, though it may be made again', async () => {
    door = makeDoor({ classOf: () => 'idempotent' });
    expect((await get('getSum?args=[1,2]')).status).toBe(200);
    expect((await get('setMark?args=["x"]')).status).toBe(405);
    expect(robot.log).toEqual([]);
    const document = await door.handle({
      method: 'GET',
      path: '/robot/openapi.json',
      headers: {},
      body: new Uint8Array(0),
    });
    const { paths } = JSON.parse(textOf(document)) as { paths: Record<string, object> };
    expect(Object.keys(paths[`${TESTER}/setMark`] ?? {})).toEqual(['post']);
  });

  test('may have = and + in its query, as forms write them', async () => {
    const response = await door.handle({
      method: 'POST',
      path: `${TESTER}/echo?args=["a=b=c+d%2B"]`,
      headers: {},
      body: new Uint8Array(0),
    });
    expect(JSON.parse(textOf(response))).toEqual({ result: 'a=b=c d+' });
  });

  test('is none where nobody knows what members do', async () => {
    door = makeDoor({ classOf: () => undefined });
    expect((await get('getSum?args=[1,2]')).status).toBe(405);
  });

  test.each(['motion', 'once'] as const)('is none of class %s', async (memberClass) => {
    door = makeDoor({ classOf: () => memberClass });
    expect((await get('getSum?args=[1,2]')).status).toBe(405);
  });
});

describe('bytes', () => {
  test.each<[string, Record<string, string>]>([
    ['getBytes?args=[1000]', { accept: 'application/octet-stream' }],
    ['getBytes?args=[1000]&as=bytes', { accept: '*/*' }],
  ])('%s %j', async (path, headers) => {
    const response = await get(path, headers);
    expect(response.headers).toMatchObject({ 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes' });
    expect(response.body).toEqual(patternBytes(1000));
  });

  test.each<[string, number, number]>([
    ['bytes=0-9', 0, 9],
    ['bytes=990-', 990, 999],
    ['bytes=-10', 990, 999],
    ['bytes=500-5000', 500, 999],
    ['bytes=-5000', 0, 999],
  ])('range %s', async (range, first, last) => {
    const response = await get('getBytes?args=[1000]&as=bytes', { range });
    expect([response.status, response.headers['content-range']]).toEqual([206, `bytes ${first}-${last}/1000`]);
    expect(response.body).toEqual(patternBytes(1000).subarray(first, last + 1));
  });

  test.each(['bytes=1000-', 'bytes=-0'])('range %s lies outside', async (range) => {
    const response = await get('getBytes?args=[1000]&as=bytes', { range });
    expect([response.status, response.headers['content-range']]).toEqual([416, 'bytes */1000']);
  });

  test.each(['bytes=0-1,4-5', 'bytes=9-1', 'lines=1-2', 'bytes=-'])('range %s: all of it', async (range) => {
    expect((await get('getBytes?args=[1000]&as=bytes', { range })).status).toBe(200);
  });

  test('a range of what has changed since is all of it', async () => {
    const { etag = '' } = (await get('getBytes?args=[1000]&as=bytes')).headers;
    const range = 'bytes=0-9';
    expect((await get('getBytes?args=[1000]&as=bytes', { range, 'if-range': etag })).status).toBe(206);
    expect((await get('getBytes?args=[1001]&as=bytes', { range, 'if-range': etag })).status).toBe(200);
  });

  test('are not sent again to who has them', async () => {
    const { etag = '' } = (await get('getBytes?args=[1000]&as=bytes')).headers;
    const again = await get('getBytes?args=[1000]&as=bytes', { 'if-none-match': `"x", ${etag}` });
    expect([again.status, (again.body as Uint8Array).length]).toEqual([304, 0]);
    expect((await get('getBytes?args=[1001]&as=bytes', { 'if-none-match': etag })).status).toBe(200);
  });

  test('every byte counts for the tag', async () => {
    const tags = new Set<string | undefined>();
    const words = [
      [0, 0, 0, 0],
      [0, 0, 0, 1],
      [1, 0, 0, 0],
    ];
    const values = [[], [0], [0, 0], ...words, [0, 0, 0, 0, 0], [0, 0, 0, 0, 1], [1, 0, 0, 0, 0]];
    for (const value of values) {
      robot.tester.set('icon', Uint8Array.from(value));
      tags.add((await get('icon?as=bytes')).headers['etag']);
    }
    expect(tags.size).toBe(values.length);
  });

  test('go in as they are', async () => {
    const send = (method: string, path: string, body: Uint8Array): Promise<DoorResponse> =>
      door.handle({
        method,
        path: `${TESTER}/${path}`,
        headers: { 'content-type': 'application/octet-stream' },
        body,
      });
    const json = async (response: Promise<DoorResponse>): Promise<unknown> => JSON.parse(textOf(await response));
    expect(await json(send('POST', 'upload', patternBytes(100_000)))).toEqual({ result: 100_000 });
    expect(await json(send('POST', 'store?args=["film"]', Uint8Array.of(7, 8)))).toEqual({ result: 'film: 2 of 7' });
    expect(await json(send('PUT', 'icon', Uint8Array.of(1, 2, 3)))).toEqual({ value: 'AQID' });
    expect(await json(send('POST', 'add?args=[1]', Uint8Array.of(7)))).toMatchObject({ code: 'argument-mismatch' });
    expect(await json(send('PUT', 'volume', Uint8Array.of(7)))).toMatchObject({ code: 'invalid-argument' });
    expect(robot.tester.get('volume')).toBe(50);
  });
});

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

test('a metaobject is not sent again to who has it', async () => {
  const ask = (headers: Record<string, string>): Promise<DoorResponse> =>
    door.handle({ method: 'GET', path: TESTER, headers, body: new Uint8Array(0) });
  const { etag = '' } = (await ask({})).headers;
  expect((await ask({ 'if-none-match': etag })).status).toBe(304);
  expect((await ask({ 'if-none-match': '"other"' })).status).toBe(200);
});

test('an EventSource that is made anew says in the query where it was', async () => {
  const first = await get('wordSaid?as=events');
  const events = (first.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  expect(new TextDecoder().decode((await events.next()).value)).toContain(': live');
  robot.tester.emit('wordSaid', 'one');
  robot.tester.emit('wordSaid', 'two');
  const again = await get('wordSaid?as=events&lastEventId=e-1');
  const resumed = (again.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  const text = new TextDecoder().decode((await resumed.next()).value);
  expect(text).toContain(': resumed');
  expect(text).toContain('data: ["two"]');
  expect(text).not.toContain('data: ["one"]');
  await events.return?.();
  await resumed.return?.();
});

describe('while somebody else has control', () => {
  test('there are no calls and no new values, by whatever name', async () => {
    const lent = new QiwayError('lease-held', 'Another has control.');
    door = makeDoor({ refuse: (service, member) => (`${service}.${member}` === 'Tester.say' ? undefined : lent) });
    const send = (method: string, path: string, body: unknown): Promise<DoorResponse> =>
      door.handle({ method, path: `${TESTER}/${path}`, headers: {}, body: Buffer.from(JSON.stringify(body)) });
    expect((await send('POST', 'say', ['hello'])).status).toBe(200);
    expect((await send('POST', 'add', [1, 2])).status).toBe(423);
    expect((await get('getSum?args=[1,2]')).status).toBe(423);
    expect((await send('PUT', 'volume', { value: 7 })).status).toBe(423);
    expect((await send('POST', 'setProperty', ['volume', 7])).status).toBe(423);
    expect(robot.tester.get('volume')).toBe(50);
    expect((await get('volume')).status).toBe(200);
  });
});

describe('of several forms', () => {
  test.each<[accept: string | undefined, form: string]>([
    [undefined, 'json'],
    ['*/*', 'json'],
    ['application/octet-stream, application/json', 'bytes'],
    ['application/octet-stream;q=0.5, application/json', 'json'],
    ['application/json, image/png;q=0.5', 'json'],
    ['application/json;q=0.5, image/png', 'picture'],
    ['application/json, image/png', 'picture'],
    ['application/json, image/png;q=0', 'json'],
    ['text/event-stream', 'events'],
  ])('%s wants %s', (accept, form) => {
    expect(wantedForm(accept)).toBe(form);
  });

  test('a proxy that weakens the tag gets no second copy', async () => {
    const { etag = '' } = (await get('getBytes?args=[1000]&as=bytes')).headers;
    expect((await get('getBytes?args=[1000]&as=bytes', { 'if-none-match': `W/${etag}` })).status).toBe(304);
  });
});

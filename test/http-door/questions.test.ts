// What only asks can be asked with GET: by a link, a page, a player that seeks. As plain data: no sockets.
import { beforeEach, describe, expect, test } from 'vitest';
import { QiwayError } from '../../protocol/errors.ts';
import { wantedForm } from '../../protocol/http-door/answer-forms.ts';
import { createDoor, type Door } from '../../protocol/http-door/door.ts';
import type { DoorOptions, DoorResponse } from '../../protocol/http-door/door-types.ts';
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

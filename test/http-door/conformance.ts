// What every HTTP door answers, whatever carries the requests: run against the agent over HTTP, and against the service worker in
// a real Chromium.
import { createHash } from 'node:crypto';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DoorRobot, patternBytes } from '../support/door-robot.ts';

export interface ClientRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface ClientAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A body as it comes. */
export interface ClientStream {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The next piece; undefined at the end. @throws when it breaks off */
  next(): Promise<Uint8Array | undefined>;
  cancel(): Promise<void>;
}

/** A client of the door under test, and the robot behind it. */
export interface DoorClient {
  /** Its `Tester` is on the door's bus, and `get*` are questions. */
  readonly robot: DoorRobot;
  fetch(path: string, request?: ClientRequest): Promise<ClientAnswer>;
  /** As `fetch`; of the body only the length and the SHA-256, in hex. */
  digest(path: string, request?: ClientRequest): Promise<{ status: number; length: number; sha256: string }>;
  stream(path: string, request?: ClientRequest): Promise<ClientStream>;
  /** Asks, and gives up when `when` resolves. Resolves when the client has. */
  abort(path: string, request: ClientRequest, when: Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}

const TESTER = '/robot/services/Tester';
const LARGE_BYTES = 8_388_608;
const octets = 'application/octet-stream';

function jsonOf({ body }: Pick<ClientAnswer, 'body'>): unknown {
  return JSON.parse(new TextDecoder().decode(body));
}

function args(...values: unknown[]): string {
  return `args=${encodeURIComponent(JSON.stringify(values))}`;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Reads until the text holds all of `wanted`, then gives it. */
async function readUntil(stream: ClientStream, ...wanted: readonly string[]): Promise<string> {
  let text = '';
  while (!wanted.every((each) => text.includes(each))) {
    const piece = await stream.next();
    if (piece === undefined) throw new Error(`the stream ended after: ${text}`);
    text += Buffer.from(piece).toString('latin1');
  }
  return text;
}

export function doorConformance(name: string, open: () => Promise<DoorClient>): void {
  describe(name, () => {
    let client: DoorClient;
    beforeAll(async () => {
      client = await open();
    });
    afterAll(() => client?.close());

    test('lists services, and describes each', async () => {
      const list = await client.fetch('/robot/services');
      expect([list.status, list.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
      expect((jsonOf(list) as { name: string }[]).map((service) => service.name)).toContain('Tester');
      const tester = await client.fetch(TESTER);
      expect(jsonOf(tester)).toMatchObject({ name: 'Tester', description: 'For tests.' });
      const again = await client.fetch(TESTER, { headers: { 'if-none-match': tester.headers['etag'] ?? '' } });
      expect([again.status, again.body.length]).toEqual([304, 0]);
    });

    test('HEAD and OPTIONS', async () => {
      const [get, head] = [await client.fetch(TESTER), await client.fetch(TESTER, { method: 'HEAD' })];
      expect([head.status, head.body.length]).toEqual([200, 0]);
      expect(head.headers['content-length']).toBe(String(get.body.length));
      const options = await client.fetch(`${TESTER}/volume`, { method: 'OPTIONS' });
      expect([options.status, options.headers['allow']]).toEqual([204, 'GET, HEAD, PUT, OPTIONS']);
    });

    test('the OpenAPI document is valid', async () => {
      const { valid, errors } = await new Validator().validate(
        jsonOf(await client.fetch('/robot/openapi.json')) as Record<string, unknown>,
      );
      expect([valid, errors ?? []]).toEqual([true, []]);
    });

    test.each<[string, unknown[], unknown]>([
      ['add', [1, 2], 3],
      ['say', ['hi', 'en'], 'en: hi'],
      [encodeURIComponent('kind::([i])'), [[1]], '[i]'],
      ['echo', [{ ünï: [1, null] }], { ünï: [1, null] }],
      ['large', ['9223372036854775807'], '9223372036854775807'],
      ['picture', [], 'AQID'],
    ])('calls %s %j', async (method, values, result) => {
      const answer = await client.fetch(`${TESTER}/${method}`, { method: 'POST', body: JSON.stringify(values) });
      expect([answer.status, jsonOf(answer)]).toEqual([200, { result }]);
    });

    test.each<[string, string, ClientRequest, number, string]>([
      ['POST', `${TESTER}/fail`, {}, 500, 'call-failed'],
      ['POST', `${TESTER}/add`, { body: '[1]' }, 400, 'argument-mismatch'],
      ['POST', `${TESTER}/add`, { body: '[1,' }, 400, 'invalid-argument'],
      ['POST', `${TESTER}/ad`, {}, 404, 'member-not-found'],
      ['GET', '/robot/services/Testr', {}, 404, 'service-not-found'],
      ['GET', '/robot/nothing', {}, 404, 'unsupported'],
      ['GET', `${TESTER}/say?${args('x')}`, {}, 405, 'unsupported'],
      ['DELETE', `${TESTER}/volume`, {}, 405, 'unsupported'],
      ['GET', `${TESTER}/wordSaid`, {}, 406, 'unsupported'],
      ['POST', `${TESTER}/add`, { body: 'x', headers: { 'content-type': 'image/png' } }, 415, 'unsupported'],
    ])('%s %s %j fails with a problem document', async (method, path, request, status, code) => {
      const answer = await client.fetch(path, { ...request, method });
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect([answer.status, jsonOf(answer)]).toMatchObject([status, { status, code }]);
    });

    test('properties are read, written, and told when they change', async () => {
      const events = await client.stream(`${TESTER}/volume`, { headers: { accept: 'text/event-stream' } });
      await readUntil(events, ': live');
      const put = await client.fetch(`${TESTER}/volume`, { method: 'PUT', body: '{"value": 33}' });
      expect(jsonOf(put)).toEqual({ value: 33 });
      expect(jsonOf(await client.fetch(`${TESTER}/volume`))).toEqual({ value: 33 });
      await readUntil(events, 'data: {"value":33}');
      await events.cancel();
    });

    test('questions are asked with GET', async () => {
      expect(jsonOf(await client.fetch(`${TESTER}/getSum?${args(20, 22)}`))).toEqual({ result: 42 });
      const bytes = await client.fetch(`${TESTER}/getBytes?${args(1000)}`, { headers: { accept: octets } });
      expect(bytes.headers['content-type']).toBe(octets);
      expect(Buffer.from(bytes.body).equals(patternBytes(1000))).toBe(true);
    });

    test('a range of bytes', async () => {
      const path = `${TESTER}/getBytes?${args(1000)}&as=bytes`;
      const part = await client.fetch(path, { headers: { range: 'bytes=10-19' } });
      expect([part.status, part.headers['content-range']]).toEqual([206, 'bytes 10-19/1000']);
      expect([...part.body]).toEqual([...patternBytes(1000).subarray(10, 20)]);
      expect((await client.fetch(path, { headers: { range: 'bytes=1000-' } })).status).toBe(416);
    });

    test('pictures, one and one after the other', async () => {
      const still = await client.fetch(`${TESTER}/getPicture?${args(11)}&as=png`);
      expect([still.status, still.headers['content-type']]).toEqual([200, 'image/png']);
      expect(Buffer.from(still.body).toString('latin1', 1, 4)).toBe('PNG');
      const frames = await client.stream(`${TESTER}/getPicture?${args(11)}&as=mjpeg`);
      expect(frames.headers['content-type']).toBe('multipart/x-mixed-replace; boundary=qiway-frame');
      await readUntil(frames, 'content-type: image/png', 'IEND');
      await frames.cancel();
    });

    test('large bytes in both directions, whole', async () => {
      const bytes = patternBytes(LARGE_BYTES);
      const up = await client.fetch(`${TESTER}/upload`, {
        method: 'POST',
        headers: { 'content-type': octets },
        body: bytes,
      });
      expect(jsonOf(up)).toEqual({ result: LARGE_BYTES });
      expect(await client.digest(`${TESTER}/getBytes?${args(LARGE_BYTES)}&as=bytes`)).toEqual({
        status: 200,
        length: LARGE_BYTES,
        sha256: sha256(bytes),
      });
    });

    test('too large a body is refused', async () => {
      const answer = await client.fetch(`${TESTER}/upload`, {
        method: 'POST',
        headers: { 'content-type': octets },
        body: new Uint8Array(33_554_433),
      });
      expect([answer.status, jsonOf(answer)]).toMatchObject([413, { code: 'limit-exceeded' }]);
    });

    test('events come as they happen, and again to who comes back', async () => {
      const path = `${TESTER}/wordSaid`;
      const events = await client.stream(path, { headers: { accept: 'text/event-stream' } });
      await readUntil(events, ': live');
      client.robot.tester.emit('wordSaid', 'first');
      const text = await readUntil(events, 'data: ["first"]\n\n');
      await events.cancel();
      const id = /^id: (.+)$/m.exec(text)?.[1] ?? '';
      client.robot.tester.emit('wordSaid', 'second');
      const byHeader = await client.stream(path, { headers: { accept: 'text/event-stream', 'last-event-id': id } });
      expect(await readUntil(byHeader, 'data: ["second"]')).not.toContain('first');
      await byHeader.cancel();
      const byQuery = await client.stream(`${path}?as=events&lastEventId=${encodeURIComponent(id)}`);
      expect(await readUntil(byQuery, 'data: ["second"]')).toContain(': resumed');
      await byQuery.cancel();
    });

    test('who goes away stops what runs on the robot', async () => {
      client.robot.log.length = 0;
      const began = client.robot.logged('forever began');
      await client.abort(`${TESTER}/forever`, { method: 'POST' }, began);
      // Well before the door's own patience ends.
      expect(await client.robot.logged('forever stopped')).toBe('forever stopped');
    }, 10_000);
  });
}

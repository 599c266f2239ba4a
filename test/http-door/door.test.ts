// What HTTP requests mean on the bus, as plain data: no sockets.
import { Validator } from '@seriousme/openapi-schema-validator';
import { beforeEach, describe, expect, test } from 'vitest';
import { QiwayError } from '../../protocol/errors.ts';
import { createDoor, type Door } from '../../protocol/http-door/door.ts';
import type { DoorResponse } from '../../protocol/http-door/door-types.ts';
import { problemRecord } from '../../protocol/http-door/responses.ts';
import { createObject, method } from '../../protocol/objects/hosted-object.ts';
import { classOfTester, type DoorRobot, doorRobot } from '../support/door-robot.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

let robot: DoorRobot;
let clock: VirtualClock;
let door: Door;

beforeEach(async () => {
  robot = await doorRobot();
  clock = virtualClock();
  let epochs = 0;
  door = createDoor(robot.bus, { clock, newEpoch: () => `e${++epochs}`, maxBodyBytes: 1000, classOf: classOfTester });
});

interface Sent {
  readonly body?: unknown;
  readonly text?: string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly headers?: Record<string, string>;
  readonly onAborted?: (stop: () => void) => void;
}

function send(method: string, path: string, sent: Sent = {}): Promise<DoorResponse> {
  const given = sent.text ?? (sent.body === undefined ? '' : JSON.stringify(sent.body));
  const body = typeof given === 'string' ? new TextEncoder().encode(given) : given;
  return door.handle({
    method,
    path,
    headers: sent.headers ?? {},
    body,
    ...(sent.onAborted === undefined ? {} : { onAborted: sent.onAborted }),
  });
}

async function ask(
  method: string,
  path: string,
  sent: Sent = {},
): Promise<{ status: number; type: string | undefined; json: unknown; headers: Readonly<Record<string, string>> }> {
  const { status, headers, body } = await send(method, path, sent);
  const text = new TextDecoder().decode(body as Uint8Array);
  return {
    status,
    headers,
    type: headers['content-type']?.split(';')[0],
    json: text === '' ? undefined : JSON.parse(text),
  };
}

const tester = '/robot/services/Tester';

describe('reading', () => {
  test('the list of services', async () => {
    const { status, type, json } = await ask('GET', '/robot/services');
    expect([status, type]).toEqual([200, 'application/json']);
    expect((json as { name: string }[]).map(({ name }) => name)).toEqual(['ServiceDirectory', 'Tester', 'Ünï/1']);
    expect((json as { objectUid: string }[])[1]?.objectUid).toMatch(/^[0-9a-f]{40}$/);
  });

  test('a metaobject, members by id', async () => {
    const { json } = await ask('GET', tester);
    expect(json).toMatchObject({
      name: 'Tester',
      description: 'For tests.',
      methods: { '100': { name: 'say', parametersSignature: '(s)', parameters: [{ name: 'text' }] } },
    });
    const { properties, signals } = json as {
      properties: Record<string, { uid: number; name: string }>;
      signals: Record<string, unknown>;
    };
    const volume = Object.values(properties).find(({ name }) => name === 'volume');
    expect(signals[String(volume?.uid)]).toMatchObject({ name: 'volume', signature: '(i)' });
  });

  test('HEAD says as much as GET and sends nothing', async () => {
    const get = await send('GET', tester);
    const head = await send('HEAD', tester);
    expect(head.status).toBe(200);
    expect((head.body as Uint8Array).length).toBe(0);
    expect(head.headers['content-length']).toBe(String((get.body as Uint8Array).length));
  });

  test('names are percent-decoded', async () => {
    const path = `/robot/services/${encodeURIComponent('Ünï/1')}`;
    expect((await ask('GET', path)).json).toMatchObject({ name: 'Ünï/1' });
    expect((await ask('POST', `${path}/${encodeURIComponent('go::()')}`)).json).toEqual({ result: 'gone' });
  });
});

describe('calling', () => {
  test.each<[string, unknown, unknown]>([
    ['add', [1, 2], 3],
    ['say', ['hi', 'en'], 'en: hi'],
    [encodeURIComponent('say::(ss)'), ['hi', 'en'], 'en: hi'],
    ['kind', [1], 'i'],
    ['kind', ['x'], 's'],
    ['kind', [[1]], '[i]'],
    ['kind', [{ x: 1, y: 2 }], 'P'],
    ['twins', [1], 'i'],
    ['twins', [1.5], 'f'],
    [encodeURIComponent('twins::(f)'), [1], 'f'],
    ['any', [1, 'b', [true]], '[1,"b",[true]]'],
    ['any', [], '[]'],
    ['echo', [{ a: [1, null] }], { a: [1, null] }],
    ['echo', [{ $raw: 'AQI=' }], { $raw: 'AQI=' }],
    ['large', ['9223372036854775807'], '9223372036854775807'],
    ['point', [{ x: 1, y: 2 }], { x: 1, y: 2 }],
    ['upload', ['AAECAwQ='], 5],
    ['picture', [], 'AQID'],
    ['boxed', [], { $raw: 'BAU=' }],
    ['properties', [], ['volume', 'mixed', 'icon']],
  ])('%s %j', async (name, args, result) => {
    const answer = await ask('POST', `${tester}/${name}`, { body: args });
    expect(answer).toMatchObject({ status: 200, type: 'application/json', json: { result } });
  });

  test('void is null', async () => {
    expect((await ask('POST', `${tester}/say`, { body: ['hello'] })).json).toEqual({ result: null });
    expect(robot.log).toEqual(['say hello']);
  });

  test('an empty body is no arguments', async () => {
    expect((await ask('POST', `${tester}/picture`)).json).toEqual({ result: 'AQID' });
  });

  test('a body in pieces is put together', async () => {
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (const piece of ['[1', ', 4', '1]']) yield new TextEncoder().encode(piece);
    }
    expect((await ask('POST', `${tester}/add`, { text: pieces() })).json).toEqual({ result: 42 });
  });

  test('a returned object is described, and released', async () => {
    const { json } = await ask('POST', `${tester}/child`);
    expect(json).toMatchObject({ result: { $object: { methods: ['ping::()'] } } });
  });

  test.each(['picture', 'boxed'])('a raw result as bytes when asked: %s', async (name) => {
    const { headers, body } = await send('POST', `${tester}/${name}`, {
      headers: { accept: 'application/octet-stream' },
    });
    expect(headers['content-type']).toBe('application/octet-stream');
    expect(body).toEqual(name === 'picture' ? Uint8Array.of(1, 2, 3) : Uint8Array.of(4, 5));
  });

  test('JSON where it is liked better, or nothing is said', async () => {
    for (const accept of ['application/octet-stream;q=0.5, application/json', '*/*']) {
      expect((await ask('POST', `${tester}/picture`, { headers: { accept } })).type).toBe('application/json');
    }
  });

  test('what a method throws is told in its own words', async () => {
    const { status, type, json } = await ask('POST', `${tester}/fail`);
    expect([status, type]).toEqual([500, 'application/problem+json']);
    expect(json).toMatchObject({
      code: 'call-failed',
      detail: 'the battery is empty',
      data: { text: 'the battery is empty' },
      status: 500,
    });
  });

  test('no answer in time is 504, and the robot is told to stop', async () => {
    const answer = ask('POST', `${tester}/forever`);
    await robot.logged('forever began');
    await clock.advance(30_000);
    expect(await answer).toMatchObject({
      status: 504,
      json: { code: 'timeout', maybeExecuted: true, data: { timeoutMs: 30_000 } },
    });
    expect(robot.log).toContain('forever stopped');
  });

  test('a client that goes away cancels its call', async () => {
    let abort = (): void => {};
    const answer = ask('POST', `${tester}/forever`, { onAborted: (stop) => (abort = stop) });
    await robot.logged('forever began');
    abort();
    await answer;
    expect(robot.log).toContain('forever stopped');
  });
});

describe('properties', () => {
  test('are read and written', async () => {
    expect((await ask('GET', `${tester}/volume`)).json).toEqual({ value: 50 });
    expect((await ask('PUT', `${tester}/volume`, { body: { value: 70 } })).json).toEqual({ value: 70 });
    expect(robot.tester.get('volume')).toBe(70);
    expect((await ask('PUT', `${tester}/mixed`, { body: { value: { deep: [1, 'x'] } } })).json).toEqual({
      value: { deep: [1, 'x'] },
    });
    expect((await ask('GET', `${tester}/icon`)).json).toEqual({ value: 'CQ==' });
  });

  test('a value that does not fit is not sent', async () => {
    expect(await ask('PUT', `${tester}/volume`, { body: { value: 'loud' } })).toMatchObject({
      status: 400,
      json: { code: 'invalid-argument' },
    });
    expect(await ask('PUT', `${tester}/volume`, { body: 70 })).toMatchObject({
      status: 400,
      json: { code: 'invalid-argument' },
    });
    expect(robot.tester.get('volume')).toBe(50);
  });

  test('a value that the robot refuses is its failure', async () => {
    expect(await ask('PUT', `${tester}/volume`, { body: { value: 101 } })).toMatchObject({
      status: 500,
      json: { code: 'call-failed', detail: 'volume goes from 0 to 100' },
    });
  });
});

describe('refusals', () => {
  test.each<[string, string, Sent, number, string]>([
    ['GET', '/robot/nothing', {}, 404, 'unsupported'],
    ['GET', `${tester}/volume/more`, {}, 404, 'unsupported'],
    ['GET', '/robot/services/%ff', {}, 400, 'invalid-argument'],
    ['GET', '/robot/services/Testr', {}, 404, 'service-not-found'],
    ['POST', `${tester}/ad`, { body: [1, 2] }, 404, 'member-not-found'],
    ['POST', `${tester}/registerEvent`, { body: [1, 2, 3] }, 404, 'member-not-found'],
    ['POST', `${tester}/terminate`, { body: [1] }, 404, 'member-not-found'],
    ['POST', `${tester}/add`, { text: '[1, 2' }, 400, 'invalid-argument'],
    ['POST', `${tester}/add`, { text: Uint8Array.of(0xff) }, 400, 'invalid-argument'],
    ['POST', `${tester}/add`, { body: { a: 1 } }, 400, 'invalid-argument'],
    ['POST', `${tester}/add`, { body: [1] }, 400, 'argument-mismatch'],
    ['POST', `${tester}/add`, { body: [1, 'x'] }, 400, 'invalid-argument'],
    ['POST', `${tester}/kind`, { body: [true] }, 400, 'argument-mismatch'],
    ['POST', `${tester}/add`, { text: `[${'1,'.repeat(600)}1]` }, 413, 'limit-exceeded'],
    ['POST', `${tester}/add`, { body: [1, 2], headers: { 'content-length': '1001' } }, 413, 'limit-exceeded'],
    ['POST', `${tester}/add`, { body: [1, 2], headers: { 'content-type': 'image/png' } }, 415, 'unsupported'],
    ['POST', `${tester}/add`, { body: [1, 2], headers: { 'content-encoding': 'gzip' } }, 415, 'unsupported'],
    ['POST', `${tester}/add`, { body: [1, 2], headers: { accept: 'text/html' } }, 406, 'unsupported'],
    ['POST', `${tester}/add`, { body: [1, 2], headers: { accept: 'application/octet-stream' } }, 406, 'unsupported'],
    ['GET', `${tester}/wordSaid`, {}, 406, 'unsupported'],
    ['GET', `${tester}/add`, {}, 405, 'unsupported'],
    ['DELETE', '/robot/services', {}, 405, 'unsupported'],
    ['POST', `${tester}/volume`, { body: [] }, 405, 'unsupported'],
  ])('%s %s %j', async (method, path, sent, status, code) => {
    const answer = await ask(method, path, sent);
    expect(answer).toMatchObject({
      status,
      type: 'application/problem+json',
      json: { status, code, type: `urn:qiway:error:${code}` },
    });
    const { title, detail } = answer.json as { title: string; detail: string };
    expect(title).not.toBe('');
    expect(detail).not.toContain(`[${code}]`);
  });

  test('the nearest names are told', async () => {
    expect((await ask('GET', '/robot/services/Testr')).json).toMatchObject({ data: { nearest: ['Tester'] } });
    expect((await ask('POST', `${tester}/volumme`)).json).toMatchObject({ data: { nearest: ['volume'] } });
    expect((await ask('POST', `${tester}/${encodeURIComponent('add::(s)')}`)).json).toMatchObject({
      data: { nearest: ['add::(ii)'] },
    });
  });

  test('the candidates are told', async () => {
    expect((await ask('POST', `${tester}/say`, { body: [] })).json).toMatchObject({
      data: { candidates: ['say::(s)', 'say::(ss)'] },
    });
  });

  test('what is allowed is told', async () => {
    expect((await ask('GET', `${tester}/add`)).headers['allow']).toBe('POST, OPTIONS');
    expect((await ask('OPTIONS', `${tester}/volume`)).headers['allow']).toBe('GET, HEAD, PUT, OPTIONS');
  });

  test('a closed bus is 503, worth a retry', async () => {
    await robot.bus.close();
    const { status, headers } = await ask('GET', tester);
    expect([status, headers['retry-after']]).toEqual([503, '2']);
  });
});

describe('the OpenAPI document', () => {
  test('is valid and describes every own member', async () => {
    const { json } = await ask('GET', '/robot/openapi.json');
    const result = await new Validator().validate(json as Record<string, unknown>);
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
    const { openapi, paths } = json as { openapi: string; paths: Record<string, Record<string, unknown>> };
    expect(openapi).toBe('3.1.0');
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        '/robot/services',
        `${tester}/add`,
        `${tester}/wordSaid`,
        `${tester}/volume`,
        '/robot/services/%C3%9Cn%C3%AF%2F1/go',
      ]),
    );
    expect(Object.keys(paths[`${tester}/volume`] ?? {})).toEqual(['get', 'put']);
    expect(Object.keys(paths[`${tester}/getSum`] ?? {})).toEqual(['post', 'get']);
    expect(Object.keys(paths[`${tester}/getDone`] ?? {})).toEqual(['post']);
    expect(paths).not.toHaveProperty([`${tester}/_hidden`]);
    expect(paths[`${tester}/add`]?.['post']).toMatchObject({
      requestBody: {
        content: { 'application/json': { schema: { minItems: 2, prefixItems: [{ title: 'a' }, { title: 'b' }] } } },
      },
      responses: { '200': { description: 'the sum' } },
    });
  });
});

test('a body that says nothing of its length is read as far as it may be, and no further', async () => {
  let pieces = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      pieces += 1;
      yield new Uint8Array(300);
    }
  }
  const { status, json } = await ask('POST', `${tester}/echo`, { text: endless() });
  expect([status, pieces]).toEqual([413, 4]);
  expect(json).toMatchObject({ code: 'limit-exceeded', data: { limit: 'maxBodyBytes', maximum: 1000 } });
});

test('bytes go to the overload that takes bytes, before one that takes anything', async () => {
  const greedy = createObject({
    take: [method('(m)', 's', () => 'anything'), method('(r)', 's', () => 'bytes'), method('(rr)', 's', () => 'two')],
    number: [method('(f)', 's', () => 'float'), method('(i)', 's', () => 'int')],
  });
  await robot.bus.host('Greedy', greedy);
  const headers = { 'content-type': 'application/octet-stream' };
  const path = '/robot/services/Greedy';
  expect((await ask('POST', `${path}/take`, { text: Uint8Array.of(1), headers })).json).toEqual({ result: 'bytes' });
  expect((await ask('POST', `${path}/number`, { body: [1] })).json).toEqual({ result: 'int' });
});

test('a code that is not known here yet is a fault without a name', () => {
  const error = new QiwayError('of-the-future' as 'internal', 'Something new.');
  expect(problemRecord(error)).toMatchObject({ code: 'internal', status: 500, detail: 'Something new.' });
});

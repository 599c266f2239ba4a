// Whatever comes over HTTP, on every path: an answer or a closed socket, and never a fault of the agent's own.
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bystander, bystander } from './bystander.ts';
import { fuzzing } from './fuzz.ts';
import { type AgentProcess, BEARER, type ServiceProcess, startAgent, startService, TOKEN } from './processes.ts';

const FILE = 'http.test.ts';
const MEBIBYTE = 1_048_576;

let agent: AgentProcess;
let service: ServiceProcess;
let other: Bystander;
let port: number;
let rssBefore: number;
beforeAll(async () => {
  agent = await startAgent();
  service = await startService(agent.busUrl);
  other = await bystander(agent.url);
  port = Number(new URL(agent.origin).port);
  await other.more(20);
  rssBefore = await agent.metric('process_resident_memory_bytes');
});
afterAll(async () => {
  await service.end();
  await agent.end();
});

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Sends a request as it is; `undefined` when the agent closed the socket without an answer. */
function send(options: {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const { body, ...rest } = options;
    const sent = request({ ...rest, host: '127.0.0.1', port, agent: false }, (response) => {
      let text = '';
      response.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk;
        // An endless answer is one too.
        if (response.headers['content-type']?.startsWith('text/event-stream') === true) response.destroy();
      });
      response.on('close', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'] ?? '',
          body: text,
        }),
      );
    });
    sent.on('error', () => resolve(undefined));
    sent.end(body);
  });
}

/** What a person would call a fault of the agent's own. */
function check(answer: Answer | undefined, said: unknown): void {
  if (answer === undefined) return;
  const { status, type, body } = answer;
  expect([status, body, said]).not.toEqual([500, expect.stringContaining('"internal"'), said]);
  if (status >= 400 && body !== '' && type !== '') expect([type, said]).toEqual(['application/problem+json', said]);
}

test('any method, path, header and body', async () => {
  const areas = fc.constantFrom(
    '/robot/services',
    '/robot/services/Target',
    '/robot/services/Target/step',
    '/robot/services/Target/lengthOf',
    '/robot/services/Target/dynamic',
    '/robot/services/Target/thing',
    '/robot/services/Target/keep',
    '/robot/services/Target/stepped',
    '/robot/services/ServiceDirectory/registerService',
    '/robot/services/ServiceDirectory/unregisterService',
    '/robot/openapi.json',
    '/robot/link',
    '/healthz',
    '/metrics',
    '/',
  );
  const tail = fc.oneof(
    { weight: 3, arbitrary: fc.constant('') },
    fc.string({ maxLength: 20 }).map((text) => `/${encodeURIComponent(text.toWellFormed())}`),
    fc.constantFrom('/..', '/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/%00', '/%ff', '//', '?x=1', '/%', '#'),
  );
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  const body = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }).map((json) => JSON.stringify([json])),
    fc.json(),
    fc.string(),
    fc.constantFrom(deep, `[${deep}]`, '[1e999]', '["\\ud800"]', '{"__proto__":1}', '[{"__proto__":{"x":1}}]', ''),
  );
  const headers = fc.record(
    {
      authorization: fc.constantFrom(BEARER.authorization, BEARER.authorization, 'Bearer x', 'Basic eA==', 'Bearer'),
      host: fc.constantFrom('127.0.0.1', 'localhost', 'evil.example', '[::1]:80', ''),
      origin: fc.constantFrom('null', 'https://evil.example', 'http://127.0.0.1'),
      accept: fc.constantFrom('*/*', 'text/event-stream', 'application/octet-stream', ';;,q=', 'text/html'),
      'content-type': fc.constantFrom(
        'application/json',
        'application/octet-stream',
        'text/plain',
        '/',
        'x'.repeat(2000),
      ),
      'content-encoding': fc.constantFrom('gzip', 'identity', 'br'),
      'last-event-id': fc.constantFrom('0', 'x-1', `${'9'.repeat(400)}`, '-1'),
      range: fc.constantFrom('bytes=0-', 'bytes=9-1', 'x'),
      expect: fc.constantFrom('100-continue', 'much'),
    },
    { requiredKeys: ['authorization'] },
  );
  const input = fc.record({
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND'),
    path: fc.tuple(areas, tail).map((parts) => parts.join('').replaceAll(/[^!-~]/g, '')),
    headers,
    body,
  });
  await fc.assert(
    fc.asyncProperty(input, async (each) => {
      const bytes = new TextEncoder().encode(each.body);
      check(await send({ ...each, body: bytes }), { ...each, body: each.body.slice(0, 200) });
    }),
    fuzzing(FILE, 500),
  );
});

test('bytes that are no HTTP, requests that are cut off, smuggled, or far too long', async () => {
  const head = `Host: 127.0.0.1\r\nAuthorization: Bearer ${TOKEN}\r\n`;
  const starts = [
    'GET / HTTP/9.9\r\n\r\n',
    `POST /robot/services/Target/step HTTP/1.1\r\n${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `POST /robot/services/Target/step HTTP/1.1\r\n${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\n[1,2]`,
    `POST /robot/services/Target/step HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n`,
    `POST /robot/services/Target/step HTTP/1.1\r\n${head}Content-Length: 99999999999999\r\n\r\n[`,
    `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n${head}\r\n`,
    `GET / HTTP/1.1\r\n${head}${'x: y\r\n'.repeat(10_000)}\r\n`,
    `GET /robot/link HTTP/1.1\r\n${head}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
    `GET /robot/link HTTP/1.1\r\n${head}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Protocol: qiway.2\r\n\r\n`,
    `GET /robot/link HTTP/1.1\r\n${head}Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n`,
    '\0'.repeat(1000),
  ];
  const input = fc.oneof(
    fc.constantFrom(...starts).map((text) => Buffer.from(text, 'latin1')),
    fc.tuple(fc.constantFrom(...starts), fc.nat(), fc.nat({ max: 255 })).map(([text, at, byte]) => {
      const bytes = Buffer.from(text, 'latin1');
      bytes[at % Math.min(bytes.length, 300)] = byte;
      return bytes;
    }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  );
  await fc.assert(
    fc.asyncProperty(input, async (bytes) => {
      const socket = connect(port, '127.0.0.1');
      // A reset is an end too.
      const closed = new Promise((resolve) => socket.once('close', resolve));
      let answer = '';
      socket.on('error', () => {});
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        answer += chunk;
      });
      socket.end(bytes);
      await closed;
      expect(answer === '' || answer.startsWith('HTTP/1.1 ')).toBe(true);
      expect(answer).not.toContain('"internal"');
    }),
    fuzzing(FILE, 200),
  );
});

test('a WebSocket that breaks the rules of WebSocket', async () => {
  const frames = fc.array(
    fc.record({
      first: fc.constantFrom(0x82, 0x02, 0x00, 0x80, 0x81, 0x88, 0x89, 0x8a, 0xf2, 0xc2, 0x83),
      second: fc.constantFrom(0x80, 0x85, 0x05, 0xfe, 0xff, 0x7f),
      rest: fc.uint8Array({ maxLength: 40 }),
    }),
    { minLength: 1, maxLength: 5 },
  );
  const upgrade = [
    'GET /robot/link HTTP/1.1',
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
    'Sec-WebSocket-Protocol: qiway.2',
    '',
    '',
  ].join('\r\n');
  await fc.assert(
    fc.asyncProperty(frames, async (each) => {
      const socket = connect(port, '127.0.0.1');
      // A reset is an end too.
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => {});
      socket.write(upgrade);
      const [head] = (await once(socket, 'data')) as [Buffer];
      expect(head.toString('latin1')).toContain(' 101 ');
      for (const { first, second, rest } of each) socket.write(Buffer.concat([Buffer.from([first, second]), rest]));
      socket.end();
      socket.resume();
      await closed;
    }),
    fuzzing(FILE, 100),
  );
});

test('after all that the agent is what it was, and the bystander lost nothing', async () => {
  await other.more(20);
  await other.finish();
  expect(await (await fetch(`${agent.origin}/healthz`)).json()).toEqual({ status: 'ok', bus: 'up' });
  expect((await agent.metric('process_resident_memory_bytes')) - rssBefore).toBeLessThan(200 * MEBIBYTE);
  await expect.poll(() => agent.metric('qiway_sessions')).toBe(0);
  await expect.poll(async () => (await service.counts()).things).toBe(0);
  expect([agent.isAlive, service.isAlive]).toEqual([true, true]);
});

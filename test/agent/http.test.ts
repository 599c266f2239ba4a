// The agent's HTTP side over real sockets: who is let in, what bad input gets, streams, metrics.
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, type HttpAgent, type HttpAgentOptions, httpAgent, rawRequest, TOKEN } from '../support/http-agent.ts';

let agent: HttpAgent | undefined;
afterEach(async () => {
  await agent?.close();
  agent = undefined;
});

async function start(options: HttpAgentOptions = {}): Promise<HttpAgent> {
  agent = await httpAgent(options);
  return agent;
}

const bearer = { authorization: `Bearer ${TOKEN}` };
const tester = '/robot/services/Tester';

describe('the token', () => {
  test('lets requests in', async () => {
    const { url, log } = await start();
    const response = await fetch(`${url}${tester}/say`, { method: 'POST', headers: bearer, body: '["hello"]' });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ result: null });
    expect(log).toEqual(['say hello']);
  });

  test.each<[string, Record<string, string>]>([
    ['none', {}],
    ['wrong', { authorization: 'Bearer wrong' }],
    ['longer', { authorization: `Bearer ${TOKEN}x` }],
    ['shorter', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ['another scheme', { authorization: `Basic ${TOKEN}` }],
    ['empty', { authorization: 'Bearer ' }],
  ])('is asked for: %s', async (_, headers) => {
    const { url, log } = await start();
    for (const path of ['/robot/services', `${tester}/say`, '/robot/openapi.json', '/metrics', '/robot']) {
      const response = await fetch(`${url}${path}`, { headers });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="robot"');
      expect(await response.json()).toMatchObject({ code: 'unauthorized', status: 401 });
    }
    expect(log).toEqual([]);
  });

  test('in the query is not taken', async () => {
    const { url } = await start();
    expect((await fetch(`${url}/robot/services?token=${TOKEN}`)).status).toBe(401);
  });

  test('is not needed for health', async () => {
    const { url } = await start();
    const response = await fetch(`${url}/healthz`);
    expect(await response.json()).toEqual({ status: 'ok', bus: 'up' });
    expect((await fetch(`${url}/healthz`, { method: 'POST' })).status).toBe(405);
  });
});

describe('Host', () => {
  test.each(['localhost', '127.0.0.1:1', '[::1]:8080', 'NAO.local:8080', 'nao.local.', 'mine.example'])(
    '%s is ours',
    async (host) => {
      const { port } = await start({ allowHosts: ['mine.example'] });
      expect((await ask(port, '/healthz', { headers: { host } })).status).toBe(200);
    },
  );

  test.each([
    'evil.example',
    '127.0.0.1.evil.example',
    '192.0.2.1',
    'localhost.evil.example:80',
    'a b',
    'user@localhost',
  ])('"%s" is refused', async (host) => {
    const { port } = await start();
    for (const path of ['/healthz', '/robot/services', '/']) {
      const { status, text } = await ask(port, path, { headers: { host, ...bearer } });
      expect(status).toBe(403);
      expect(JSON.parse(text)).toMatchObject({ code: 'forbidden' });
    }
  });
});

describe('Origin', () => {
  test('of the agent itself is welcome', async () => {
    const { port } = await start();
    const host = `127.0.0.1:${port}`;
    expect(
      (await ask(port, '/robot/services', { headers: { ...bearer, host, origin: `http://${host}` } })).status,
    ).toBe(200);
  });

  test.each(['http://evil.example', 'null', 'http://127.0.0.1:1', 'http://127.0.0.1', 'file://'])(
    '%s is refused, before the token is looked at',
    async (origin) => {
      const { port, log } = await start({ allowOrigins: ['https://app.example'] });
      for (const headers of [{ origin }, { origin, ...bearer }] as Record<string, string>[]) {
        const answer = await ask(port, `${tester}/say`, { method: 'POST', headers, body: '["x"]' });
        expect(answer.status).toBe(403);
        expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
        expect(JSON.parse(answer.text)).toMatchObject({
          code: 'forbidden',
          detail: expect.stringContaining(`--allow-origin ${origin}`),
        });
      }
      expect(log).toEqual([]);
    },
  );

  test('that is allowed gets CORS, preflight without a token', async () => {
    const { port } = await start({ allowOrigins: ['https://app.example'] });
    const origin = 'https://app.example';
    const preflight = await ask(port, `${tester}/say`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-private-network': 'true' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-headers': expect.stringContaining('authorization'),
      'access-control-allow-methods': expect.stringContaining('PUT'),
      'access-control-allow-private-network': 'true',
      vary: 'origin',
    });
    const answer = await ask(port, '/robot/services', { headers: { origin, ...bearer } });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, origin]);
    expect((await ask(port, '/robot/services', { headers: { origin } })).status).toBe(401);
  });
});

describe('bad input', () => {
  test('a body that is too large is refused, and the refusal can be read', async () => {
    const { url, log } = await start({ maxBodyBytes: 1000 });
    const response = await fetch(`${url}${tester}/say`, {
      method: 'POST',
      headers: bearer,
      body: `["${'x'.repeat(3_000_000)}"]`,
    });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ code: 'limit-exceeded', data: { maximum: 1000 } });
    expect((await fetch(`${url}${tester}/say`, { method: 'POST', headers: bearer, body: '["next"]' })).status).toBe(
      200,
    );
    expect(log).toEqual(['say next']);
  });

  test('a body without a length that grows too large is refused as well', async () => {
    const { url } = await start({ maxBodyBytes: 1000 });
    const body = new ReadableStream({
      start(controller) {
        for (let piece = 0; piece < 20; piece++) controller.enqueue(new TextEncoder().encode('x'.repeat(100)));
        controller.close();
      },
    });
    const response = await fetch(`${url}${tester}/say`, {
      method: 'POST',
      headers: bearer,
      body,
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(413);
  });

  test('a body that does not come is not waited for', async () => {
    const { port } = await start({ httpLimits: { requestTimeoutMs: 200, headersTimeoutMs: 200 } });
    const answer = await rawRequest(
      port,
      `POST ${tester}/say HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 10\r\n\r\n["h`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('headers that do not come are not waited for', async () => {
    const { port } = await start({ httpLimits: { requestTimeoutMs: 200, headersTimeoutMs: 200 } });
    expect(await rawRequest(port, 'GET /healthz HTTP/1.1\r\nHost: localh')).toMatch(/^HTTP\/1\.1 408 /);
  });

  test.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['headers without end', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'two lengths',
      `POST ${tester}/say HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]`,
      400,
    ],
    [
      'length and chunks',
      `POST ${tester}/say HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n[]`,
      400,
    ],
    ['an empty Host', 'GET /healthz HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n', 403],
    ['no Host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
  ])('%s', async (_, text, status) => {
    const { port } = await start();
    expect(await rawRequest(port, text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  test('an offer of HTTP/2 is an ordinary request', async () => {
    const { port } = await start();
    const answer = await rawRequest(
      port,
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('malformed JSON', async () => {
    const { url } = await start();
    const response = await fetch(`${url}${tester}/say`, { method: 'POST', headers: bearer, body: '["x"' });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ code: 'invalid-argument' });
  });
});

describe('streams', () => {
  test('server-sent events come as they happen, and end with the reader', async () => {
    const { url, tester: object } = await start();
    const abort = new AbortController();
    const response = await fetch(`${url}${tester}/wordSaid`, {
      headers: { ...bearer, accept: 'text/event-stream' },
      signal: abort.signal,
    });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>)
      .pipeThrough(new TextDecoderStream())
      .getReader();
    expect((await reader.read()).value).toContain('retry: 2000');
    object.emit('wordSaid', 'one');
    expect((await reader.read()).value).toBe('id: e-1\ndata: ["one"]\n\n');
    abort.abort();
    await expect(reader.read()).rejects.toThrow();
  });

  test('a reader that does not keep up is told what it missed, and costs no memory', async () => {
    const { port, tester: object } = await start();
    const socket = connect(port, '127.0.0.1');
    socket.setEncoding('utf8');
    socket.write(
      `GET ${tester}/wordSaid HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nAccept: text/event-stream\r\n\r\n`,
    );
    await once(socket, 'data');
    socket.pause();
    const word = 'x'.repeat(10_000);
    for (let round = 0; round < 40; round++) {
      for (let count = 0; count < 100; count++) object.emit('wordSaid', word);
      await new Promise((resolve) => setImmediate(resolve));
    }
    object.emit('wordSaid', 'last');
    let text = '';
    const last = new Promise<void>((resolve) => {
      socket.on('data', (chunk: string) => {
        text += chunk;
        if (text.includes('data: ["last"]')) resolve();
      });
    });
    socket.resume();
    await last;
    const missed = [...text.matchAll(/event: gap\ndata: {"missed":(\d+)}/g)].map(([, count]) => Number(count));
    const numbers = [...text.matchAll(/id: e-(\d+)\ndata: /g)].map(([, number]) => Number(number));
    expect(missed.length).toBeGreaterThan(0);
    expect(missed.reduce((sum, count) => sum + count, numbers.length)).toBe(4001);
    expect(numbers.at(-1)).toBe(4001);
    socket.destroy();
  });

  test('a client that goes away cancels its call on the robot', async () => {
    const { url, logged } = await start();
    const abort = new AbortController();
    const call = fetch(`${url}${tester}/forever`, { method: 'POST', headers: bearer, signal: abort.signal });
    await logged('forever began');
    abort.abort();
    await expect(call).rejects.toThrow();
    await logged('forever stopped');
  });
});

test('metrics are Prometheus text', async () => {
  const { url } = await start();
  await fetch(`${url}${tester}/add`, { method: 'POST', headers: bearer, body: '[1,2]' });
  await fetch(`${url}/robot/services`);
  const response = await fetch(`${url}/metrics`, { headers: bearer });
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await response.text();
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"]*"\})? [0-9.e+-]+)$/);
  for (const line of [
    'qiway_bus_up 1',
    'qiway_sessions 5',
    'qiway_detached_sessions 2',
    'qiway_session_subscriptions 2',
    'qiway_journal_calls 6',
    'qiway_journal_bytes 7',
    'qiway_journal_running_calls 8',
    'qiway_links_lost_total{reason="silence"} 0',
    'qiway_links_total{sealed="yes"} 0',
    'qiway_http_calls_total 1',
    'qiway_http_responses_total{status="200"} 1',
    'qiway_http_responses_total{status="401"} 1',
    'qiway_info{version="1.2.3"} 1',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
});

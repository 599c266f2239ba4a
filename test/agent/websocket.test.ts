// The agent's WebSocket side over real sockets: upgrades, and the transport made of one.
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { SUBPROTOCOL } from '../../protocol/session/control.ts';
import { MAX_BATCH_BYTES } from '../../protocol/session/link.ts';
import type { Transport } from '../../protocol/session/transport.ts';
import { type HttpAgent, type HttpAgentOptions, httpAgent } from '../support/http-agent.ts';

let agent: HttpAgent | undefined;
const open: WebSocket[] = [];
afterEach(async () => {
  for (const socket of open.splice(0)) socket.terminate();
  await agent?.close();
  agent = undefined;
});

async function start(options: HttpAgentOptions = {}): Promise<HttpAgent> {
  agent = await httpAgent(options);
  return agent;
}

function dial(
  port: number,
  options: { path?: string; protocol?: string; headers?: Record<string, string>; origin?: string } = {},
): WebSocket {
  const { path = '/robot/link', protocol = SUBPROTOCOL, headers = {}, origin } = options;
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocol === '' ? [] : [protocol], {
    headers,
    ...(origin === undefined ? {} : { origin }),
  });
  open.push(socket);
  return socket;
}

/** The answer to an upgrade that is refused. */
function refusal(socket: WebSocket): Promise<{ status: number; json: unknown }> {
  return new Promise((resolve, reject) => {
    socket.on('open', () => reject(new Error('it was accepted')));
    socket.on('error', reject);
    socket.on('unexpected-response', (_request, response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, json: JSON.parse(text) }));
    });
  });
}

interface Heard {
  readonly messages: Uint8Array[];
  readonly drains: number[];
  readonly closed: Promise<string>;
}

function listenTo(transport: Transport): Heard {
  const messages: Uint8Array[] = [];
  const drains: number[] = [];
  const closed = new Promise<string>((resolve) => {
    transport.listen({
      message: (bytes) => messages.push(bytes),
      drain: () => drains.push(transport.bufferedBytes),
      close: resolve,
    });
  });
  return { messages, drains, closed };
}

describe('an upgrade', () => {
  test.each(['/robot/link', '/robot/link?x=1'])(
    'at %s is accepted with the subprotocol and without compression',
    async (path) => {
      const { port, accepted } = await start({ onAccept: listenTo });
      const socket = dial(port, { path });
      await once(socket, 'open');
      expect([socket.protocol, socket.extensions, accepted.length]).toEqual([SUBPROTOCOL, '', 1]);
    },
  );

  test.each<[string, Parameters<typeof dial>[1], number, string]>([
    ['a foreign Origin', { origin: 'https://evil.example' }, 403, 'forbidden'],
    ['the Origin of another port', { origin: 'http://127.0.0.1:1' }, 403, 'forbidden'],
    ['a sandboxed page', { origin: 'null' }, 403, 'forbidden'],
    ['a foreign Host', { headers: { host: 'evil.example' } }, 403, 'forbidden'],
    ['another path', { path: '/robot/services' }, 404, 'unsupported'],
    ['another subprotocol', { protocol: 'qiway.9' }, 400, 'protocol-mismatch'],
    ['no subprotocol', { protocol: '' }, 400, 'protocol-mismatch'],
  ])('is refused: %s', async (_, options, status, code) => {
    const { port, accepted, counts } = await start({ onAccept: listenTo });
    expect(await refusal(dial(port, options))).toMatchObject({ status, json: { code, status } });
    expect([accepted.length, counts.sessionsRefused]).toEqual([0, 1]);
  });

  test('from pages of the agent, and of allowed origins, is accepted', async () => {
    const { port } = await start({ onAccept: listenTo, allowOrigins: ['https://app.example'] });
    for (const origin of [`http://127.0.0.1:${port}`, 'https://app.example'])
      await once(dial(port, { origin }), 'open');
  });

  test('from pages that came from another address of the agent is accepted, also when it is gone', async () => {
    const { port, url } = await start({ onAccept: listenTo });
    const page = { origin: `http://nao.local:${port}` };
    const other = { ...page, headers: { host: `192.0.2.7:${port}` } };
    expect((await refusal(dial(port, other))).status).toBe(403);
    await once(dial(port, { headers: { host: `nao.local:${port}` } }), 'open');
    await once(dial(port, other), 'open');
    for (const origin of [`http://nao.local:${port + 1}`, 'http://nao.local', `http://robot.example:${port}`])
      expect((await refusal(dial(port, { ...other, origin }))).status).toBe(403);
    // Localhost is another machine to whom it is not.
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await refusal(dial(port, { ...other, origin: `http://127.0.0.1:${port}` }))).status).toBe(403);
  });

  test('is refused while too many of one address are not known yet', async () => {
    const { port, accepted } = await start({ onAccept: listenTo, linkLimits: { maxUnknownPerAddress: 2 } });
    const first = dial(port);
    await once(first, 'open');
    await once(dial(port), 'open');
    expect(await refusal(dial(port))).toMatchObject({
      status: 503,
      json: { code: 'limit-exceeded', data: { limit: 'maxUnknownPerAddress', maximum: 2 } },
    });
    accepted[1]?.known();
    await once(dial(port), 'open');
    expect((await refusal(dial(port))).status).toBe(503);
  });

  test('a socket that closes unknown makes room', async () => {
    const heard: Heard[] = [];
    const { port } = await start({
      onAccept: (transport) => heard.push(listenTo(transport)),
      linkLimits: { maxUnknownPerAddress: 1 },
    });
    const first = dial(port);
    await once(first, 'open');
    first.close();
    await heard[0]?.closed;
    await once(dial(port), 'open');
  });
});

describe('the transport', () => {
  async function pair(): Promise<{ socket: WebSocket; transport: Transport; heard: Heard; agent: HttpAgent }> {
    const heard: Heard[] = [];
    const started = await start({ onAccept: (transport) => heard.push(listenTo(transport)) });
    const socket = dial(started.port);
    await once(socket, 'open');
    return {
      socket,
      transport: (started.accepted[0] as { transport: Transport }).transport,
      heard: heard[0] as Heard,
      agent: started,
    };
  }

  test('passes whole messages both ways and counts them', async () => {
    const { socket, transport, heard, agent: started } = await pair();
    const answer = once(socket, 'message') as Promise<[Buffer]>;
    transport.send(Uint8Array.of(1, 2, 3));
    expect([...(await answer)[0]]).toEqual([1, 2, 3]);
    socket.send(Uint8Array.of(4, 5));
    socket.close(1000, 'done');
    expect(await heard.closed).toBe('done');
    expect(heard.messages).toEqual([Uint8Array.of(4, 5)]);
    expect(started.counts).toMatchObject({
      linkBytesReceived: 2,
      linkMessagesReceived: 1,
      linkBytesSent: 3,
      linkMessagesSent: 1,
    });
  });

  test('closes with the code and as much of the reason as fits', async () => {
    const { socket, transport, heard } = await pair();
    const closed = once(socket, 'close') as Promise<[number, Buffer]>;
    transport.close(4401, 'ü'.repeat(200));
    transport.close(1000, 'again');
    const [code, reason] = await closed;
    expect([code, reason.toString()]).toEqual([4401, 'ü'.repeat(60)]);
    await heard.closed;
    expect(transport.send(Uint8Array.of(1))).toBe(true);
  });

  test('a text message is a protocol error', async () => {
    const { socket, heard } = await pair();
    socket.send('text');
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(4400);
    await heard.closed;
    expect(heard.messages).toEqual([]);
  });

  test('a message beyond a batch ends it', async () => {
    const { socket, heard } = await pair();
    socket.send(new Uint8Array(MAX_BATCH_BYTES + 1));
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1009);
    expect(await heard.closed).toContain('Max payload size exceeded');
  });

  test('holds back when the reader is slow, and says when to go on', async () => {
    const { socket, transport, heard } = await pair();
    socket.pause();
    let sent = 0;
    while (transport.send(new Uint8Array(65_536)) && sent < 2000) sent++;
    expect(sent).toBeLessThan(2000);
    expect(transport.bufferedBytes).toBeGreaterThan(256 * 1024);
    expect(heard.drains).toEqual([]);
    let received = 0;
    const all = new Promise<void>((resolve) => {
      socket.on('message', () => {
        received++;
        if (received === sent + 1) resolve();
      });
    });
    socket.resume();
    await all;
    expect(heard.drains).toHaveLength(1);
    expect(heard.drains[0]).toBeLessThanOrEqual(128 * 1024);
  });
});

// A socket of messages: how they are written, what is done when the other side does not read, how it ends.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { QiwayError } from '../../protocol/errors.ts';
import { HEADER_BYTES, type MessageHeader, MessageType } from '../../protocol/wire/message.ts';
import { MessageSocket } from '../../robot-agent/qi/message-socket.ts';
import { Collected } from '../contract/calls.ts';
import { handClock } from './hand-clock.ts';

interface Heard {
  readonly id: number;
  readonly payload: Uint8Array;
}

interface End {
  readonly messages: MessageSocket;
  readonly socket: Socket;
  readonly heard: Collected<Heard>;
  readonly closed: Promise<QiwayError>;
}

const KIBIBYTE = 1024;
const clock = handClock();
let server: Server;
const accepted = new Collected<Socket>();

beforeEach(async () => {
  accepted.all.length = 0;
  server = createServer((socket) => accepted.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  for (const socket of accepted.all) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

function end(socket: Socket, maxQueuedBytes?: number): End {
  const heard = new Collected<Heard>();
  let settle: (reason: QiwayError) => void = () => {};
  const closed = new Promise<QiwayError>((resolve) => {
    settle = resolve;
  });
  const listener = {
    message: ({ id }: MessageHeader, payload: Uint8Array) => heard.add({ id, payload: payload.slice() }),
    closed: settle,
  };
  const messages = new MessageSocket(socket, listener, {
    clock,
    ...(maxQueuedBytes === undefined ? {} : { maxQueuedBytes }),
  });
  return { messages, socket, heard, closed };
}

async function pair(maxQueuedBytes?: number): Promise<{ readonly near: End; readonly far: Socket }> {
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const [far] = (await accepted.count(1)) as [Socket];
  far.on('error', () => {});
  return { near: end(socket, maxQueuedBytes), far };
}

function header(id: number, payload: Uint8Array): MessageHeader {
  return { id, size: payload.length, version: 0, type: MessageType.call, flags: 0, service: 1, object: 1, action: 100 };
}

function send({ messages }: End, id: number, payload: Uint8Array): void {
  messages.send(header(id, payload), payload);
}

/** What is handed to the kernel, write by write. */
function writesOf(socket: Socket): Uint8Array[] {
  const writes: Uint8Array[] = [];
  const write = socket.write.bind(socket) as (bytes: Uint8Array) => boolean;
  socket.write = ((bytes: Uint8Array) => {
    writes.push(bytes);
    return write(bytes);
  }) as Socket['write'];
  return writes;
}

describe('writing', () => {
  test('few small messages of one turn are one write', async () => {
    const { near, far } = await pair();
    const writes = writesOf(near.socket);
    const other = end(far);
    for (let id = 0; id < 20; id += 1) send(near, id, new Uint8Array([id]));
    expect(writes).toHaveLength(0);
    await other.heard.count(20);
    expect(writes).toHaveLength(1);
  });

  test('who says little holds little memory, who says much gathers it in large pieces', async () => {
    const { near, far } = await pair();
    const writes = writesOf(near.socket);
    const other = end(far);
    send(near, 0, new Uint8Array(1));
    await other.heard.count(1);
    expect(writes[0]?.buffer.byteLength).toBeLessThan(2 * KIBIBYTE);
    for (let id = 1; id <= 3000; id += 1) send(near, id, new Uint8Array(1));
    await other.heard.count(3001);
    expect(writes.at(-1)?.buffer.byteLength).toBe(64 * KIBIBYTE);
  });

  test('many are a few writes, each about twice the one before, and arrive in order', async () => {
    const { near, far } = await pair();
    const writes = writesOf(near.socket);
    const other = end(far);
    for (let id = 0; id < 1000; id += 1) send(near, id, new Uint8Array([id, id >> 8]));
    const heard = await other.heard.count(1000);
    expect(heard.map(({ id }) => id)).toEqual(Array.from({ length: 1000 }, (_, id) => id));
    expect(heard[258]?.payload).toEqual(new Uint8Array([2, 1]));
    const lengths = writes.map(({ length }) => length);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(1000 * (HEADER_BYTES + 2));
    expect(lengths.length).toBeLessThanOrEqual(9);
    expect(lengths[0]).toBeLessThan(1000);
  });

  test('a large payload is written as it is, between the small ones around it', async () => {
    const { near, far } = await pair();
    const writes = writesOf(near.socket);
    const other = end(far);
    const large = Uint8Array.from({ length: 100 * KIBIBYTE }, (_, index) => index);
    send(near, 1, new Uint8Array([1]));
    send(near, 2, large);
    send(near, 3, new Uint8Array([3]));
    const heard = await other.heard.count(3);
    expect(heard.map(({ payload }) => payload.length)).toEqual([1, large.length, 1]);
    expect(Buffer.compare(heard[1]?.payload as Uint8Array, large)).toBe(0);
    expect(writes).toHaveLength(3);
    expect(writes[1]).toBe(large);
  });

  test('what a batch holds is not changed by what is sent while it is under way', async () => {
    const { near, far } = await pair();
    const other = end(far);
    for (let turn = 0; turn < 50; turn += 1) {
      for (let id = 0; id < 200; id += 1) send(near, turn, new Uint8Array(500).fill(turn));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const heard = await other.heard.count(10_000);
    expect(heard.every(({ id, payload }) => payload[0] === id && payload[499] === id)).toBe(true);
  });

  test('a peer that does not read is closed before too much waits for it', async () => {
    const { near, far } = await pair(4 * KIBIBYTE * KIBIBYTE);
    far.pause();
    const payload = new Uint8Array(KIBIBYTE * KIBIBYTE);
    for (let id = 0; id < 64; id += 1) send(near, id, payload);
    expect(await near.closed).toMatchObject({ code: 'limit-exceeded', data: { limit: 'maxQueuedBytes' } });
    expect(near.messages.bufferedBytes).toBe(0);
  });

  test('tells how much waits', async () => {
    const { near } = await pair();
    expect(near.messages.bufferedBytes).toBe(0);
    send(near, 1, new Uint8Array(10));
    expect(near.messages.bufferedBytes).toBe(HEADER_BYTES + 10);
  });
});

describe('the end', () => {
  test('what was sent before it arrives', async () => {
    const { near, far } = await pair();
    const other = end(far);
    send(near, 1, new Uint8Array(10 * KIBIBYTE));
    near.messages.end(new QiwayError('closed', 'Enough.'));
    send(near, 2, new Uint8Array(1));
    expect((await other.closed).code).toBe('link-lost');
    expect(other.heard.all.map(({ id }) => id)).toEqual([1]);
    expect(await near.closed).toMatchObject({ code: 'closed' });
  });

  test('a peer that never closes its side is not waited for', async () => {
    const { near, far } = await pair();
    far.pause();
    near.messages.end(new QiwayError('closed', 'Enough.'));
    await clock.fire(2000);
    expect((await near.closed).code).toBe('closed');
  });

  test('a peer that closes its side and does not take what waits for it is not waited for either', async () => {
    const { near, far } = await pair();
    far.pause();
    for (let id = 0; id < 64; id += 1) send(near, id, new Uint8Array(KIBIBYTE * KIBIBYTE));
    far.end();
    await clock.fire(2000);
    expect(await near.closed).toMatchObject({ code: 'link-lost', data: { reason: 'closed by the other side' } });
    expect(near.messages.bufferedBytes).toBe(0);
  });

  test('a broken socket is told once, with the reason', async () => {
    const { near, far } = await pair();
    far.resetAndDestroy();
    const reason = await near.closed;
    expect(reason.code).toBe('link-lost');
    expect(reason.message).toContain('ECONNRESET');
    near.messages.destroy(new QiwayError('closed', 'Too late.'));
    send(near, 1, new Uint8Array(1));
  });

  test('what a listener throws closes the socket', async () => {
    const { near, far } = await pair();
    near.messages.listen({
      message: () => {
        throw new QiwayError('wire-invalid', 'Not so.');
      },
      closed: (reason) => near.heard.add({ id: reason.code === 'wire-invalid' ? 1 : 0, payload: new Uint8Array(0) }),
    });
    send(end(far), 7, new Uint8Array(0));
    expect((await near.heard.count(1))[0]?.id).toBe(1);
  });
});

// Every port for qi programs, and whoever has not shown who they are: nothing but refusals and closed sockets, in bounded
// time, memory and log.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeMessage, MessageType, writeMessageHeader } from '../../protocol/wire/message.ts';
import { decodeValue, encodeValue } from '../../protocol/wire/value.ts';
import { Dynamic, parseEndpoint } from '../../robot-agent/qi/index.ts';
import { fuzzing } from './fuzz.ts';
import { AUTHENTICATE, CREDENTIALS, PORT_NAMES, type PortName, type QiLab, startQiLab } from './qi-lab.ts';
import { damagedTraffic } from './recorded-bytes.ts';

const MEBIBYTE = 1_048_576;
/** Sockets of one address that may wait to be let in. */
const MAX_WAITING = 128;
/** Lines that one kind of refusal may write in a minute, and some more for others. */
const MAX_LINES = 200;

let lab: QiLab;
beforeAll(async () => {
  lab = await startQiLab();
});
afterAll(() => lab.end());

/** A header that promises `size` bytes. */
function header(size: number, changes: object = {}): Uint8Array {
  const bytes = new Uint8Array(28);
  writeMessageHeader(bytes, 0, { ...AUTHENTICATE, size, version: 0, flags: 0, ...changes });
  return bytes;
}

const HELLO = encodeMessage(AUTHENTICATE, CREDENTIALS);

describe.each(PORT_NAMES)('%s:', (port) => {
  test('random bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }), async (chunks) => {
        const raw = await lab.stranger(port);
        for (const chunk of chunks) raw.socket.write(chunk);
        raw.socket.end();
        await raw.closed;
      }),
      fuzzing('qi-strangers.test.ts', 60),
    );
    await lab.calm();
  });

  test('recorded traffic with some bits turned', async () => {
    await fc.assert(
      fc.asyncProperty(damagedTraffic, async (bytes) => {
        const raw = await lab.stranger(port);
        raw.socket.end(bytes);
        await raw.closed;
      }),
      fuzzing('qi-strangers.test.ts', 100),
    );
    await lab.calm();
  });

  test.each([
    ['a payload of 4 GiB', header(0xffff_ffff)],
    ['a payload just above the bound', header(128 * MEBIBYTE + 1)],
    ['more than it may say before it is let in', Buffer.concat([header(MEBIBYTE), new Uint8Array(70_000)])],
    ['credentials that are none', encodeMessage(AUTHENTICATE, new Uint8Array(9).fill(255))],
    ['credentials in a thousand dynamics', encodeMessage(AUTHENTICATE, nestedCredentials(1000))],
    ['four billion credentials', encodeMessage(AUTHENTICATE, new Uint8Array([255, 255, 255, 255, 0, 0]))],
  ])('%s', async (_, bytes) => {
    const raw = await lab.stranger(port);
    raw.socket.write(bytes);
    await raw.closed;
    await lab.calm();
  });

  test('sockets that end at each byte of the handshake', async () => {
    for (let from = 0; from < HELLO.length; from += 32) {
      const lengths = Array.from({ length: Math.min(32, HELLO.length - from) }, (_, index) => from + index);
      await Promise.all(
        lengths.map(async (length) => {
          const raw = await lab.stranger(port);
          raw.socket.write(HELLO.subarray(0, length));
          if (length % 2 === 0) await raw.close();
          else raw.socket.end();
          await raw.closed;
        }),
      );
    }
    await lab.calm();
  });

  test('messages that end nowhere', async () => {
    const raws = await Promise.all(Array.from({ length: 20 }, () => lab.stranger(port)));
    for (const { socket } of raws) {
      socket.write(header(60_000));
      for (let piece = 0; piece < 70; piece += 1) socket.write(new Uint8Array(1000));
    }
    await Promise.all(raws.map(({ closed }) => closed));
    await lab.calm();
  });

  test('authenticating without end', async () => {
    const raw = await lab.stranger(port);
    const messages = Array.from({ length: 200 }, (_, index) =>
      encodeMessage({ ...AUTHENTICATE, id: index + 2 }, encodeValue('{sm}', {})),
    );
    raw.socket.write(Buffer.concat(messages));
    if (isOpen(port)) await raw.take(({ header: { id } }) => id === 201);
    else {
      const answer = await raw.take(({ header: { id } }) => id === 2);
      expect(decodeValue('m', answer.payload, { dynamics: 'unwrapped' })).toMatch(/^Authentication failed/);
      await raw.closed;
    }
    await raw.close();
    await lab.calm();
  });

  test('nothing is reached before, whatever is asked', async () => {
    const raw = await lab.stranger(port);
    for (const service of [0, 1, lab.targetId])
      for (const action of [0, 1, 2, 3, 5, 6, 8, 100, 101, 102, 103])
        for (const type of [1, 2, 3, 4, 5, 6, 7, 8, 9, 77, 255])
          if (service !== 0 || action !== 8 || type !== MessageType.call)
            raw.send({ id: 7, type, service, object: 1, action }, encodeValue('(I)', [lab.targetId]));
    raw.socket.end();
    await raw.closed;
    expect(raw.received.map(({ header: { type } }) => type)).not.toContain(MessageType.reply);
    await lab.calm();
  });
});

function isOpen(port: PortName): boolean {
  return port === 'directory' || port === 'host';
}

function nestedCredentials(depth: number): Uint8Array {
  const level = [1, 0, 0, 0, 'm'.charCodeAt(0)];
  const key = [1, 0, 0, 0, 1, 0, 0, 0, 'a'.charCodeAt(0)];
  return new Uint8Array([...key, ...Array.from({ length: depth }, () => level).flat(), 1, 0, 0, 0, 'v'.charCodeAt(0)]);
}

describe('doors with credentials:', () => {
  test.each(['door', 'secureDoor'] as const)('wrong tokens, one after the other, at the %s', async (port) => {
    const linesBefore = lab.agent.log.length;
    const wrong = encodeValue('{sm}', { auth_token: new Dynamic('s', 'x'.repeat(2000)) });
    for (let round = 0; round < 20; round += 1) {
      const raws = await Promise.all(Array.from({ length: 30 }, () => lab.stranger(port)));
      const beganMs = performance.now();
      for (const raw of raws) raw.send(AUTHENTICATE, wrong);
      const answers = await Promise.all(raws.map((raw) => raw.take(({ header: { id } }) => id === AUTHENTICATE.id)));
      expect(performance.now() - beganMs).toBeLessThan(2000);
      expect(new Set(answers.map(({ header: { type } }) => type))).toEqual(new Set([MessageType.error]));
      await Promise.all(raws.map(({ closed }) => closed));
    }
    await lab.calm();
    expect(lab.agent.log.length - linesBefore).toBeLessThan(MAX_LINES);
    expect(Math.max(...lab.agent.log.map(({ length }) => length))).toBeLessThan(2000);
  });
});

/** Resolves when the socket is closed, also by a reset. */
function end(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

describe('sockets that say nothing:', () => {
  test.each(PORT_NAMES)('at the %s they are few of one address, and not for long', async (port) => {
    const linesBefore = lab.agent.log.length;
    const { host, port: number } = parseEndpoint(lab.urls[port]);
    let closed = 0;
    const ends = Array.from({ length: MAX_WAITING + 300 }, async (_, index) => {
      const socket = connect({ host, port: number, localAddress: '127.0.0.77' });
      const ended = end(socket).then(() => {
        closed += 1;
      });
      await once(socket, 'connect').catch(() => {});
      socket.resume();
      // Some begin to speak, and never come to an end.
      if (index % 3 === 1) socket.write(HELLO.subarray(0, 40));
      if (index % 3 === 2) socket.write(new Uint8Array([0x16, 3, 1, 2, 0, 1]));
      await ended;
    });
    await expect.poll(() => closed).toBeGreaterThanOrEqual(300);
    // Meanwhile others come in.
    await (await lab.intruder(port)).close();
    await lab.calm();
    await Promise.all(ends);
    expect(lab.agent.log.length - linesBefore).toBeLessThan(MAX_LINES);
  });
});

describe('TLS:', () => {
  async function secured(): Promise<ReturnType<typeof connectTls>> {
    const { host, port } = parseEndpoint(lab.urls.secureDoor);
    const socket = connectTls({ host, port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    return socket;
  }

  test('garbage that begins as TLS does', async () => {
    const { host, port } = parseEndpoint(lab.urls.secureDoor);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 400 }), fc.nat({ max: 5 }), async (noise, kept) => {
        const socket = connect({ host, port });
        const closed = end(socket);
        socket.end(Buffer.concat([new Uint8Array([0x16, 3, 1, 0, 200, 1]).subarray(0, kept + 1), noise]));
        socket.resume();
        await closed;
      }),
      fuzzing('qi-strangers.test.ts', 100),
    );
    await lab.calm();
  });

  test('asking for the handshake again and again', async () => {
    const socket = await secured();
    const closed = end(socket);
    let isOver = false;
    closed.then(() => {
      isOver = true;
    });
    for (let round = 0; round < 20 && !isOver; round += 1)
      await Promise.race([
        closed,
        new Promise<void>((resolve) => {
          if (!socket.renegotiate({ rejectUnauthorized: false }, () => resolve())) resolve();
        }),
      ]);
    await closed;
    await lab.calm();
  });
});

test('after all that the others have lost nothing, and no memory is held', async () => {
  await lab.memoryIsBack();
  await lab.finish();
  expect([lab.agent.isAlive, lab.service.isAlive]).toEqual([true, true]);
});

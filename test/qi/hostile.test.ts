// A port that anybody may reach: whatever is sent there, sockets are closed cleanly, memory stays bounded, and the
// directory goes on working.
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeMessage, MessageType, writeMessageHeader } from '../../protocol/wire/message.ts';
import { encodeValue } from '../../protocol/wire/value.ts';
import {
  type BusListenerHandle,
  EmbeddedBus,
  joinBus,
  type ListenBusOptions,
  listenBus,
} from '../../robot-agent/qi/index.ts';
import { callMethod, failureOf } from '../contract/calls.ts';
import { createEchoService } from '../support/echo-service.ts';
import { handClock } from './hand-clock.ts';
import { type RawClient, rawClient } from './raw-client.ts';

const AUTHENTICATE = { id: 2, type: MessageType.call, service: 0, object: 0, action: 8 } as const;
const MEBIBYTE = 1_048_576;

let bus: EmbeddedBus;
let listener: BusListenerHandle;
const clients: RawClient[] = [];

async function listen(options: ListenBusOptions = {}): Promise<void> {
  bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
  listener = await listenBus(bus, 'tcp://127.0.0.1:0', options);
  await bus.host('Echo', createEchoService().object);
}

beforeEach(() => listen());

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await listener.close();
  await bus.close();
});

async function client(): Promise<RawClient> {
  const raw = await rawClient(listener.url);
  clients.push(raw);
  return raw;
}

async function letIn(): Promise<RawClient> {
  const raw = await client();
  raw.send(AUTHENTICATE, encodeValue('{sm}', {}));
  await raw.take(({ header }) => header.id === AUTHENTICATE.id);
  return raw;
}

/** The directory answers a program that comes now. */
async function stillWorks(): Promise<void> {
  const joined = await joinBus(listener.url);
  const echo = await joined.service('Echo');
  expect(await callMethod(echo, 'echoString', 'still here')).toBe('still here');
  await joined.close();
}

/** A header that promises more than follows. */
function header(size: number): Uint8Array {
  const bytes = new Uint8Array(28);
  writeMessageHeader(bytes, 0, { id: 2, size, version: 0, type: 1, flags: 0, service: 0, object: 0, action: 8 });
  return bytes;
}

test.each([
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: robot.local:9559\r\n\r\n')],
  [
    'a wrong magic behind a right message',
    Buffer.concat([encodeMessage(AUTHENTICATE, encodeValue('{sm}', {})), new Uint8Array(28)]),
  ],
  ['a payload of 4 GiB', header(0xffff_ffff)],
  ['a payload above the bound', header(134_217_729)],
  ['credentials that are none', encodeMessage(AUTHENTICATE, new Uint8Array([255, 255, 255, 255]))],
  ['more than 64 KiB before it was let in', Buffer.concat([header(MEBIBYTE), new Uint8Array(MEBIBYTE)])],
])('%s closes the socket', async (_, bytes) => {
  const raw = await client();
  raw.socket.write(bytes);
  await raw.closed;
  await stillWorks();
});

test.each([
  ['in a header', header(0).subarray(0, 13)],
  ['in a payload', Buffer.concat([header(100), new Uint8Array(50)])],
  ['before anything', new Uint8Array(0)],
])('a socket that ends %s is forgotten', async (_, bytes) => {
  const raw = await client();
  raw.socket.end(bytes);
  await raw.closed;
  await stillWorks();
});

test('before it is let in, a client gets the same answer whatever it asks, and reaches nothing', async () => {
  const raw = await client();
  for (let id = 10; id < 14; id += 1) raw.send({ id, type: MessageType.call, service: id - 10, object: 1, action: 2 });
  raw.send({ id: 20, type: MessageType.post, service: 1, object: 1, action: 103 }, encodeValue('(I)', [2]));
  raw.send({ id: 21, type: MessageType.event, service: 1, object: 1, action: 107 }, encodeValue('(Is)', [2, 'Echo']));
  for (let id = 10; id < 14; id += 1)
    expect((await raw.take(({ header: { id: of } }) => of === id)).header.type).toBe(MessageType.error);
  expect(raw.received).toEqual([]);
  await stillWorks();
});

test('promises of large payloads take no memory', async () => {
  const before = process.memoryUsage().arrayBuffers;
  const raws = await Promise.all(Array.from({ length: 40 }, letIn));
  for (const raw of raws) raw.socket.write(header(100 * MEBIBYTE));
  await stillWorks();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40 * MEBIBYTE);
});

test('a client that asks for much and reads nothing is closed', async () => {
  await listener.close();
  await listen({ maxQueuedBytes: 8 * MEBIBYTE });
  const raw = await letIn();
  raw.socket.pause();
  const method = 161; // stringOf
  for (let id = 100; id < 164; id += 1)
    raw.send({ id, type: MessageType.call, service: 2, object: 1, action: method }, encodeValue('(I)', [MEBIBYTE]));
  await stillWorks();
  // Reading again shows the end of the stream, or the reset.
  raw.socket.resume();
  await raw.closed;
  expect(raw.received.length).toBeLessThan(64);
  await stillWorks();
});

test('sockets on which nobody authenticates are closed in time', async () => {
  const clock = handClock();
  await listener.close();
  await listen({ clock, timeoutMs: 1000 });
  const silent = await Promise.all(Array.from({ length: 30 }, client));
  for (const _ of silent) await clock.fire(1000);
  await Promise.all(silent.map(({ closed }) => closed));
  expect(listener.socketCount).toBe(0);
});

test('random bytes only ever close the socket that sent them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), async (chunks) => {
      const raw = await rawClient(listener.url);
      for (const chunk of chunks) raw.socket.write(chunk);
      raw.socket.end();
      await raw.closed;
    }),
    { numRuns: 100 },
  );
  await stillWorks();
});

test('random messages of a program that was let in get answers or nothing', async () => {
  const small = fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 200 }), fc.constant(0x8000_0000));
  const message = fc.record({
    id: fc.nat({ max: 1000 }),
    type: fc.integer({ min: 0, max: 10 }),
    flags: fc.nat({ max: 3 }),
    version: fc.nat({ max: 1 }),
    service: fc.oneof(fc.constant(2), fc.nat({ max: 4 })),
    object: small,
    action: small,
  });
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.constantFrom(
      encodeValue('(s)', ['x']),
      encodeValue('(i)', [1]),
      encodeValue('(IIL)', [2, 177, 5n]),
      encodeValue('(m)', ['count']),
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(message, payload), { maxLength: 30 }), async (messages) => {
      const raw = await letIn();
      for (const [head, body] of messages) {
        // What ends a service by right, or asks for gigabytes, is left out: it is no attack but a call.
        if (head.service === 1 && head.action >= 102 && head.action <= 105) continue;
        if (head.service === 2 && [142, 143, 159, 161, 168, 169, 170].includes(head.action)) continue;
        raw.send(head, body);
      }
      raw.send({ id: 5000, type: MessageType.call, service: 2, object: 1, action: 105 }, encodeValue('(i)', [7]));
      const { header: answer } = await raw.take(({ header: { id } }) => id === 5000);
      expect(answer.type).toBe(MessageType.reply);
      await raw.close();
    }),
    { numRuns: 150 },
  );
  await stillWorks();
});

test('the port in use is an error that says so, and the bus can listen elsewhere', async () => {
  const error = await failureOf(listenBus(bus, listener.url));
  expect(error.code).toBe('listen-failed');
  expect(error.message).toContain('the port is in use');
  expect(error.data).toEqual({ address: listener.url });
  const second = await listenBus(bus, 'tcp://127.0.0.1:0');
  const { endpoints } = await bus.serviceInfo('Echo');
  expect(endpoints).toEqual([listener.url, second.url]);
  await second.close();
  expect((await bus.serviceInfo('Echo')).endpoints).toEqual([listener.url]);
});

// The framer: views, gathering, bounds, and what ends it.
import { describe, expect, test } from 'vitest';
import { MessageFramer } from '../../protocol/wire/framer.ts';
import { GATHER_BYTES, MAX_PAYLOAD_BYTES } from '../../protocol/wire/limits.ts';
import {
  emptyMessageHeader,
  encodeMessage,
  HEADER_BYTES,
  type MessageHeader,
  MessageType,
  readMessageHeader,
  writeMessageHeader,
} from '../../protocol/wire/message.ts';
import { failure } from './failure.ts';

const call = (payload: Uint8Array, id = 1): Uint8Array =>
  encodeMessage({ id, type: MessageType.call, service: 2, object: 1, action: 100 }, payload);

function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

interface Seen {
  readonly ids: number[];
  readonly payloads: Uint8Array[];
  readonly framer: MessageFramer;
}

function framer(maxPayloadBytes?: number): Seen {
  const seen: Omit<Seen, 'framer'> = { ids: [], payloads: [] };
  const made = new MessageFramer({
    ...(maxPayloadBytes !== undefined && { maxPayloadBytes }),
    onMessage: (header, payload) => {
      seen.ids.push(header.id);
      seen.payloads.push(payload);
    },
  });
  return { ...seen, framer: made };
}

test('a message that lies whole in a chunk is a view of it', () => {
  const { framer: it, payloads } = framer();
  const chunk = join(call(Uint8Array.of(1, 2, 3)), call(new Uint8Array(0), 2), call(Uint8Array.of(4), 3));
  it.push(chunk);
  expect(payloads.map((payload) => [...payload])).toEqual([[1, 2, 3], [], [4]]);
  expect(payloads.every((payload) => payload.buffer === chunk.buffer)).toBe(true);
});

test('a message in parts is gathered into memory of its own', () => {
  const { framer: it, payloads } = framer();
  const body = Uint8Array.from({ length: 300_000 }, (_, index) => index);
  const bytes = join(call(body), call(Uint8Array.of(9), 2));
  for (let at = 0; at < bytes.length; at += 1000) {
    const chunk = bytes.slice(at, at + 1000);
    it.push(chunk);
    // The socket uses its buffer again.
    chunk.fill(0xee);
  }
  expect(payloads[0]).toEqual(body);
  expect(payloads).toHaveLength(2);
});

test('two messages that are gathered do not share memory', () => {
  const { framer: it, payloads } = framer();
  for (const byte of join(call(Uint8Array.of(1, 1)), call(Uint8Array.of(2, 2)))) it.push(Uint8Array.of(byte));
  expect(payloads.map((payload) => [...payload])).toEqual([
    [1, 1],
    [2, 2],
  ]);
});

test('the header is the same object every time', () => {
  const headers = new Set<MessageHeader>();
  const it = new MessageFramer({ onMessage: (header) => headers.add(header) });
  it.push(join(call(Uint8Array.of(1)), call(Uint8Array.of(2), 2)));
  expect(headers.size).toBe(1);
});

describe('a stream that is no qi traffic ends the framer', () => {
  test.each([1, 7, 28, 100])('found in chunks of %d', (size) => {
    const { framer: it, ids } = framer();
    const bytes = join(
      call(Uint8Array.of(1)),
      new TextEncoder().encode('GET / HTTP/1.1\r\nHost: robot.example.org\r\n\r\n'),
    );
    const feed = (): void => {
      for (let at = 0; at < bytes.length; at += size) it.push(bytes.subarray(at, at + size));
    };
    const first = failure(feed);
    expect(first.code).toBe('wire-invalid');
    expect(ids).toEqual([1]);
    expect(failure(() => it.push(call(Uint8Array.of(1))))).toBe(first);
    expect(ids).toEqual([1]);
  });
});

test('a payload too large ends the framer before it comes', () => {
  const { framer: it } = framer(1000);
  it.push(call(new Uint8Array(1000)));
  const first = failure(() => it.push(call(new Uint8Array(1001)).subarray(0, HEADER_BYTES)));
  expect(first).toMatchObject({ code: 'limit-exceeded', data: { limit: 'maxPayloadBytes', maximum: 1000 } });
  expect(failure(() => it.push(new Uint8Array(0)))).toBe(first);
});

test('a header that promises much sets little aside', () => {
  const header = new Uint8Array(HEADER_BYTES);
  writeMessageHeader(header, 0, { ...emptyMessageHeader(), size: MAX_PAYLOAD_BYTES });
  const before = process.memoryUsage().arrayBuffers;
  const framers = Array.from({ length: 100 }, () => framer().framer);
  for (const it of framers) it.push(header);
  // The bound itself, and room for what the test runner does meanwhile.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * GATHER_BYTES + 16_000_000);
});

test('closed in the middle of a chunk, it hands out no more', () => {
  const ids: number[] = [];
  const it = new MessageFramer({
    onMessage: (header) => {
      ids.push(header.id);
      it.close();
    },
  });
  it.push(join(call(Uint8Array.of(1)), call(Uint8Array.of(2), 2)));
  it.push(call(Uint8Array.of(3), 3));
  expect(ids).toEqual([1]);
});

test('what the receiver of messages throws ends the framer', () => {
  const it = new MessageFramer({
    onMessage: () => {
      throw new TypeError('mine');
    },
  });
  expect(() => it.push(call(Uint8Array.of(1)))).toThrow('mine');
  expect(() => it.push(call(Uint8Array.of(1)))).toThrow('mine');
});

describe('the header of a message', () => {
  const header: MessageHeader = {
    id: 0xfffffffe,
    size: 5,
    version: 0x1234,
    type: 200,
    flags: 3,
    service: 0x80000001,
    object: 0x80000002,
    action: 0x80000003,
  };

  test('comes back, at any place', () => {
    const bytes = new Uint8Array(HEADER_BYTES + 7);
    writeMessageHeader(bytes, 7, header);
    expect(Buffer.from(bytes.subarray(7)).toString('hex')).toBe(
      '42dead42feffffff050000003412c803010000800200008003000080',
    );
    expect(readMessageHeader(bytes, 7, emptyMessageHeader())).toEqual(header);
  });

  test('needs its 28 bytes', () => {
    expect(failure(() => readMessageHeader(new Uint8Array(40), 13, emptyMessageHeader())).code).toBe('wire-invalid');
    expect(failure(() => writeMessageHeader(new Uint8Array(27), 0, header)).code).toBe('internal');
  });
});

// The recorded traffic through the framer: whole, byte by byte, and split at random.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MessageFramer } from '../../protocol/wire/framer.ts';
import { encodeMessage, type MessageHeader } from '../../protocol/wire/message.ts';
import { fromHex, type RecordedMessage, readRecordings, streamOf, toHex } from './recording.ts';

interface Stream {
  readonly name: string;
  readonly messages: readonly RecordedMessage[];
}

/** Both directions of every connection. */
const streams: Stream[] = readRecordings().flatMap(({ scenario, messages }) => {
  const byDirection = Map.groupBy(messages, ({ conn, dir }) => `${scenario}, connection ${conn}, ${dir}`);
  return [...byDirection].map(([name, some]) => ({ name, messages: some }));
});

function frame(chunks: Iterable<Uint8Array>): string[] {
  const seen: string[] = [];
  const framer = new MessageFramer({
    onMessage: (header, payload) => seen.push(`${JSON.stringify(header)} ${toHex(payload)}`),
  });
  for (const chunk of chunks) framer.push(chunk);
  return seen;
}

function expected(messages: readonly RecordedMessage[]): string[] {
  return messages.map(({ header, payloadHex }) => {
    const { id, size, version, type, flags, service, object, action } = header;
    return `${JSON.stringify({ id, size, version, type, flags, service, object, action } satisfies MessageHeader)} ${payloadHex}`;
  });
}

function* cut(bytes: Uint8Array, places: readonly number[]): Generator<Uint8Array> {
  let from = 0;
  for (const place of [...places].sort((a, b) => a - b)) {
    yield bytes.subarray(from, place);
    from = place;
  }
  yield bytes.subarray(from);
}

describe.each(streams)('$name', ({ messages }) => {
  const bytes = streamOf(messages);

  test('whole', () => {
    expect(frame([bytes])).toEqual(expected(messages));
  });

  test('byte by byte', () => {
    expect(frame(cut(bytes, [...bytes.keys()]))).toEqual(expected(messages));
  });

  test('split anywhere', () => {
    const places = fc.array(fc.nat({ max: bytes.length }), { maxLength: 40 });
    fc.assert(
      fc.property(places, (some) => {
        expect(frame(cut(bytes, some))).toEqual(expected(messages));
      }),
      { numRuns: 8 },
    );
  });

  test('headers and payloads join to the recorded bytes', () => {
    for (const { header, headerHex, payloadHex } of messages) {
      expect(toHex(encodeMessage(header, fromHex(payloadHex)))).toBe(headerHex + payloadHex);
    }
  });
});

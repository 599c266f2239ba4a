// The recorded payloads: decoded to the recorded values, and encoded to the same bytes.
import { describe, expect, test } from 'vitest';
import { isQiwayError } from '../../protocol/errors.ts';
import { METAOBJECT_SIGNATURE } from '../../protocol/wire/metaobject-signature.ts';
import { createMetaObjectCache, decodeValue, encodeValue, type ObjectEncoding } from '../../protocol/wire/value.ts';
import { comparable, notate } from './notation.ts';
import {
  fromHex,
  type RecordedMessage,
  type Recording,
  readRecordings,
  sharedCapabilities,
  toHex,
} from './recording.ts';

/** One thing for each direction of each connection. */
function perDirection<T>(make: (message: RecordedMessage) => T): (message: RecordedMessage) => T {
  const known = new Map<string, T>();
  return (message) => {
    const key = `${message.conn} ${message.dir}`;
    const one = known.get(key) ?? make(message);
    known.set(key, one);
    return one;
  };
}

/** How objects were written. */
function encodings(recording: Recording): (message: RecordedMessage) => ObjectEncoding {
  return perDirection(({ conn }) => {
    const shared = sharedCapabilities(recording, conn);
    return {
      hasUid: shared.has('ObjectPtrUID'),
      ...(shared.has('MetaObjectCache') && { cache: createMetaObjectCache() }),
    };
  });
}

const recordings = readRecordings();

test('there are recordings of every scenario', () => {
  expect(recordings.length).toBeGreaterThanOrEqual(22);
  expect(recordings.flatMap(({ messages }) => messages).length).toBe(1199);
});

describe.each(recordings.map((recording) => [recording.scenario, recording] as const))(
  'recording %s',
  (_, recording) => {
    test('every payload decodes to the recorded value and encodes to the same bytes', () => {
      const encodingOf = encodings(recording);
      const sentBy = perDirection(() => new Map<unknown, unknown>());
      let compared = 0;
      for (const message of recording.messages) {
        if (message.signature === undefined || message.decodeError !== undefined) continue;
        const signature = message.signature === 'MetaObject' ? METAOBJECT_SIGNATURE : message.signature;
        const objectEncoding = encodingOf(message);
        const trailing = message.trailing ?? 0;
        const payload = fromHex(message.payloadHex);
        const bytes = payload.subarray(0, payload.length - trailing);
        const value = decodeValue(signature, bytes, { objectEncoding, exact: true });
        const place = `message ${message.n}: ${message.note}`;
        expect(notate(message.signature, value), place).toEqual(comparable(message.decoded ?? null, sentBy(message)));
        expect(toHex(encodeValue(signature, value, { objectEncoding })), place).toBe(toHex(bytes));
        if (trailing > 0)
          expect(() => decodeValue(signature, payload, { objectEncoding, exact: true }), place).toThrow(
            '[wire-invalid]',
          );
        compared++;
      }
      expect(compared).toBeGreaterThan(0);
    });
  },
);

test('payloads that are wrong on purpose are wire-invalid, with the byte', () => {
  const wrong = recordings.flatMap(({ messages }) => messages).filter((message) => message.decodeError !== undefined);
  expect(wrong.length).toBeGreaterThan(0);
  for (const message of wrong) {
    const error = caught(() => decodeValue(message.signature ?? '', fromHex(message.payloadHex)));
    expect(isQiwayError(error) && error.code, message.note).toBe('wire-invalid');
    expect(error, message.note).toHaveProperty('data.offset', expect.any(Number));
  }
});

function caught(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

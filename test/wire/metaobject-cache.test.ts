// Metaobjects sent once per socket.
import { expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../protocol/wire/bytes.ts';
import { MAX_CACHED_METAOBJECTS } from '../../protocol/wire/limits.ts';
import { METAOBJECT_SIGNATURE } from '../../protocol/wire/metaobject-signature.ts';
import { rewriteObjects } from '../../protocol/wire/rewrite.ts';
import {
  createMetaObjectCache,
  decodeValue,
  encodeValue,
  NULL_OBJECT,
  type ObjectReference,
} from '../../protocol/wire/value.ts';
import { failure } from './failure.ts';

const metaObject = (description: string): Uint8Array =>
  encodeValue(METAOBJECT_SIGNATURE, { methods: {}, signals: {}, properties: {}, description });
const lamp: ObjectReference = { ...NULL_OBJECT, metaObject: metaObject('lamp'), object: 5 };
const motor: ObjectReference = { ...NULL_OBJECT, metaObject: metaObject('motor'), object: 6 };

test('a metaobject is sent once per socket, then by its number', () => {
  const here = { hasUid: false, cache: createMetaObjectCache() };
  const there = { hasUid: false, cache: createMetaObjectCache() };
  const sizes = [lamp, motor, { ...lamp, object: 7 }].map((reference) => {
    const bytes = encodeValue('o', reference, { objectEncoding: here });
    expect(decodeValue('o', bytes, { objectEncoding: there, exact: true })).toEqual(reference);
    return bytes.length;
  });
  expect(sizes).toEqual([lamp.metaObject.length + 13, motor.metaObject.length + 13, 13]);
  expect(here.cache.lastSent).toBe(2);
});

test('a number that was never sent is wire-invalid', () => {
  const objectEncoding = { hasUid: false, cache: createMetaObjectCache() };
  const bytes = Uint8Array.of(0, 9, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0);
  expect(failure(() => decodeValue('o', bytes, { objectEncoding }))).toMatchObject({
    code: 'wire-invalid',
    data: { offset: 0 },
  });
});

test('a payload that fails to be written has sent nothing', () => {
  const objectEncoding = { hasUid: false, cache: createMetaObjectCache() };
  expect(failure(() => encodeValue('(oi)', [lamp, 'no number'], { objectEncoding })).code).toBe('invalid-argument');
  expect(encodeValue('o', lamp, { objectEncoding })[0]).toBe(1);
  const cut = encodeValue('(oi)', [motor, 5]).subarray(0, -1);
  expect(failure(() => rewriteObjects('(oi)', cut, { hasUid: true }, objectEncoding, (it) => it)).code).toBe(
    'wire-invalid',
  );
  expect(encodeValue('o', motor, { objectEncoding })[0]).toBe(1);
  expect(objectEncoding.cache.lastSent).toBe(2);
});

test('a peer cannot fill the memory with metaobjects', () => {
  const cache = createMetaObjectCache();
  const receive = (id: number): void => {
    const writer = new ByteWriter();
    writer.uint8(1);
    writer.bytes(NULL_OBJECT.metaObject);
    writer.uint32(id);
    cache.read(new ByteReader(writer.copy()));
  };
  for (let id = 1; id <= MAX_CACHED_METAOBJECTS; id++) receive(id);
  receive(1);
  expect(failure(() => receive(0)).code).toBe('limit-exceeded');
});

test('nor with large ones', () => {
  const cache = createMetaObjectCache();
  const large = metaObject('x'.repeat(6_000_000));
  const receive = (id: number): void => {
    const writer = new ByteWriter();
    writer.uint8(1);
    writer.bytes(large);
    writer.uint32(id);
    cache.read(new ByteReader(writer.copy()));
  };
  receive(1);
  receive(1);
  receive(2);
  expect(failure(() => receive(3))).toMatchObject({
    code: 'limit-exceeded',
    data: { limit: 'MAX_CACHED_METAOBJECT_BYTES' },
  });
});

test('of what was sent, the oldest is forgotten and sent again', () => {
  const cache = createMetaObjectCache();
  const isTransmitted = (name: string): boolean => {
    const writer = new ByteWriter();
    cache.write(writer, metaObject(name));
    return writer.copy()[0] === 1;
  };
  expect(isTransmitted('first')).toBe(true);
  for (let index = 1; index < MAX_CACHED_METAOBJECTS; index++) isTransmitted(`other ${index}`);
  expect(isTransmitted('first')).toBe(false);
  expect(isTransmitted('one more')).toBe(true);
  expect(isTransmitted('first')).toBe(true);
  expect(cache.lastSent).toBe(MAX_CACHED_METAOBJECTS + 2);
});

// Passing over a metaobject by hand is the same as reading it by its signature.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader } from '../../protocol/wire/bytes.ts';
import { readMetaObjectBytes } from '../../protocol/wire/metaobject-bytes.ts';
import { METAOBJECT_SIGNATURE } from '../../protocol/wire/metaobject-signature.ts';
import { parseSignature } from '../../protocol/wire/signature.ts';
import { encodeValue } from '../../protocol/wire/value.ts';
import { walkValue } from '../../protocol/wire/walk.ts';
import { arbitraryValue } from './arbitrary-value.ts';
import { failure } from './failure.ts';

const metaObjects = arbitraryValue(parseSignature(METAOBJECT_SIGNATURE)).map((value) =>
  encodeValue(METAOBJECT_SIGNATURE, value),
);

test('it ends where the signature says, whatever follows', () => {
  fc.assert(
    fc.property(metaObjects, fc.uint8Array({ maxLength: 20 }), (bytes, behind) => {
      const reader = new ByteReader(Uint8Array.of(1, ...bytes, ...behind), 1);
      expect(readMetaObjectBytes(reader)).toEqual(bytes);
      expect(reader.offset).toBe(1 + bytes.length);
    }),
  );
});

test('bytes cut short are refused, as by the signature', () => {
  fc.assert(
    fc.property(metaObjects, fc.nat(), (bytes, at) => {
      const cut = bytes.subarray(0, at % bytes.length);
      expect(failure(() => readMetaObjectBytes(new ByteReader(cut))).code).toBe('wire-invalid');
      expect(failure(() => walkValue(new ByteReader(cut), METAOBJECT_SIGNATURE, () => {})).code).toBe('wire-invalid');
    }),
  );
});

test('a count that cannot be is refused before anything is done for it', () => {
  const bytes = new Uint8Array(16).fill(0xff, 0, 4);
  expect(failure(() => readMetaObjectBytes(new ByteReader(bytes)))).toMatchObject({
    code: 'wire-invalid',
    data: { offset: 0 },
  });
});

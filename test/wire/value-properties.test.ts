// Round trips of random values of random signatures.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isQiwayError } from '../../protocol/errors.ts';
import { ByteReader, ByteWriter } from '../../protocol/wire/bytes.ts';
import { readObject } from '../../protocol/wire/objects.ts';
import { rewriteObjects } from '../../protocol/wire/rewrite.ts';
import { holdsObjects } from '../../protocol/wire/signature.ts';
import {
  createMetaObjectCache,
  decodeValue,
  encodeValue,
  type ObjectReference,
  readValue,
  writeValue,
} from '../../protocol/wire/value.ts';
import { walkValue } from '../../protocol/wire/walk.ts';
import { arbitrarySignature, arbitraryTyped } from './arbitrary-value.ts';

const WITH_UID = { hasUid: true };

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'ok';
  } catch (error) {
    if (isQiwayError(error)) return error.code;
    throw error;
  }
}

test('what is encoded decodes to the same value, and encodes to the same bytes again', () => {
  fc.assert(
    fc.property(arbitraryTyped, ([signature, value]) => {
      const bytes = encodeValue(signature, value);
      const decoded = decodeValue(signature, bytes, { exact: true });
      expect(decoded).toEqual(value);
      expect(encodeValue(signature, decoded)).toEqual(bytes);
    }),
    { numRuns: 1000 },
  );
});

test('values follow each other in one writer and one reader', () => {
  fc.assert(
    fc.property(fc.array(arbitraryTyped, { maxLength: 4 }), (typed) => {
      const writer = new ByteWriter(1);
      for (const [signature, value] of typed) writeValue(writer, signature, value);
      const reader = new ByteReader(writer.copy());
      for (const [signature, value] of typed) expect(readValue(reader, signature)).toEqual(value);
      expect(reader.left).toBe(0);
    }),
  );
});

test('a payload cut off anywhere is wire-invalid', () => {
  fc.assert(
    fc.property(arbitraryTyped, ([signature, value]) => {
      const bytes = encodeValue(signature, value);
      for (let length = 0; length < bytes.length; length++) {
        const cut = bytes.subarray(0, length);
        expect(codeOf(() => decodeValue(signature, cut))).toBe('wire-invalid');
        if (holdsObjects(signature))
          expect(codeOf(() => rewriteObjects(signature, cut, WITH_UID, WITH_UID, (it) => it))).toBe('wire-invalid');
      }
    }),
    { numRuns: 200 },
  );
});

test('random bytes give a value or a typed error, and walking them ends where reading does', () => {
  fc.assert(
    fc.property(arbitrarySignature, fc.uint8Array({ maxLength: 200 }), (signature, bytes) => {
      const reader = new ByteReader(bytes);
      const read = codeOf(() => readValue(reader, signature));
      expect(['ok', 'wire-invalid', 'limit-exceeded']).toContain(read);
      const walker = new ByteReader(bytes);
      const walked = codeOf(() => walkValue(walker, signature, (at) => void readObject(at, WITH_UID)));
      if (read === 'ok') expect([walked, walker.offset]).toEqual(['ok', reader.offset]);
      else expect(['ok', 'wire-invalid', 'limit-exceeded']).toContain(walked);
    }),
    { numRuns: 2000 },
  );
});

test('a byte changed anywhere gives a value or a typed error', () => {
  fc.assert(
    fc.property(arbitraryTyped, fc.nat(), fc.nat({ max: 255 }), ([signature, value], at, byte) => {
      const bytes = encodeValue(signature, value);
      if (bytes.length > 0) bytes[at % bytes.length] = byte;
      expect(['ok', 'wire-invalid', 'limit-exceeded']).toContain(codeOf(() => decodeValue(signature, bytes)));
    }),
    { numRuns: 500 },
  );
});

test('objects rewritten to themselves leave the bytes as they are; without objects it is the same array', () => {
  fc.assert(
    fc.property(arbitraryTyped, ([signature, value]) => {
      const bytes = encodeValue(signature, value);
      let objects = 0;
      const rewritten = rewriteObjects(signature, bytes, WITH_UID, WITH_UID, (reference) => {
        objects++;
        return reference;
      });
      if (objects === 0) expect(rewritten).toBe(bytes);
      expect(rewritten).toEqual(bytes);
    }),
    { numRuns: 500 },
  );
});

test('each object is mapped in order and written in the other encoding', () => {
  const renumber = (reference: ObjectReference): ObjectReference => ({
    ...reference,
    service: 7,
    object: (reference.object + 1) >>> 0,
  });
  fc.assert(
    fc.property(arbitraryTyped, fc.boolean(), fc.boolean(), ([signature, value], hasUid, hasCache) => {
      const to = { hasUid, ...(hasCache && { cache: createMetaObjectCache() }) };
      const rewritten = rewriteObjects(signature, encodeValue(signature, value), WITH_UID, to, renumber);
      const seen: ObjectReference[] = [];
      const identity = {
        read: (it: ObjectReference) => seen.push(it),
        is: () => false,
        write: (it: unknown) => it as ObjectReference,
      };
      decodeValue(signature, rewritten, { exact: true, objectEncoding: to, objects: identity });
      const before: ObjectReference[] = [];
      decodeValue(signature, encodeValue(signature, value), {
        objects: { ...identity, read: (it) => before.push(it) },
      });
      const uid = new Uint8Array(20);
      expect(seen).toEqual(before.map((it) => ({ ...renumber(it), ...(!hasUid && { uid }) })));
    }),
    { numRuns: 500 },
  );
});

// The key of a metaobject's bytes: the published hash, and what it tells apart.
import { describe, expect, test } from 'vitest';
import { encodeText } from '../../protocol/wire/bytes.ts';
import { hashMetaObject, isSameHash, murmur3 } from '../../protocol/wire/metaobject-hash.ts';

describe('murmur3', () => {
  // Known answers of MurmurHash3_x86_32, as its ports are tested with.
  test.each([
    ['', 0, 0],
    ['', 1, 0x514e_28b7],
    ['', 0xffff_ffff, 0x81f1_6f39],
    ['\u{0}\u{0}\u{0}\u{0}', 0, 0x2362_f9de],
    ['a', 0x9747_b28c, 0x7fa0_9ea6],
    ['aa', 0x9747_b28c, 0x5d21_1726],
    ['aaa', 0x9747_b28c, 0x283e_0130],
    ['aaaa', 0x9747_b28c, 0x5a97_808a],
    ['abc', 0, 0xb3dd_93fa],
    ['Hello, world!', 0x9747_b28c, 0x2488_4cba],
    ['The quick brown fox jumps over the lazy dog', 0x9747_b28c, 0x2fa8_26cd],
  ])('of %j with seed %i is the published one', (text, seed, hash) => {
    expect(murmur3(encodeText(text), seed)).toBe(hash);
  });
});

describe('the hash of a metaobject', () => {
  test('is the same for the same bytes, wherever they lie', () => {
    const bytes = crypto.getRandomValues(new Uint8Array(1001));
    const wide = new Uint8Array(1200);
    wide.set(bytes, 7);
    expect(isSameHash(hashMetaObject(bytes), hashMetaObject(wide.subarray(7, 1008)))).toBe(true);
  });

  test('is another one when one bit or the length is', () => {
    const bytes = new Uint8Array(40);
    const seen = new Set([String(hashMetaObject(bytes)), String(hashMetaObject(bytes.subarray(1)))]);
    for (let bit = 0; bit < 320; bit += 1) {
      const other = bytes.slice();
      other[bit >> 3] = 1 << (bit & 7);
      seen.add(String(hashMetaObject(other)));
    }
    expect(seen.size).toBe(322);
    expect(isSameHash(hashMetaObject(bytes), new Uint8Array(0))).toBe(false);
  });
});

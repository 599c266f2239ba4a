// Every Crypto against the vectors of the standards, and against the others.
import { toHex } from '@qiway/protocol/hex';
import { concat } from '@qiway/protocol/secure/crypto';
import { Nonces } from '@qiway/protocol/secure/nonces';
import { describe, expect, test } from 'vitest';
import { cryptos, fromHex } from './cryptos.ts';

const bytes = (count: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, index) => (index * 131 + seed * 17 + 7) & 0xff);

/** Points of low order, RFC 7748 section 7: with them everybody knows the secret. */
const lowOrder = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
];

describe.each(cryptos)('$name', ({ crypto, agreementKey, identity }) => {
  test('agrees on secrets as in RFC 7748, section 6.1', async () => {
    const alice = await agreementKey(fromHex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'));
    const bob = await agreementKey(fromHex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'));
    expect(toHex(alice.publicKey)).toBe('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
    expect(toHex(bob.publicKey)).toBe('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
    const shared = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742';
    expect(toHex(await alice.agree(bob.publicKey))).toBe(shared);
    expect(toHex(await bob.agree(alice.publicKey))).toBe(shared);
  });

  test.each(lowOrder)('agrees with nobody on %s', async (point) => {
    const key = await crypto.makeAgreementKey();
    await expect((async () => key.agree(fromHex(point)))()).rejects.toThrow();
  });

  test('signs and verifies as in RFC 8032, section 7.1', async () => {
    const key = await identity(fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'));
    expect(toHex(key.publicKey)).toBe('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
    const message = Uint8Array.of(0x72);
    const signature = await key.sign(message);
    expect(toHex(signature)).toBe(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    );
    const { publicKey } = key;
    expect(await crypto.verify({ publicKey, message, signature })).toBe(true);
    expect(await crypto.verify({ publicKey, message: Uint8Array.of(0x73), signature })).toBe(false);
    const other = (await crypto.makeIdentity()).publicKey;
    expect(await crypto.verify({ publicKey: other, message, signature })).toBe(false);
  });

  test('what is no key or no signature verifies nothing, and throws nothing', async () => {
    const key = await crypto.makeIdentity();
    const message = bytes(40, 1);
    const signature = await key.sign(message);
    const publicKey = key.publicKey;
    for (const wrong of [new Uint8Array(0), bytes(31, 2), bytes(33, 3), new Uint8Array(32).fill(255)])
      expect(await crypto.verify({ publicKey: wrong, message, signature })).toBe(false);
    for (const wrong of [
      new Uint8Array(0),
      signature.subarray(1),
      concat(signature, bytes(1, 4)),
      new Uint8Array(64).fill(255),
    ])
      expect(await crypto.verify({ publicKey, message, signature: wrong })).toBe(false);
  });

  test('hashes as in FIPS 180', async () => {
    expect(toHex(await crypto.sha256(new TextEncoder().encode('abc')))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  test('derives as in RFC 5869, test case 3', async () => {
    const derived = await crypto.hkdf(new Uint8Array(0), new Uint8Array(22).fill(0x0b), 42);
    expect(toHex(derived)).toBe('8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8');
  });

  test('seals as in test case 16 of the GCM specification, whole and in parts', async () => {
    const key = await crypto.sealingKey(fromHex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308'));
    const nonce = fromHex('cafebabefacedbaddecaf888');
    const plain = fromHex(
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    );
    const associated = fromHex('feedfacedeadbeeffeedfacedeadbeefabaddad2');
    const expected =
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b';
    for (const parts of [
      [plain],
      [plain.subarray(0, 1), plain.subarray(1, 1), plain.subarray(1, 40), plain.subarray(40)],
    ])
      expect(toHex(concat(...(await key.seal(nonce, parts, associated))))).toBe(expected);
    expect(toHex((await key.open(nonce, fromHex(expected), associated)) as Uint8Array)).toBe(toHex(plain));
    expect(await key.open(nonce, fromHex(expected), new Uint8Array(0))).toBeUndefined();
    expect(await key.open(fromHex('cafebabefacedbaddecaf889'), fromHex(expected), associated)).toBeUndefined();
    for (const short of ['', '00', expected.slice(0, 30)])
      expect(await key.open(nonce, fromHex(short), associated)).toBeUndefined();
  });
});

describe.each(cryptos.flatMap((left) => cryptos.map((right) => ({ left, right }))))(
  'what $left.name makes, $right.name takes',
  ({ left, right }) => {
    test('agreements, signatures, sealed texts', async () => {
      const ours = await left.crypto.makeAgreementKey();
      const theirs = await right.crypto.makeAgreementKey();
      expect(toHex(await ours.agree(theirs.publicKey))).toBe(toHex(await theirs.agree(ours.publicKey)));
      const key = await left.crypto.makeIdentity();
      const message = bytes(100, 5);
      const { publicKey } = key;
      expect(await right.crypto.verify({ publicKey, message, signature: await key.sign(message) })).toBe(true);
      const secret = bytes(32, 6);
      const [seal, open] = [await left.crypto.sealingKey(secret), await right.crypto.sealingKey(secret)];
      const [sealNonces, openNonces] = [new Nonces(), new Nonces()];
      for (const size of [0, 1, 15, 16, 3072, 70_000]) {
        const parts = [bytes(size, 7), bytes(size >> 1, 8)];
        const sealed = concat(...(await seal.seal(sealNonces.next(), parts)));
        expect(sealed.length).toBe(size + (size >> 1) + 16);
        expect(toHex((await open.open(openNonces.next(), sealed)) as Uint8Array)).toBe(toHex(concat(...parts)));
      }
    });
  },
);

test('nonces count from 0, big endian behind four zero bytes, beyond 32 bits', () => {
  const nonces = new Nonces();
  const counted = Array.from({ length: 258 }, () => toHex(nonces.next()));
  expect([counted[0], counted[1], counted[257]]).toEqual([
    '000000000000000000000000',
    '000000000000000000000001',
    '000000000000000000000101',
  ]);
  const far = new Nonces(2 ** 32 + 1);
  expect(toHex(far.next())).toBe('000000000000000100000001');
});

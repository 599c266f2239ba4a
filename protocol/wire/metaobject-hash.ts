// A key for the bytes of a metaobject, so that who has kept them need not get them again. Layer 1; pure.
// It tells apart what differs by accident; it is no proof: who may lie about a metaobject may send one anyway.
import { writeUint32 } from './bytes.ts';

/** Any two numbers: two independent hashes of 32 bits are as good as one of 64. */
const SEEDS = [0, 0x9e37_79b9] as const;
const C1 = 0xcc9e_2d51;
const C2 = 0x1b87_3593;

/** 12 bytes: the length, and MurmurHash3 (x86, 32 bits) with two seeds; little endian. */
export function hashMetaObject(bytes: Uint8Array): Uint8Array {
  const hash = new Uint8Array(12);
  writeUint32(hash, 0, bytes.length);
  for (const [index, seed] of SEEDS.entries()) writeUint32(hash, 4 + 4 * index, murmur3(bytes, seed));
  return hash;
}

export function isSameHash(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/** MurmurHash3_x86_32 by Austin Appleby, who gave it to the public domain; as a number from 0 to 2^32 - 1. */
export function murmur3(bytes: Uint8Array, seed: number): number {
  const byte = (at: number): number => bytes[at] ?? 0;
  const tail = bytes.length & ~3;
  let hash = seed;
  for (let at = 0; at < tail; at += 4) {
    hash ^= mixed(byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24));
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe654_6b64) | 0;
  }
  hash ^= mixed(byte(tail) | (byte(tail + 1) << 8) | (byte(tail + 2) << 16));
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Nothing for 0, which an empty tail is. */
function mixed(word: number): number {
  const first = Math.imul(word, C1);
  return Math.imul((first << 15) | (first >>> 17), C2);
}

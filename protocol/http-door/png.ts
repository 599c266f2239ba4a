// Pixels as a PNG (W3C PNG, third edition), eight bits, grey or RGB. Pure: without somebody who deflates the pixels stay as large as
// they are, which costs nothing between a worker and its page.

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Bytes of a pixel: 1 grey, 3 red, green, blue. */
  readonly depth: 1 | 3;
  /** Row by row, without gaps. */
  readonly bytes: Uint8Array;
}

/** To the zlib format (RFC 1950). */
export type Deflate = (bytes: Uint8Array) => Promise<Uint8Array>;

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const COLOR_TYPE = { 1: 0, 3: 2 } as const;
/** Length, name and sum of a chunk. */
const CHUNK_OVERHEAD = 12;
/** The longest block that is stored as it is (RFC 1951, section 3.2.4). */
const MAX_STORED = 65_535;

export async function encodePng({ width, height, depth, bytes }: Pixels, deflate?: Deflate): Promise<Uint8Array> {
  const rowBytes = width * depth;
  const packed =
    deflate === undefined ? store(plainRows(bytes, rowBytes)) : await deflate(differenceRows(bytes, rowBytes, depth));
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header[8] = 8;
  header[9] = COLOR_TYPE[depth];
  const png = new Uint8Array(SIGNATURE.length + 3 * CHUNK_OVERHEAD + header.length + packed.length);
  png.set(SIGNATURE);
  let at = SIGNATURE.length;
  for (const [name, content] of [
    ['IHDR', header],
    ['IDAT', packed],
    ['IEND', new Uint8Array(0)],
  ] as const)
    at = writeChunk(png, at, { name, content });
  return png;
}

/** Each row behind its filter: 0, none. */
function plainRows(bytes: Uint8Array, rowBytes: number): Uint8Array {
  const rows = new Uint8Array(bytes.length + bytes.length / rowBytes);
  for (let from = 0, to = 0; from < bytes.length; from += rowBytes, to += rowBytes + 1)
    rows.set(bytes.subarray(from, from + rowBytes), to + 1);
  return rows;
}

/** Filter 1: each pixel as its difference from the one on its left, which makes pictures of cameras half as large. */
function differenceRows(bytes: Uint8Array, rowBytes: number, depth: number): Uint8Array {
  const rows = plainRows(bytes, rowBytes);
  for (let row = 0; row < rows.length; row += rowBytes + 1) {
    rows[row] = 1;
    for (let at = row + rowBytes; at > row + depth; at--)
      rows[at] = (rows[at] as number) - (rows[at - depth] as number);
  }
  return rows;
}

/** Returns where the next one begins. */
function writeChunk(png: Uint8Array, at: number, chunk: { name: string; content: Uint8Array }): number {
  const { name, content } = chunk;
  const view = new DataView(png.buffer);
  view.setUint32(at, content.length);
  for (let index = 0; index < 4; index++) png[at + 4 + index] = name.charCodeAt(index);
  png.set(content, at + 8);
  const end = at + 8 + content.length;
  view.setUint32(end, crc32(png.subarray(at + 4, end)));
  return end + 4;
}

/** The zlib format without any compression. */
function store(bytes: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(bytes.length / MAX_STORED));
  const packed = new Uint8Array(2 + blocks * 5 + bytes.length + 4);
  const view = new DataView(packed.buffer);
  view.setUint16(0, 0x7801);
  let at = 2;
  for (let block = 0; block < blocks; block++) {
    const content = bytes.subarray(block * MAX_STORED, (block + 1) * MAX_STORED);
    packed[at] = block === blocks - 1 ? 1 : 0;
    view.setUint16(at + 1, content.length, true);
    view.setUint16(at + 3, ~content.length & 0xffff, true);
    packed.set(content, at + 5);
    at += 5 + content.length;
  }
  view.setUint32(at, adler32(bytes));
  return packed;
}

/** Additions after which the sums of Adler-32 still fit 32 bits (RFC 1950). */
const ADLER_RUN = 5552;
const ADLER_MODULUS = 65_521;

function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (let from = 0; from < bytes.length; from += ADLER_RUN) {
    const to = Math.min(from + ADLER_RUN, bytes.length);
    for (let at = from; at < to; at++) {
      low += bytes[at] as number;
      high += low;
    }
    low %= ADLER_MODULUS;
    high %= ADLER_MODULUS;
  }
  return ((high << 16) | low) >>> 0;
}

/** Of each byte (PNG, annex D). */
const CRC_TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? 0xedb88320 ^ (sum >>> 1) : sum >>> 1;
  return sum;
});

function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (let at = 0; at < bytes.length; at++)
    sum = (CRC_TABLE[(sum ^ (bytes[at] as number)) & 0xff] as number) ^ (sum >>> 8);
  return ~sum >>> 0;
}

// Reading and writing numbers, strings and raw bytes, little endian, bounds checked. Layer 1; knows no signatures.
// Fields are read byte by byte: making a DataView per payload costs more than a small payload takes to read.
import { MAX_FREE_CONTAINERS, MAX_PAYLOAD_BYTES } from './limits.ts';
import { limitExceeded, wireInvalid } from './wire-errors.ts';

// ignoreBOM: a leading U+FEFF is part of the string. fatal: what is not UTF-8 must stay bytes.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
/** Scratch for floats and 64-bit integers; never holds anything between two calls. */
const scratch = new DataView(new ArrayBuffer(8));
/** Below this many bytes a loop beats a call of TextEncoder or TextDecoder. */
const SHORT_STRING = 24;
/** Above this many characters a copy costs less than room for the worst case. */
const LONG_STRING = 4096;

/** Byte `at` of `bytes`; the caller has checked that it exists. */
function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

/** Reads an unsigned 32-bit integer; the caller has checked the bounds. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return (
    (byte(bytes, at) | (byte(bytes, at + 1) << 8) | (byte(bytes, at + 2) << 16) | (byte(bytes, at + 3) << 24)) >>> 0
  );
}

/** Writes the low 32 bits of `value`; the caller has checked the bounds. */
export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** UTF-8 of a well-formed string. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Reads one payload from front to back. Every method throws wire-invalid at the end of the bytes. */
export class ByteReader {
  readonly bytes: Uint8Array;
  /** Next byte to read. */
  offset: number;
  /** Levels of nesting that dynamics around the current value have used; 0 outside any dynamic. */
  depth = 0;
  #containersLeft: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes;
    this.offset = offset;
    this.#containersLeft = bytes.length + MAX_FREE_CONTAINERS;
  }

  get left(): number {
    return this.bytes.length - this.offset;
  }

  /** Passes over `count` bytes; returns where they begin. */
  take(count: number): number {
    const start = this.offset;
    if (count > this.bytes.length - start) {
      throw wireInvalid(`the payload ends too early: ${count} bytes wanted, ${this.bytes.length - start} left.`, start);
    }
    this.offset = start + count;
    return start;
  }

  uint8(): number {
    return byte(this.bytes, this.take(1));
  }

  uint16(): number {
    const at = this.take(2);
    return byte(this.bytes, at) | (byte(this.bytes, at + 1) << 8);
  }

  uint32(): number {
    return readUint32(this.bytes, this.take(4));
  }

  int64(): bigint {
    this.#load64();
    return scratch.getBigInt64(0, true);
  }

  uint64(): bigint {
    this.#load64();
    return scratch.getBigUint64(0, true);
  }

  float32(): number {
    scratch.setUint32(0, this.uint32(), true);
    return scratch.getFloat32(0, true);
  }

  float64(): number {
    this.#load64();
    return scratch.getFloat64(0, true);
  }

  /** `count` bytes, as a view of the input. */
  view(count: number): Uint8Array {
    const start = this.take(count);
    return this.bytes.subarray(start, start + count);
  }

  /** Length and bytes, as a view of the input. */
  raw(): Uint8Array {
    return this.view(this.uint32());
  }

  /** Length and text; the bytes themselves (a view) where they are not UTF-8. */
  string(): string | Uint8Array {
    const length = this.uint32();
    const start = this.take(length);
    if (length <= SHORT_STRING) {
      let text = '';
      let at = start;
      for (; at < this.offset; at++) {
        const code = byte(this.bytes, at);
        if (code > 0x7f) break;
        text += String.fromCharCode(code);
      }
      if (at === this.offset) return text;
    }
    const view = this.bytes.subarray(start, this.offset);
    try {
      return decoder.decode(view);
    } catch {
      return view;
    }
  }

  /** A count of elements of at least `minBytes` each, refused at once when the bytes left cannot hold them. */
  count(minBytes: number): number {
    const at = this.offset;
    const count = this.uint32();
    if (minBytes === 0) this.enter(count);
    else if (count * minBytes > this.left)
      throw wireInvalid(`a count of ${count} does not fit the ${this.left} bytes left.`, at);
    return count;
  }

  /** To be called before containers are made: they are bounded by the bytes of the payload. @throws limit-exceeded */
  enter(containers = 1): void {
    this.#containersLeft -= containers;
    if (this.#containersLeft < 0) {
      throw limitExceeded(
        'a payload holds too many containers for its size',
        'MAX_FREE_CONTAINERS',
        MAX_FREE_CONTAINERS,
      );
    }
  }

  #load64(): void {
    const at = this.take(8);
    scratch.setUint32(0, readUint32(this.bytes, at), true);
    scratch.setUint32(4, readUint32(this.bytes, at + 4), true);
  }
}

/** Collects one payload. Grows as needed, up to MAX_PAYLOAD_BYTES. */
export class ByteWriter {
  #bytes: Uint8Array;
  /** Bytes written; set back to undo. */
  length = 0;
  /** Levels of nesting that dynamics around the current value have used. */
  depth = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  get capacity(): number {
    return this.#bytes.length;
  }

  /** What was written: a copy that nothing else refers to. */
  copy(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }

  /** What was written, without a copy: valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  uint8(value: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
  }

  uint16(value: number): void {
    const at = this.#reserve(2);
    this.#bytes[at] = value;
    this.#bytes[at + 1] = value >>> 8;
  }

  /** The low 32 bits, signed or not. */
  uint32(value: number): void {
    const at = this.#reserve(4);
    writeUint32(this.#bytes, at, value);
  }

  /** The low 64 bits, signed or not. */
  uint64(value: bigint): void {
    scratch.setBigUint64(0, BigInt.asUintN(64, value), true);
    this.#store64();
  }

  float32(value: number): void {
    scratch.setFloat32(0, value, true);
    this.uint32(scratch.getUint32(0, true));
  }

  float64(value: number): void {
    scratch.setFloat64(0, value, true);
    this.#store64();
  }

  /** The bytes alone, without a length. */
  bytes(value: Uint8Array): void {
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
  }

  /** Length and bytes. */
  raw(value: Uint8Array): void {
    this.uint32(value.length);
    this.bytes(value);
  }

  /** Length and UTF-8. The caller has made sure that the text is well formed, or accepts U+FFFD. */
  string(text: string): void {
    const { length } = text;
    if (length <= SHORT_STRING) {
      const at = this.#reserve(4 + length);
      const bytes = this.#bytes;
      let index = 0;
      for (; index < length; index++) {
        const code = text.charCodeAt(index);
        if (code > 0x7f) break;
        bytes[at + 4 + index] = code;
      }
      if (index === length) {
        writeUint32(bytes, at, length);
        return;
      }
      this.length = at;
    }
    if (length > LONG_STRING) {
      this.raw(encoder.encode(text));
      return;
    }
    // A UTF-16 unit takes at most three bytes.
    const at = this.#reserve(4 + length * 3);
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(at + 4));
    writeUint32(this.#bytes, at, written);
    this.length = at + 4 + written;
  }

  #reserve(count: number): number {
    const at = this.length;
    const needed = at + count;
    if (needed > this.#bytes.length) {
      if (needed > MAX_PAYLOAD_BYTES) {
        throw limitExceeded(`a payload of ${needed} bytes`, 'MAX_PAYLOAD_BYTES', MAX_PAYLOAD_BYTES);
      }
      const larger = new Uint8Array(Math.max(needed, Math.min(this.#bytes.length * 2, MAX_PAYLOAD_BYTES)));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    this.length = needed;
    return at;
  }

  #store64(): void {
    const at = this.#reserve(8);
    writeUint32(this.#bytes, at, scratch.getUint32(0, true));
    writeUint32(this.#bytes, at + 4, scratch.getUint32(4, true));
  }
}

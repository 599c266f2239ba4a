// The small frames of one turn, one after the other, as one transport message. Layer 5; it knows no numbers.
// The transport and the replay keep what they are given, so each batch is written behind the one before, into memory that
// small ones share.
import { emptyFrameHeader, FRAME_HEADER_BYTES, type FrameHeader, writeFrameHeader } from '../wire/link-frame.ts';

/** Memory of a session that has hardly begun, and at least, later. */
const FIRST_MEMORY_BYTES = 1024;
const MEMORY_BYTES = 4096;
/** What is left is given up when it is less than this, or than the last batch. */
const LEAST_ROOM_BYTES = 256;
/** What a batch that is kept costs beside its bytes. */
const KEPT_BATCH_BYTES = 192;

/** Where a frame goes. */
export interface FrameAddress {
  readonly id: number;
  readonly service: number;
  readonly object: number;
  readonly action: number;
}

export interface FrameKind {
  readonly type: number;
  readonly flags: number;
  /** Default 0: a whole message. */
  readonly stream?: number;
}

export interface TakenBatch {
  readonly bytes: Uint8Array;
  /** Numbered frames in it. */
  readonly frames: number;
  /** Memory that stays because of it. */
  readonly memoryBytes: number;
}

export class Batch {
  readonly #frame: FrameHeader = emptyFrameHeader();
  #memory: Uint8Array = new Uint8Array(FIRST_MEMORY_BYTES);
  #start = 0;
  #length = 0;
  #frames = 0;
  /** Memory that was given up since the last batch. */
  #wastedBytes = 0;

  get bytes(): number {
    return this.#length;
  }

  /** May a frame with such a body join a batch of at most so many bytes, or is it for the next one? */
  fits(bodyBytes: number, mostBytes: number): boolean {
    return this.#length === 0 || this.#length + FRAME_HEADER_BYTES + bodyBytes <= mostBytes;
  }

  /** A frame that has a number. */
  add(kind: FrameKind, address: FrameAddress, body: Uint8Array): void {
    this.#append(kind, address, body);
    this.#frames += 1;
  }

  addControl(type: number, id: number, body: Uint8Array): void {
    this.#append({ type, flags: 0 }, { id, service: 0, object: 0, action: 0 }, body);
  }

  /** What there is; the next batch begins. */
  take(): TakenBatch | undefined {
    const length = this.#length;
    if (length === 0) return undefined;
    const bytes = this.#memory.subarray(this.#start, this.#start + length);
    const taken = { bytes, frames: this.#frames, memoryBytes: length + this.#wastedBytes + KEPT_BATCH_BYTES };
    this.#start += length;
    this.#length = 0;
    this.#frames = 0;
    this.#wastedBytes = 0;
    if (this.#memory.length - this.#start < Math.max(LEAST_ROOM_BYTES, length)) this.#renew(length);
    return taken;
  }

  clear(): void {
    this.#length = 0;
    this.#frames = 0;
  }

  #append({ type, flags, stream = 0 }: FrameKind, address: FrameAddress, body: Uint8Array): void {
    const start = this.#reserve(FRAME_HEADER_BYTES + body.length);
    const frame = this.#frame;
    frame.size = body.length;
    frame.type = type;
    frame.flags = flags;
    frame.stream = stream;
    frame.id = address.id;
    frame.service = address.service;
    frame.object = address.object;
    frame.action = address.action;
    writeFrameHeader(this.#memory, start, frame);
    this.#memory.set(body, start + FRAME_HEADER_BYTES);
  }

  /** Room at the end of the batch; returns where it begins. */
  #reserve(bytes: number): number {
    const length = this.#length;
    const needed = length + bytes;
    if (this.#start + needed > this.#memory.length) {
      const written = this.#memory.subarray(this.#start, this.#start + length);
      this.#renew(Math.max(needed, length * 2));
      this.#memory.set(written);
    }
    this.#length = needed;
    return this.#start + length;
  }

  #renew(bytes: number): void {
    this.#wastedBytes += this.#memory.length - this.#start;
    this.#memory = new Uint8Array(Math.max(bytes, MEMORY_BYTES));
    this.#start = 0;
  }
}

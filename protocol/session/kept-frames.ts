// Numbered frames that the other side has not acknowledged, as they were given to the transport: batches, and pieces of
// bulk. Layer 5. They are kept by reference; nothing is copied and nothing encoded again.
import { QiwayError } from '../errors.ts';
import {
  emptyFrameHeader,
  FIRST_CONTROL,
  FRAME_HEADER_BYTES,
  FrameFlags,
  type FrameHeader,
  NOTHING,
  readFrameHeader,
  writeFrameHeader,
} from '../wire/link-frame.ts';
import { MessageType } from '../wire/message.ts';

/** What one transport message held. */
interface Kept {
  /** Numbered frames in it. */
  readonly frames: number;
  /** A batch; or, with `body`, the header of one frame of bulk. */
  bytes: Uint8Array;
  body: Uint8Array | undefined;
  /** Memory that stays because of it. */
  memoryBytes: number;
  /** What it counts in the window of bulk. */
  bulkBytes: number;
  /** When it was first given to a transport, a piece: when its message was asked for; undefined: not yet. */
  sentMs: number | undefined;
}

/** One transport message of a replay. */
interface Replayed {
  readonly parts: readonly [Uint8Array, Uint8Array?];
  readonly bulkBytes: number;
}

/** Of one message of a replay, as far as frames are not longer: nothing is known of the path yet, and it may be slow. */
const REPLAY_BYTES = 32 * 1024;
/** Entries given up at the front before the array is moved up. */
const COMPACT_AT = 1024;

export class KeptFrames {
  readonly #frame = emptyFrameHeader();
  #entries: Kept[] = [];
  /** Of the oldest entry that is still kept. */
  #head = 0;
  /** Number of the last frame before the oldest entry, and of the last one given. */
  #before = 0;
  #last = 0;
  #bytes = 0;
  #batchBytes = 0;

  /** Memory that is kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Of batches alone. */
  get batchBytes(): number {
    return this.#batchBytes;
  }

  /** Number of the last frame that was forgotten. */
  get first(): number {
    return this.#before;
  }

  /** Number of the last frame given. */
  get last(): number {
    return this.#last;
  }

  add(kept: Kept): void {
    this.#entries.push(kept);
    this.#last += kept.frames;
    this.#count(kept, 1);
  }

  reset(): void {
    this.#entries = [];
    this.#head = 0;
    this.#before = 0;
    this.#last = 0;
    this.#bytes = 0;
    this.#batchBytes = 0;
  }

  /**
   * Forgets what the other side has: everything up to `received`, a number modulo 2^32. One that is known already says
   * nothing new.
   * @returns bytes of bulk among it @throws `wire-invalid` for a number that was not sent
   */
  confirm(received: number): number {
    const fresh = (received - this.#before) >>> 0;
    if (fresh >= 0x8000_0000) return 0;
    if (fresh > this.#last - this.#before)
      throw new QiwayError('wire-invalid', `Frame ${received} is acknowledged, and was not sent.`);
    let left = fresh;
    let bulkBytes = 0;
    for (;;) {
      const oldest = this.#entries[this.#head];
      if (oldest === undefined || oldest.frames > left) break;
      left -= oldest.frames;
      this.#before += oldest.frames;
      this.#count(oldest, -1);
      bulkBytes += oldest.bulkBytes;
      this.#entries[this.#head] = GIVEN_UP;
      this.#head += 1;
    }
    if (this.#head === this.#entries.length || this.#head > COMPACT_AT) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
    return bulkBytes;
  }

  /** The number after which to go on, for a side that has everything up to `received`: it may have told more meanwhile. */
  startAfter(received: number): number {
    this.confirm(received);
    const more = (received - this.#before) >>> 0;
    return more < 0x8000_0000 ? this.#before + more : this.#before;
  }

  /** What comes after frame `start`, which `startAfter` gave. */
  *replay(start: number, nowMs: number): Generator<Replayed> {
    // A batch may be confirmed in part.
    let skip = start - this.#before;
    for (let index = this.#head; index < this.#entries.length; index += 1) {
      const kept = this.#entries[index] as Kept;
      kept.sentMs ??= nowMs;
      if (kept.body !== undefined) yield { parts: [kept.bytes, kept.body], bulkBytes: kept.bulkBytes };
      else {
        for (const bytes of this.#numbered(kept.bytes, skip)) yield { parts: [bytes], bulkBytes: kept.bulkBytes };
      }
      skip = 0;
    }
  }

  /** Puts `nothing` in the place of calls and posts, of those given to a transport before `beforeMs`; returns the headers they had. */
  withdraw(matches: (frame: Readonly<FrameHeader>) => boolean, beforeMs?: number): FrameHeader[] {
    const withdrawn: FrameHeader[] = [];
    /** By stream, what is kept of a message in pieces so far. */
    const pieces = new Map<number, Kept[]>();
    for (let index = this.#head; index < this.#entries.length; index += 1) {
      const kept = this.#entries[index] as Kept;
      if (beforeMs !== undefined && (kept.sentMs ?? beforeMs) >= beforeMs) continue;
      for (const at of this.#offsets(kept.bytes, kept.body !== undefined)) {
        const frame = readFrameHeader(kept.bytes, at, this.#frame);
        const isAsked = frame.type === MessageType.call || frame.type === MessageType.post;
        if (!isAsked || !matches(frame)) continue;
        if (frame.stream !== 0) {
          const ofStream = pieces.get(frame.stream) ?? [];
          pieces.set(frame.stream, ofStream);
          ofStream.push(kept);
          // Of one whose last piece has not gone its owner tells that it ends.
          if ((frame.flags & FrameFlags.fragment) !== 0) continue;
          for (const piece of ofStream) this.#empty(piece, piece === kept ? frame.stream : 0);
          pieces.delete(frame.stream);
        } else if (kept.body !== undefined) this.#empty(kept);
        else {
          kept.bytes[at + 4] = NOTHING;
          kept.bytes[at + 5] = 0;
        }
        withdrawn.push({ ...frame });
      }
    }
    return withdrawn;
  }

  /** Ids of calls in what no transport was given. */
  neverSent(): Set<number> {
    const ids = new Set<number>();
    for (let index = this.#head; index < this.#entries.length; index += 1) {
      const { sentMs, bytes, body } = this.#entries[index] as Kept;
      if (sentMs !== undefined) continue;
      for (const at of this.#offsets(bytes, body !== undefined)) {
        const { type, id } = readFrameHeader(bytes, at, this.#frame);
        if (type === MessageType.call) ids.add(id);
      }
    }
    return ids;
  }

  /**
   * A frame of bulk becomes one of nothing; the window got its bytes, so they count until it is confirmed.
   * @param stream ends with it, at the side that has a part of it
   */
  #empty(kept: Kept, stream = 0): void {
    this.#count(kept, -1);
    kept.bytes = new Uint8Array(FRAME_HEADER_BYTES);
    kept.body = undefined;
    kept.memoryBytes = FRAME_HEADER_BYTES;
    writeFrameHeader(kept.bytes, 0, { ...emptyFrameHeader(), type: NOTHING, stream });
    this.#count(kept, 1);
  }

  #count({ body, memoryBytes }: Kept, sign: 1 | -1): void {
    if (body === undefined) this.#batchBytes += sign * memoryBytes;
    this.#bytes += sign * memoryBytes;
  }

  /** The numbered frames of a batch after the first `skip` of them: views of it, each of as many as may go in one message. */
  *#numbered(batch: Uint8Array, skip: number): Generator<Uint8Array> {
    let from = 0;
    let to = 0;
    let count = 0;
    for (const at of this.#offsets(batch, false)) {
      const { type, flags, size } = readFrameHeader(batch, at, this.#frame);
      if (type >= FIRST_CONTROL || (flags & FrameFlags.lossy) !== 0) continue;
      count += 1;
      if (count <= skip) continue;
      const end = at + FRAME_HEADER_BYTES + size;
      if (to !== at || end - from > REPLAY_BYTES) {
        if (to > from) yield batch.subarray(from, to);
        from = at;
      }
      to = end;
    }
    if (to > from) yield batch.subarray(from, to);
  }

  /** Where the frames begin. */
  *#offsets(bytes: Uint8Array, isOne: boolean): Generator<number> {
    for (let at = 0; at < bytes.length; ) {
      const { size } = readFrameHeader(bytes, at, this.#frame);
      yield at;
      if (isOne) return;
      at += FRAME_HEADER_BYTES + size;
    }
  }
}

const GIVEN_UP: Kept = {
  frames: 0,
  bytes: new Uint8Array(0),
  body: undefined,
  memoryBytes: 0,
  bulkBytes: 0,
  sentMs: undefined,
};

// Messages that go in pieces: those that wait, those of which a part is sent, and what waits behind them because it is of
// the same object. Layer 5; when a piece may go is its owner's business. See docs/link-protocol.md section 6.
import { AddressTable } from '../bus/address-table.ts';
import { writeUint32 } from '../wire/bytes.ts';
import { FRAME_HEADER_BYTES, FrameFlags, type FrameHeader, writeFrameHeader } from '../wire/link-frame.ts';
import { type MessageHeader, MessageType } from '../wire/message.ts';
import { SMALLEST_PIECE_BYTES } from './bulk-window.ts';

/** Largest piece, far enough below the bound of a batch; a megabyte of raw data and its length go whole. */
const MAX_PIECE_BYTES = 1024 * 1024 + 4096;
const MAX_STREAM_NUMBER = 0xffff;
/** Messages on their way in fragments at once; the receiver holds their parts, so the others wait here. */
export const MAX_OPEN_STREAMS: number = 8;
/** What a message that waits costs beside its payload, which may be empty. */
export const HELD_COST = 256;

export interface Message {
  readonly header: MessageHeader;
  readonly payload: Uint8Array;
  /** When it was asked for. */
  readonly atMs: number;
}

/** A message on its way in fragments. */
interface Stream {
  readonly header: FrameHeader;
  readonly flags: number;
  readonly payload: Uint8Array;
  readonly atMs: number;
  sent: number;
}

/** What waits behind a message in fragments of the same object. */
interface Held {
  readonly isEvent: boolean;
  readonly waiting: Message[];
}

/** One frame of a large message. The body is a view, not a copy. */
export interface Piece {
  readonly header: Uint8Array;
  readonly body: Uint8Array;
  /** When its message was asked for. */
  readonly atMs: number;
  /** What the window counts. */
  readonly bulkBytes: number;
  /** Memory that is free when it is acknowledged: each piece keeps the whole message, so it is the last one's. */
  readonly memoryBytes: number;
  /** What waited for the end of this message, in order. */
  readonly freed: readonly Message[];
}

const NOTHING_FREED: readonly Message[] = [];

export class LargeMessages {
  #maxMessageBytes: number;
  /** Not begun, and those of which a part is sent. */
  #queue: Stream[] = [];
  #open: Stream[] = [];
  #openBytes = 0;
  #held = new AddressTable<Held>();
  #waitingBytes = 0;
  #eventBytes = 0;
  #nextStream = 0;

  /** @param maxMessageBytes of all unfinished ones at the receiver together */
  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  limitMessages(maxBytes: number): void {
    this.#maxMessageBytes = maxBytes;
  }

  /** Of messages whose last piece has not gone, and of what waits behind them. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Of events among them, what has not gone. */
  get eventBytes(): number {
    return this.#eventBytes;
  }

  /** Must it wait for the end of a large message of its object? */
  mustWait({ type, service, object }: MessageHeader): boolean {
    if (this.#held.size === 0) return false;
    const held = this.#held.get(service, object);
    return held !== undefined && (isOrdered(type) || type === MessageType.cancel || held.isEvent);
  }

  /** One that must wait. */
  hold({ header, payload, atMs }: Message): void {
    const cost = HELD_COST + payload.length;
    this.#held.get(header.service, header.object)?.waiting.push({ header: { ...header }, payload, atMs });
    this.#waitingBytes += cost;
    if (header.type === MessageType.event) this.#eventBytes += cost;
  }

  add({ header, payload, atMs }: Message): void {
    const { type, flags, service, object } = header;
    this.#queue.push({ header: asFrame(header), flags, payload, atMs, sent: 0 });
    this.#waitingBytes += payload.length;
    if (type === MessageType.event) this.#eventBytes += payload.length;
    if (isOrdered(type)) this.#held.set(service, object, { isEvent: type === MessageType.event, waiting: [] });
  }

  /** Is there a piece to go? */
  get hasNext(): boolean {
    return this.#open.length > 0 || this.#queue.length > 0;
  }

  /** The next piece, of each message in turn; of `mostBytes`, or the least there may be. Only while {@link hasNext}. */
  next(mostBytes: number): Piece {
    this.#openNext();
    const stream = this.#open.shift() as Stream;
    const { header, payload, atMs, sent } = stream;
    const size = Math.min(payload.length - sent, Math.max(SMALLEST_PIECE_BYTES, Math.min(mostBytes, MAX_PIECE_BYTES)));
    const isWhole = size === payload.length;
    const prefix = sent === 0 && !isWhole ? 4 : 0;
    const bytes = new Uint8Array(FRAME_HEADER_BYTES + prefix);
    header.size = prefix + size;
    if (isWhole) header.stream = 0;
    header.flags = sent + size < payload.length ? stream.flags | FrameFlags.fragment : stream.flags;
    writeFrameHeader(bytes, 0, header);
    if (prefix > 0) writeUint32(bytes, FRAME_HEADER_BYTES, payload.length);
    stream.sent += size;
    const isLast = stream.sent === payload.length;
    if (header.type === MessageType.event) this.#eventBytes -= size;
    const piece = { header: bytes, body: payload.subarray(sent, sent + size), atMs, bulkBytes: prefix + size };
    if (!isLast) {
      this.#open.push(stream);
      return { ...piece, memoryBytes: bytes.length, freed: NOTHING_FREED };
    }
    this.#waitingBytes -= payload.length;
    this.#openBytes -= payload.length;
    return { ...piece, memoryBytes: bytes.length + payload.length, freed: this.#end(header) };
  }

  /** Takes out calls and posts asked for before `beforeMs`, if it is given, that are not sent whole: their headers, and what waited for them. */
  withdraw(
    matches: (frame: Readonly<FrameHeader>) => boolean,
    beforeMs: number = Number.POSITIVE_INFINITY,
  ): {
    readonly withdrawn: Readonly<FrameHeader>[];
    /** Streams of which a part is sent: the other side is to be told that they end. */
    readonly brokenOff: readonly number[];
    readonly freed: readonly Message[];
  } {
    const withdrawn: Readonly<FrameHeader>[] = [];
    const isTaken = ({ header, atMs }: { readonly header: Readonly<FrameHeader>; readonly atMs: number }): boolean =>
      isAsked(header.type) && atMs < beforeMs && matches(header);
    // What waits behind a large message first: it is freed with that one.
    for (const held of this.#held.entries()) {
      for (const message of held.waiting.splice(0)) {
        const header = asFrame(message.header);
        if (!isTaken({ header, atMs: message.atMs })) held.waiting.push(message);
        else {
          withdrawn.push(header);
          this.#waitingBytes -= HELD_COST + message.payload.length;
        }
      }
    }
    const begun = this.#open.filter(isTaken);
    const taken = [...begun, ...this.#queue.filter(isTaken)];
    this.#open = this.#open.filter((stream) => !taken.includes(stream));
    this.#queue = this.#queue.filter((stream) => !taken.includes(stream));
    for (const { payload } of begun) this.#openBytes -= payload.length;
    const brokenOff = begun.filter(({ sent }) => sent > 0).map(({ header }) => header.stream);
    const freed = taken.flatMap(({ header, payload }) => {
      withdrawn.push({ ...header });
      this.#waitingBytes -= payload.length;
      return this.#end(header);
    });
    return { withdrawn, brokenOff, freed };
  }

  /** Adds the ids of calls of which nothing has gone. */
  collectCalls(into: Set<number>): void {
    for (const { header } of this.#queue) if (header.type === MessageType.call) into.add(header.id);
    for (const { waiting } of this.#held.entries())
      for (const { header } of waiting) if (header.type === MessageType.call) into.add(header.id);
  }

  clear(): void {
    this.#queue = [];
    this.#open = [];
    this.#openBytes = 0;
    this.#held = new AddressTable();
    this.#waitingBytes = 0;
    this.#eventBytes = 0;
  }

  /** Begins waiting messages as far as the receiver's bounds for unfinished ones go; at least one. */
  #openNext(): void {
    while (this.#open.length < MAX_OPEN_STREAMS) {
      const next = this.#queue[0];
      if (next === undefined) return;
      if (this.#openBytes > 0 && this.#openBytes + next.payload.length > this.#maxMessageBytes) return;
      this.#queue.shift();
      this.#nextStream = this.#nextStream >= MAX_STREAM_NUMBER ? 1 : this.#nextStream + 1;
      next.header.stream = this.#nextStream;
      this.#openBytes += next.payload.length;
      this.#open.push(next);
    }
  }

  /** What waited for the end of this message. The first of it may be large itself, and the rest waits again. */
  #end({ type, service, object }: Readonly<FrameHeader>): readonly Message[] {
    if (!isOrdered(type)) return NOTHING_FREED;
    const waiting = this.#held.delete(service, object)?.waiting ?? NOTHING_FREED;
    for (const { header, payload } of waiting) {
      const cost = HELD_COST + payload.length;
      this.#waitingBytes -= cost;
      if (header.type === MessageType.event) this.#eventBytes -= cost;
    }
    return waiting;
  }
}

/** Messages that keep their order with others of the same object. */
function isOrdered(type: number): boolean {
  return (
    type === MessageType.call || type === MessageType.post || type === MessageType.event || type >= MessageType.gap
  );
}

/** What asks the other side to do something. */
export function isAsked(type: number): boolean {
  return type === MessageType.call || type === MessageType.post;
}

function asFrame({ id, type, flags, service, object, action }: MessageHeader): FrameHeader {
  return { size: 0, type, flags, stream: 0, id, service, object, action };
}

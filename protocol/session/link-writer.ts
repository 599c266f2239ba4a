// The sending half of a link: batches small frames of one turn, cuts large messages into fragments, keeps the order of
// each object. Layer 5; it knows neither handshake nor heartbeat. See docs/link-protocol.md sections 2 and 5.

import { AddressTable } from '../bus/address-table.ts';
import type { Clock } from '../clock.ts';
import { overLimit, type QiwayError } from '../errors.ts';
import { writeUint32 } from '../wire/bytes.ts';
import {
  emptyFrameHeader,
  FRAME_HEADER_BYTES,
  FrameFlags,
  type FrameHeader,
  writeFrameHeader,
} from '../wire/link-frame.ts';
import { type MessageHeader, MessageType } from '../wire/message.ts';
import { BulkWindow } from './bulk-window.ts';
import type { Transport } from './transport.ts';

/** Bodies above this are bulk: they give way to small frames and are cut as the path needs, never below this. */
export const FRAGMENT_BYTES: number = 64 * 1024;
/** A batch is closed when it reaches this. */
const BATCH_BYTES = 256 * 1024;
const FIRST_BATCH_BYTES = 1024;
/** Largest piece, far enough below the bound of a batch; a megabyte of raw data and its length go whole. */
const MAX_PIECE_BYTES = 1024 * 1024 + 4096;
const NOTHING = new Uint8Array(0);
const MAX_STREAM_NUMBER = 0xffff;
/** Messages on their way in fragments at once; the receiver holds their parts, so the others wait here. */
export const MAX_OPEN_STREAMS: number = 8;

/** A message on its way in fragments. */
interface Stream {
  readonly header: FrameHeader;
  readonly flags: number;
  readonly payload: Uint8Array;
  sent: number;
}

/** What waits behind a message in fragments of the same object. */
interface Held {
  readonly isEvent: boolean;
  readonly waiting: { readonly header: MessageHeader; readonly payload: Uint8Array }[];
}

export interface LinkWriterOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** Runs `flush` once the current turn is over. */
  readonly schedule: (flush: () => void) => void;
  /** Bytes that may wait here and in the transport; one message alone may be larger. */
  readonly maxQueuedBytes: number;
  /** Of one message, and of all unfinished ones at the receiver. */
  readonly maxMessageBytes: number;
}

export class LinkWriter {
  readonly #transport: Transport;
  readonly #window: BulkWindow;
  readonly #schedule: (flush: () => void) => void;
  readonly #maxQueuedBytes: number;
  readonly #maxMessageBytes: number;
  readonly #frame: FrameHeader = emptyFrameHeader();
  readonly #flush = (): void => this.#flushNow();
  /** Large messages not begun, and those of which a part is sent. */
  readonly #queue: Stream[] = [];
  readonly #open: Stream[] = [];
  #openBytes = 0;
  #held = new AddressTable<Held>();
  #batch: Uint8Array = new Uint8Array(FIRST_BATCH_BYTES);
  #batchLength = 0;
  #waitingBytes = 0;
  #nextStream = 0;
  #isScheduled = false;
  #hasRoom = true;
  #isClosed = false;
  /** Something was sent since this was last reset: no heartbeat is needed. */
  hasSent = false;

  constructor(options: LinkWriterOptions) {
    this.#transport = options.transport;
    this.#window = new BulkWindow(options.clock);
    this.#schedule = options.schedule;
    this.#maxQueuedBytes = options.maxQueuedBytes;
    this.#maxMessageBytes = options.maxMessageBytes;
  }

  /** Bytes not yet handed to the network, as far as is known. */
  get queuedBytes(): number {
    return this.#waitingBytes + this.#batchLength + this.#transport.bufferedBytes;
  }

  /** @throws `limit-exceeded` when the other side reads too slowly for what is sent */
  send(header: MessageHeader, payload: Uint8Array): void {
    if (this.#isClosed) return;
    if (this.#held.size > 0 && this.#hold(header, payload)) return;
    if (payload.length > FRAGMENT_BYTES) this.#startStream(header, payload);
    else {
      // Once a batch: with the first of a turn, too.
      if (this.#batchLength === 0 || this.#batchLength + payload.length > BATCH_BYTES) this.#checkBound();
      this.#append(header.type, header.flags, header, payload);
    }
    this.#wake();
  }

  /** Control frames overtake everything that is not in the transport yet. Not bounded here: a goodbye must always go. */
  control(type: number, id: number, body: Uint8Array): void {
    if (this.#isClosed) return;
    this.#append(type, 0, { id, service: 0, object: 0, action: 0 }, body);
    this.#wake();
  }

  /** The transport has room again. */
  drained(): void {
    this.#hasRoom = true;
    this.#sendFragments();
  }

  /** The other side has so many bytes of fragments, modulo 2^32. */
  acknowledged(count: number): void {
    this.#window.acknowledged(count);
    this.#sendFragments();
  }

  /** Hands over what is batched; used before a close. */
  flush(): void {
    this.#flushNow();
  }

  close(): void {
    this.#isClosed = true;
    this.#queue.length = 0;
    this.#open.length = 0;
    this.#held = new AddressTable();
    this.#waitingBytes = 0;
    this.#batchLength = 0;
  }

  #append(
    type: number,
    flags: number,
    address: { readonly id: number; readonly service: number; readonly object: number; readonly action: number },
    body: Uint8Array,
  ): void {
    const start = this.#reserve(FRAME_HEADER_BYTES + body.length);
    this.#writeHeader(start, { type, flags, stream: 0, size: body.length }, address);
    this.#batch.set(body, start + FRAME_HEADER_BYTES);
  }

  #writeHeader(
    at: number,
    kind: { readonly type: number; readonly flags: number; readonly stream: number; readonly size: number },
    address: { readonly id: number; readonly service: number; readonly object: number; readonly action: number },
  ): void {
    const frame = this.#frame;
    frame.size = kind.size;
    frame.type = kind.type;
    frame.flags = kind.flags;
    frame.stream = kind.stream;
    frame.id = address.id;
    frame.service = address.service;
    frame.object = address.object;
    frame.action = address.action;
    writeFrameHeader(this.#batch, at, frame);
  }

  /** Room at the end of the batch; returns where it begins. */
  #reserve(bytes: number): number {
    if (this.#batchLength > 0 && this.#batchLength + bytes > BATCH_BYTES) this.#sendBatch();
    const start = this.#batchLength;
    const needed = start + bytes;
    if (needed > this.#batch.length) {
      const grown = new Uint8Array(Math.max(needed, this.#batch.length * 2));
      grown.set(this.#batch.subarray(0, start));
      this.#batch = grown;
    }
    this.#batchLength = needed;
    return start;
  }

  #wake(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(this.#flush);
  }

  #flushNow(): void {
    this.#isScheduled = false;
    if (this.#isClosed) return;
    this.#sendBatch();
    this.#sendFragments();
  }

  #sendBatch(): void {
    const batch = this.#takeBatch();
    if (batch.length > 0 && !this.#transport.send(batch)) this.#hasRoom = false;
  }

  /** The frames of this turn. The transport keeps what it is given, so the next batch gets memory of its own. */
  #takeBatch(): Uint8Array {
    const length = this.#batchLength;
    if (length === 0) return NOTHING;
    const batch = this.#batch;
    this.#batch = new Uint8Array(Math.max(FIRST_BATCH_BYTES, Math.min(length, BATCH_BYTES)));
    this.#batchLength = 0;
    this.hasSent = true;
    return batch.subarray(0, length);
  }

  #startStream(header: MessageHeader, payload: Uint8Array): void {
    this.#checkBound(payload.length);
    const { id, type, flags, service, object, action } = header;
    this.#queue.push({
      header: { size: 0, type, flags, stream: 0, id, service, object, action },
      flags,
      payload,
      sent: 0,
    });
    this.#waitingBytes += payload.length;
    if (isOrdered(type)) this.#held.set(service, object, { isEvent: type === MessageType.event, waiting: [] });
  }

  /**
   * One piece of each large message in turn, while there is room; small frames of the same turn have gone before.
   * Bodies are handed on without being copied.
   */
  #sendFragments(): void {
    while (this.#hasRoom && this.#window.hasRoom && !this.#isClosed) {
      this.#openNext();
      const stream = this.#open.shift();
      if (stream === undefined) return;
      this.#sendBatch();
      this.#sendPiece(stream);
      if (stream.sent < stream.payload.length) {
        this.#open.push(stream);
        continue;
      }
      this.#openBytes -= stream.payload.length;
      this.#endStream(stream);
    }
  }

  /** Begins waiting messages as far as the receiver's bounds for unfinished ones go. */
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

  /** As much as the path takes at once: what fits whole goes whole, and need not be put together again. */
  #sendPiece(stream: Stream): void {
    const { header, payload, sent } = stream;
    const size = Math.min(
      payload.length - sent,
      Math.max(FRAGMENT_BYTES, Math.min(this.#window.roomBytes, MAX_PIECE_BYTES)),
    );
    const isWhole = size === payload.length;
    const prefix = sent === 0 && !isWhole ? 4 : 0;
    const frame = new Uint8Array(FRAME_HEADER_BYTES + prefix);
    header.size = prefix + size;
    if (isWhole) header.stream = 0;
    header.flags = sent + size < payload.length ? stream.flags | FrameFlags.fragment : stream.flags;
    writeFrameHeader(frame, 0, header);
    if (prefix > 0) writeUint32(frame, FRAME_HEADER_BYTES, payload.length);
    stream.sent += size;
    this.#waitingBytes -= size;
    this.#window.sent(prefix + size);
    this.hasSent = true;
    if (!this.#transport.send(frame, [payload.subarray(sent, sent + size)])) this.#hasRoom = false;
  }

  #endStream(stream: Stream): void {
    const { type, service, object } = stream.header;
    if (!isOrdered(type)) return;
    const held = this.#held.delete(service, object);
    for (const message of held?.waiting ?? []) {
      this.#waitingBytes -= message.payload.length;
      this.send(message.header, message.payload); // may start another stream, behind which the rest waits again
    }
  }

  #hold(header: MessageHeader, payload: Uint8Array): boolean {
    const held = this.#held.get(header.service, header.object);
    if (held === undefined) return false;
    const waits = isOrdered(header.type) || header.type === MessageType.cancel || held.isEvent;
    if (!waits) return false;
    this.#checkBound(payload.length);
    held.waiting.push({ header: { ...header }, payload });
    this.#waitingBytes += payload.length;
    return true;
  }

  #checkBound(more = 0): void {
    const error = this.overfull(more);
    if (error !== undefined) throw error;
  }

  /** Why nothing more may wait for the other side; undefined: it may. */
  overfull(more = 0): QiwayError | undefined {
    const queued = this.queuedBytes;
    if (queued === 0 || queued + more <= this.#maxQueuedBytes) return undefined;
    return overLimit(`More than ${this.#maxQueuedBytes} bytes wait for the other side, which reads too slowly.`, {
      limit: 'maxQueuedBytes',
      maximum: this.#maxQueuedBytes,
    });
  }
}

function isOrdered(type: number): boolean {
  return (
    type === MessageType.call || type === MessageType.post || type === MessageType.event || type >= MessageType.gap
  );
}

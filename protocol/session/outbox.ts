// The sending half of a session: numbers frames, gives small ones of one turn as a batch and large ones in pieces, and keeps
// what is not acknowledged for the next link. Layer 5; it outlives links, and knows neither handshake nor heartbeat.
// See docs/link-protocol.md sections 3, 5 and 6.

import type { Flow } from '../bus/event-flow.ts';
import type { Clock } from '../clock.ts';
import { overLimit, type QiwayError } from '../errors.ts';
import { ControlType, type FrameHeader, NOTHING } from '../wire/link-frame.ts';
import { type MessageHeader, MessageType } from '../wire/message.ts';
import { Batch } from './batch.ts';
import { BulkWindow, LARGEST_LEAST_PIECE_BYTES } from './bulk-window.ts';
import type { Refuse } from './fragments.ts';
import { KeptFrames } from './kept-frames.ts';
import { HELD_COST, isAsked, LargeMessages, type Message } from './large-messages.ts';
import { LossySlots } from './lossy-slots.ts';
import type { Transport } from './transport.ts';

const NO_BYTES = new Uint8Array(0);
const NOWHERE = { id: 0, service: 0, object: 0, action: 0 };
/** As part of the bound: who has filled it with calls can still answer small, and stop what it began. */
const SPARE = 1 / 8;

export interface OutboxOptions {
  readonly clock: Clock;
  /** Runs `flush` once the current turn is over. */
  readonly schedule: (flush: () => void) => void;
  /** Bytes that may wait or be unacknowledged; one message alone may be larger. */
  readonly maxQueuedBytes: number;
  /** Of one message, and of all unfinished ones at the receiver. */
  readonly maxMessageBytes: number;
  readonly refuse?: Refuse | undefined;
}

/** `ready`: the transport takes bulk. `full`: it said to wait. */
type Way =
  | { readonly kind: 'detached' | 'closed' }
  | { readonly kind: 'ready' | 'full'; readonly transport: Transport };

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #window: BulkWindow;
  readonly #kept = new KeptFrames();
  readonly #lossy = new LossySlots();
  readonly #batch = new Batch();
  readonly #large: LargeMessages;
  readonly #flush = (): void => this.#flushNow();
  /** What the other side takes, as far as it told. */
  #maxMessageBytes: number;
  #way: Way = { kind: 'detached' };
  /** The number to tell as received, when the other side does not know it yet. */
  #toTell: number | undefined;
  /** When the other side acknowledged something last, or had nothing to acknowledge. */
  #progressMs = 0;
  #isScheduled = false;
  #isTellingRoom = false;
  readonly #waitingForRoom = new Set<{ readonly bytes: number; readonly run: () => void }>();
  #hasSent = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#maxMessageBytes = options.maxMessageBytes;
    this.#window = new BulkWindow(options.clock);
    this.#large = new LargeMessages(options.maxMessageBytes);
  }

  /** Bytes that wait or that the other side has not acknowledged. */
  get queuedBytes(): number {
    return this.#large.waitingBytes + this.#batch.bytes + this.#kept.bytes;
  }

  get isAttached(): boolean {
    return this.#way.kind === 'ready' || this.#way.kind === 'full';
  }

  /** For how long the other side has acknowledged nothing although something is on its way; 0 while detached. */
  get stalledMs(): number {
    return this.isAttached && this.#kept.bytes > 0 ? this.#options.clock.now() - this.#progressMs : 0;
  }

  /** Number of the last frame given. */
  get sentNumber(): number {
    return this.#kept.last;
  }

  /** Number of the last frame that the other side has acknowledged, with all of its batch. */
  get confirmedNumber(): number {
    return this.#kept.first;
  }

  /** The number after which the next link begins, for a side that has everything up to `received`. @throws `wire-invalid` */
  startAfter(received: number): number {
    return this.#kept.startAfter(received);
  }

  /** Goes on over a new link with the frame after `start`; what the other side has not is sent again. */
  attach(transport: Transport, start: number): void {
    this.#sealBatch();
    this.#lossy.clear();
    this.#way = { kind: 'ready', transport };
    this.#window.reset();
    this.#progressMs = this.#options.clock.now();
    for (const { parts, bulkBytes } of this.#kept.replay(start, this.#options.clock.now())) {
      if (bulkBytes > 0) this.#window.sent(bulkBytes);
      this.#give(...parts);
    }
    this.#tellRoom();
    this.#wake();
  }

  /** The link is gone; what is sent from now on waits for the next. */
  detach(): void {
    if (this.#way.kind !== 'closed') this.#way = { kind: 'detached' };
    this.#lossy.clear();
  }

  /** A new session: nothing that was sent counts any more, and nothing waits. */
  reset(): void {
    this.#kept.reset();
    this.#lossy.clear();
    this.#large.clear();
    this.#batch.clear();
    this.#toTell = undefined;
  }

  /** The other side takes no message of more than `maxBytes`. */
  limitMessages(maxBytes: number): void {
    this.#maxMessageBytes = Math.min(maxBytes, this.#options.maxMessageBytes);
    this.#large.limitMessages(this.#maxMessageBytes);
  }

  /** @throws `limit-exceeded` when the other side reads too slowly for what is sent, or does not take so much at once */
  send(header: MessageHeader, payload: Uint8Array): void {
    if (this.#way.kind === 'closed') return;
    if (payload.length > this.#maxMessageBytes) throw tooLarge(payload.length, this.#maxMessageBytes);
    if (this.#lossy.size > 0 && isAsked(header.type)) this.#lossy.giveUp(header.service, header.object);
    const spare = isAsked(header.type) || header.type === MessageType.event ? 0 : SPARE * this.#options.maxQueuedBytes;
    if (this.#large.mustWait(header)) this.#checkBound(HELD_COST + payload.length, spare);
    else if (payload.length > this.#window.leastPieceBytes) this.#checkBound(payload.length);
    // Once a batch: with the first of a turn, too.
    else if (this.#batch.bytes === 0 || !this.#batch.fits(payload.length, this.#window.batchBytes))
      this.#checkBound(0, spare);
    this.#take(header, payload);
  }

  /** Of a member of which only the newest message is worth anything: it goes when nothing waits, in place of older ones. */
  sendLossy(header: MessageHeader, payload: Uint8Array): void {
    if (!this.isAttached || payload.length > LARGEST_LEAST_PIECE_BYTES) return;
    this.#lossy.put(header, payload);
    this.#wake();
  }

  /** The transport has room again. */
  drained(): void {
    if (this.#way.kind === 'full') this.#way = { kind: 'ready', transport: this.#way.transport };
    this.#sendLossyFrames();
    this.#sendFragments();
  }

  /** The other side has every frame up to `received`. @throws `wire-invalid` for a number that was not sent */
  confirmed(received: number): void {
    const before = this.#kept.first;
    const bulkBytes = this.#kept.confirm(received);
    if (this.#kept.first !== before) this.#progressMs = this.#options.clock.now();
    if (bulkBytes > 0) {
      this.#window.confirmed(bulkBytes);
      this.#sendFragments();
    }
    this.#tellRoom();
  }

  /** To be told to the other side with the next batch, or now. */
  acknowledge(received: number, isUrgent: boolean): void {
    this.#toTell = received;
    if (isUrgent) this.#wake();
  }

  /** Was anything sent since the last heartbeat? If not, what is to be told goes now. */
  beat(): boolean {
    const hasSent = this.#hasSent;
    this.#hasSent = false;
    if (!hasSent && this.#toTell !== undefined) this.#wake();
    return hasSent;
  }

  /** Hands over what is batched; used before a close. */
  flush(): void {
    this.#flushNow();
  }

  /**
   * Takes back frames of calls and posts that the other side has not acknowledged; it may have got them all the same.
   * @param beforeMs only of what was asked for before
   * @returns their headers
   */
  withdraw(matches: (frame: Readonly<FrameHeader>) => boolean, beforeMs?: number): Readonly<FrameHeader>[] {
    this.#sendBatch();
    const withdrawn = this.#kept.withdraw(matches, beforeMs);
    const large = this.#large.withdraw(matches, beforeMs);
    for (const stream of large.brokenOff) this.#batch.add({ type: NOTHING, flags: 0, stream }, NOWHERE, NO_BYTES);
    for (const message of large.freed) this.#take(message.header, message.payload, message.atMs);
    return [...withdrawn, ...large.withdrawn];
  }

  /** Ids of calls that were never given to a transport, not even in part. */
  neverSent(): ReadonlySet<number> {
    this.#sendBatch();
    const ids = this.#kept.neverSent();
    this.#large.collectCalls(ids);
    return ids;
  }

  /** What events look at: see `Flow`. */
  readonly flow: Flow = (({ outbox }) => ({
    get isAttached() {
      return outbox.isAttached;
    },
    get queuedBytes() {
      return outbox.#large.eventBytes + outbox.#batch.bytes + outbox.#kept.batchBytes;
    },
    whenBelow: (bytes, run) => {
      const entry = { bytes, run };
      outbox.#waitingForRoom.add(entry);
      outbox.#tellRoom();
      return () => outbox.#waitingForRoom.delete(entry);
    },
  }))({ outbox: this });

  close(): void {
    this.reset();
    this.#way = { kind: 'closed' };
    this.#waitingForRoom.clear();
  }

  /** What is within the bounds. */
  #take(header: MessageHeader, payload: Uint8Array, atMs?: number): void {
    if (this.#large.mustWait(header)) return this.#large.hold(this.#asked(header, payload, atMs));
    if (payload.length > this.#window.leastPieceBytes) this.#large.add(this.#asked(header, payload, atMs));
    else {
      if (!this.#batch.fits(payload.length, this.#window.batchBytes)) this.#sendBatch();
      this.#batch.add(header, header, payload);
    }
    this.#wake();
  }

  #asked(header: MessageHeader, payload: Uint8Array, atMs = this.#options.clock.now()): Message {
    return { header, payload, atMs };
  }

  #give(first: Uint8Array, rest?: Uint8Array): void {
    const way = this.#way;
    if (way.kind !== 'ready' && way.kind !== 'full') return;
    this.#hasSent = true;
    if (!way.transport.send(first, rest === undefined ? undefined : [rest]) && this.#way === way)
      this.#way = { kind: 'full', transport: way.transport };
  }

  #wake(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.schedule(this.#flush);
  }

  #flushNow(): void {
    this.#isScheduled = false;
    if (this.#way.kind === 'closed') return;
    this.#sendBatch();
    this.#sendLossyFrames();
    this.#sendFragments();
  }

  /** The frames of this turn, and what is to be told of those received. */
  #sendBatch(): void {
    if (!this.isAttached) {
      this.#sealBatch();
      return;
    }
    if (this.#toTell !== undefined) {
      this.#batch.addControl(ControlType.received, this.#toTell >>> 0, NO_BYTES);
      this.#toTell = undefined;
    }
    const bytes = this.#sealBatch();
    if (bytes !== undefined) this.#give(bytes);
  }

  /** Closes the batch and keeps it. */
  #sealBatch(): Uint8Array | undefined {
    const batch = this.#batch.take();
    if (batch !== undefined && batch.frames > 0) {
      const sentMs = this.isAttached ? this.#options.clock.now() : undefined;
      if (this.#kept.bytes === 0) this.#progressMs = sentMs ?? 0;
      this.#kept.add({ ...batch, body: undefined, bulkBytes: 0, sentMs });
      this.#window.shared();
    }
    return batch?.bytes;
  }

  /** When nothing of this session waits in the transport: what is worthless when it is late must not queue there. */
  #sendLossyFrames(): void {
    if (this.#lossy.size === 0 || this.#way.kind !== 'ready' || this.#way.transport.bufferedBytes > 0) return;
    this.#window.shared();
    this.#give(this.#lossy.take());
  }

  /** One piece of each large message in turn, while there is room; small frames of the same turn have gone before. */
  #sendFragments(): void {
    while (this.#way.kind === 'ready' && this.#window.hasRoom && this.#large.hasNext) {
      this.#sendBatch();
      const {
        header: bytes,
        body,
        atMs,
        bulkBytes,
        memoryBytes,
        freed,
      } = this.#large.next(Math.max(this.#window.roomBytes, this.#window.leastPieceBytes));
      this.#window.sent(bulkBytes);
      this.#kept.add({ frames: 1, bytes, body, memoryBytes, bulkBytes, sentMs: atMs });
      this.#give(bytes, body);
      for (const message of freed) this.#take(message.header, message.payload, message.atMs);
    }
  }

  #tellRoom(): void {
    if (this.#waitingForRoom.size === 0 || this.#isTellingRoom || !this.isAttached) return;
    const { queuedBytes } = this.flow;
    if ([...this.#waitingForRoom].every(({ bytes }) => queuedBytes > bytes)) return;
    this.#isTellingRoom = true;
    queueMicrotask(() => {
      this.#isTellingRoom = false;
      for (const entry of [...this.#waitingForRoom])
        if (this.isAttached && this.flow.queuedBytes <= entry.bytes && this.#waitingForRoom.delete(entry)) entry.run();
    });
  }

  #checkBound(more: number, spare = 0): void {
    const error = this.#overfull(more, spare);
    if (error !== undefined) throw error;
  }

  /** Why nothing more may wait for the other side; undefined: it may. */
  #overfull(more: number, spare: number): QiwayError | undefined {
    const queued = this.queuedBytes;
    const { maxQueuedBytes } = this.#options;
    if (queued === 0 || queued + more <= maxQueuedBytes + spare) return this.#options.refuse?.(more);
    return overLimit(`More than ${maxQueuedBytes} bytes wait for the other side, which reads too slowly.`, {
      limit: 'maxQueuedBytes',
      maximum: maxQueuedBytes,
    });
  }
}

function tooLarge(bytes: number, maximum: number): QiwayError {
  return overLimit(`A message of ${bytes} bytes is more than the ${maximum} that the other side takes; send parts.`, {
    limit: 'maxMessageBytes',
    maximum,
  });
}

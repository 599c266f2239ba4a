// A link: one live attachment between client and agent over a transport. Splits batches into frames, answers pings,
// notices silence, closes once. Layer 5. See docs/link-protocol.md sections 2 to 5 and 8.
import type { Clock } from '../clock.ts';
import { asQiwayError, overLimit, QiwayError } from '../errors.ts';
import { ControlType, emptyFrameHeader, FRAME_HEADER_BYTES, FrameFlags, readFrameHeader } from '../wire/link-frame.ts';
import { type MessageHeader, MessageType } from '../wire/message.ts';
import { encodeControl } from './control.ts';
import { Fragments } from './fragments.ts';
import { FRAGMENT_BYTES, LinkWriter } from './link-writer.ts';
import type { CloseCode, Transport } from './transport.ts';

export interface LinkLimits {
  /** Bytes of one message, fragments put together. */
  readonly maxMessageBytes: number;
  /** Bytes that may wait for the other side. */
  readonly maxQueuedBytes: number;
}

/** 128 MiB a message: raw buffers of 100 MB are in use; twice that may wait. */
export const DEFAULT_LINK_LIMITS: LinkLimits = {
  maxMessageBytes: 128 * 1024 * 1024,
  maxQueuedBytes: 256 * 1024 * 1024,
};

/**
 * Whole heartbeats without a sign of life after which the link is lost. Many, because a lost link ends its session:
 * a busy computer or a weak radio may be silent for seconds.
 */
const SILENT_BEATS = 8;
const FIRST_CONTROL = 32;
/** Of one transport message; ours stay far below. */
export const MAX_BATCH_BYTES: number = 1280 * 1024;
const EMPTY = new Uint8Array(0);

export interface LinkOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly schedule: (flush: () => void) => void;
  readonly limits: LinkLimits;
  /** A qi message. The header is reused for the next one. Throwing closes the link. */
  readonly onMessage: (header: MessageHeader, payload: Uint8Array) => void;
  /** A control frame other than ping and pong. Throwing closes the link. */
  readonly onControl: (type: number, body: Uint8Array) => void;
  readonly onRtt?: (rttMs: number) => void;
  /** Called once. Undefined: the other side ended it as wanted. */
  readonly onClose: (error: QiwayError | undefined) => void;
}

export class Link {
  readonly #options: LinkOptions;
  readonly #writer: LinkWriter;
  readonly #fragments: Fragments;
  readonly #frame = emptyFrameHeader();
  readonly #header: MessageHeader = { id: 0, size: 0, version: 0, type: 0, flags: 0, service: 0, object: 0, action: 0 };
  /** Bytes of one transport message; lower before the other side is known. */
  maxBatchBytes: number = MAX_BATCH_BYTES;
  #state: 'open' | 'closed' = 'open';
  #hasHeard = true;
  #silentBeats = 0;
  #stopBeat: () => void = () => {};
  #pingId = 0;
  #pingSentAt: number | undefined;
  /** Of bulk, modulo 2^32: received, and told of. */
  #bulkBytes = 0;
  #toldBytes = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    const { transport, schedule, limits } = options;
    this.#writer = new LinkWriter({
      transport,
      clock: options.clock,
      schedule,
      maxQueuedBytes: limits.maxQueuedBytes,
      maxMessageBytes: limits.maxMessageBytes,
    });
    this.#fragments = new Fragments(limits.maxMessageBytes);
    transport.listen({
      message: (bytes) => this.#receive(bytes),
      drain: () => this.#writer.drained(),
      close: (reason) =>
        this.#end(new QiwayError('link-lost', `The link to the other side broke: ${reason}.`, { data: { reason } })),
    });
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get queuedBytes(): number {
    return this.#writer.queuedBytes;
  }

  /** @throws `limit-exceeded` when the other side reads too slowly */
  send(header: MessageHeader, payload: Uint8Array): void {
    this.#writer.send(header, payload);
  }

  control(type: number, body: object): void {
    this.#say(type, 0, encodeControl(body));
  }

  /** Begins to watch for silence; `probes`: also measure the round trip with every beat. */
  startHeartbeat(everyMs: number, probes: boolean): void {
    const { clock } = this.#options;
    const beat = (): void => {
      if (this.#state === 'closed') return;
      this.#silentBeats = this.#hasHeard ? 0 : this.#silentBeats + 1;
      this.#hasHeard = false;
      if (this.#silentBeats >= SILENT_BEATS)
        return this.close(
          new QiwayError('link-lost', `Nothing was heard for ${SILENT_BEATS} heartbeats of ${everyMs} ms.`, {
            data: { reason: 'silence' },
          }),
          4408,
        );
      if (probes || !this.#writer.hasSent) this.ping();
      this.#writer.hasSent = false;
      this.#stopBeat = clock.after(everyMs, beat);
    };
    this.#stopBeat = clock.after(everyMs, beat);
    if (probes) this.ping();
  }

  /** A control frame, unless so much waits already that the other side does not seem to read: then the link ends. */
  #say(type: number, id: number, body: Uint8Array): void {
    const error = this.#writer.overfull();
    if (error === undefined) this.#writer.control(type, id, body);
    else this.close(error, 4413);
  }

  ping(): void {
    this.#pingId = (this.#pingId + 1) >>> 0;
    this.#pingSentAt = this.#options.clock.now();
    this.#say(ControlType.ping, this.#pingId, EMPTY);
  }

  /** Ends it: with goodbye and `error` told to the other side, or without one as wanted. Idempotent. */
  close(error?: QiwayError, code: CloseCode = 1000, type: number = ControlType.goodbye): void {
    if (this.#state === 'closed') return;
    this.#writer.control(type, 0, encodeControl(error?.toJSON() ?? {}));
    this.#writer.flush();
    this.#options.transport.close(code, error?.code ?? 'goodbye');
    this.#end(error);
  }

  #receive(bytes: Uint8Array): void {
    if (this.#state === 'closed') return;
    this.#hasHeard = true;
    try {
      if (bytes.length > this.maxBatchBytes)
        throw overLimit(`A batch of ${bytes.length} bytes is more than ${this.maxBatchBytes}.`, {
          limit: 'maxBatchBytes',
          maximum: this.maxBatchBytes,
        });
      this.#readBatch(bytes);
      if (this.#bulkBytes !== this.#toldBytes) this.#confirm();
    } catch (thrown) {
      const error = asQiwayError(thrown);
      this.close(error, error.code === 'limit-exceeded' ? 4413 : 4400);
    }
  }

  /** Tells the sender of bulk how much has arrived, once a batch. */
  #confirm(): void {
    this.#toldBytes = this.#bulkBytes;
    this.#say(ControlType.received, this.#bulkBytes, EMPTY);
  }

  #readBatch(bytes: Uint8Array): void {
    const frame = this.#frame;
    let offset = 0;
    while (offset < bytes.length) {
      readFrameHeader(bytes, offset, frame);
      const start = offset + FRAME_HEADER_BYTES;
      offset = start + frame.size;
      if (offset > bytes.length)
        throw new QiwayError('wire-invalid', 'A frame is longer than its batch.', { data: { offset: start } });
      const body = bytes.subarray(start, offset);
      if (frame.type >= FIRST_CONTROL) {
        this.#takeControl(frame.type, frame.id, body);
        if (this.#state === 'closed') return;
      } else {
        if (frame.stream !== 0 || body.length > FRAGMENT_BYTES) this.#bulkBytes = (this.#bulkBytes + body.length) >>> 0;
        const whole = frame.stream === 0 ? body : this.#fragments.take(frame, body);
        if (whole !== undefined) this.#passOn(whole);
      }
    }
  }

  #passOn(payload: Uint8Array): void {
    const frame = this.#frame;
    if (
      frame.type < 1 ||
      frame.type > MessageType.gone ||
      (frame.flags & ~0x83) !== 0 ||
      (frame.stream === 0 && (frame.flags & FrameFlags.fragment) !== 0)
    ) {
      throw new QiwayError(
        'wire-invalid',
        `A frame has type ${frame.type} and flags ${frame.flags}, which nobody sends.`,
      );
    }
    const header = this.#header;
    header.id = frame.id;
    header.size = payload.length;
    header.type = frame.type;
    header.flags = frame.flags & 3;
    header.service = frame.service;
    header.object = frame.object;
    header.action = frame.action;
    this.#options.onMessage(header, payload);
  }

  #takeControl(type: number, id: number, body: Uint8Array): void {
    switch (type) {
      case ControlType.ping:
        return this.#say(ControlType.pong, id, EMPTY);
      case ControlType.received:
        return this.#writer.acknowledged(id);
      case ControlType.pong:
        if (id !== this.#pingId || this.#pingSentAt === undefined) return;
        this.#options.onRtt?.(this.#options.clock.now() - this.#pingSentAt);
        this.#pingSentAt = undefined;
        return;
      default:
        this.#options.onControl(type, body);
    }
  }

  /** The other side said goodbye: nothing is to be told any more. */
  endedByOther(error: QiwayError | undefined): void {
    if (this.#state === 'closed') return;
    this.#options.transport.close(1000, 'goodbye');
    this.#end(error);
  }

  #end(error: QiwayError | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#stopBeat();
    this.#writer.close();
    this.#options.onClose(error);
  }
}

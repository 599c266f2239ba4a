// Messages of a peer over a transport that does not break without both ends knowing, as a port between a tab and who owns its
// link: the frames of a link without numbers, replays and pieces. Layer 5.
import type { Flow } from '../bus/event-flow.ts';
import type { Clock } from '../clock.ts';
import { overLimit, QiwayError } from '../errors.ts';
import {
  ControlType,
  emptyFrameHeader,
  FIRST_CONTROL,
  FRAME_HEADER_BYTES,
  FrameFlags,
  type FrameHeader,
  readFrameHeader,
  writeFrameHeader,
} from '../wire/link-frame.ts';
import { emptyMessageHeader, type MessageHeader } from '../wire/message.ts';
import { Batch } from './batch.ts';
import type { Transport } from './transport.ts';
import { afterMicrotasks } from './turn.ts';

/** Of one body, from which on it goes as a message of its own and is not copied into a batch. */
const LARGE_BYTES = 16 * 1024;
/** Beyond it a message is refused: the other side does not read. As a session keeps. */
const MAX_QUEUED_BYTES = 160 * 1024 * 1024;
const NO_BYTES = new Uint8Array(0);
const NOWHERE = { id: 0, service: 0, object: 0, action: 0 };

export interface PlainWireOptions {
  readonly clock: Clock;
  /** The header is reused for the next one; its flags tell a lossy one. */
  readonly onMessage: (header: MessageHeader, payload: Uint8Array) => void;
  /** Nothing follows. */
  readonly onClosed: (error: QiwayError) => void;
  /** Something came, whatever it was. */
  readonly onHeard?: () => void;
  readonly schedule?: (flush: () => void) => void;
}

export class PlainWire implements Flow {
  readonly #transport: Transport;
  readonly #options: PlainWireOptions;
  readonly #batch = new Batch();
  readonly #header: MessageHeader = emptyMessageHeader();
  readonly #frame: FrameHeader = emptyFrameHeader();
  readonly #waitingForRoom = new Set<{ readonly bytes: number; readonly run: () => void }>();
  readonly #flush = (): void => this.#flushNow();
  #isScheduled = false;
  #lastHeardMs: number;
  #state: 'open' | 'closed' = 'open';

  /** To be made in the turn in which the transport was obtained. */
  constructor(transport: Transport, options: PlainWireOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#lastHeardMs = options.clock.now();
    transport.listen({
      message: (bytes) => this.#take(bytes),
      drain: () => this.#tellRoom(),
      close: (reason) =>
        this.#end(new QiwayError('link-lost', `The port was closed: ${reason}.`, { data: { reason } })),
    });
  }

  get isAttached(): boolean {
    return this.#state === 'open';
  }

  get queuedBytes(): number {
    return this.#transport.bufferedBytes + this.#batch.bytes;
  }

  /** On the clock given. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  /** @throws `limit-exceeded` when more waits for the other side than it may; silent after the end */
  send(header: MessageHeader, payload: Uint8Array): void {
    this.#send(header, payload, 0);
  }

  /** Left out when the other side does not keep up: the next one is worth more. Never throws. */
  sendLossy(header: MessageHeader, payload: Uint8Array): void {
    if (this.#transport.bufferedBytes < LARGE_BYTES * 8) this.#send(header, payload, FrameFlags.lossy);
  }

  /** Asks for a sign of life. */
  ping(): void {
    this.#control(ControlType.ping);
  }

  whenBelow(bytes: number, run: () => void): () => void {
    if (this.isAttached && this.queuedBytes <= bytes) {
      run();
      return () => {};
    }
    const waiting = { bytes, run };
    this.#waitingForRoom.add(waiting);
    return () => this.#waitingForRoom.delete(waiting);
  }

  /** What was sent before goes first. Idempotent. */
  close(reason: string): void {
    if (this.#state === 'closed') return;
    this.#flushNow();
    this.#transport.close(1000, reason);
    this.#end(new QiwayError('link-lost', `The port was closed here: ${reason}.`, { data: { reason } }));
  }

  #send(header: MessageHeader, payload: Uint8Array, flags: number): void {
    if (this.#state === 'closed') return;
    if (this.queuedBytes + payload.length > MAX_QUEUED_BYTES && this.queuedBytes > 0)
      throw overLimit('The other side does not read what it is sent.', {
        limit: 'maxQueuedBytes',
        maximum: MAX_QUEUED_BYTES,
      });
    const kind = { type: header.type, flags: header.flags | flags };
    if (payload.length >= LARGE_BYTES) {
      this.#flushNow();
      const head = new Uint8Array(FRAME_HEADER_BYTES);
      writeFrameHeader(head, 0, { ...header, ...kind, size: payload.length, stream: 0 });
      this.#transport.send(head, [payload]);
      return;
    }
    this.#batch.add(kind, header, payload);
    this.#scheduleFlush();
  }

  #control(type: number): void {
    if (this.#state === 'closed') return;
    this.#batch.add({ type, flags: 0 }, NOWHERE, NO_BYTES);
    this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    (this.#options.schedule ?? afterMicrotasks)(this.#flush);
  }

  #flushNow(): void {
    this.#isScheduled = false;
    const taken = this.#state === 'open' ? this.#batch.take() : undefined;
    if (taken !== undefined) this.#transport.send(taken.bytes);
  }

  #take(bytes: Uint8Array): void {
    this.#lastHeardMs = this.#options.clock.now();
    this.#options.onHeard?.();
    try {
      for (let offset = 0; offset < bytes.length && this.#state === 'open'; ) {
        const frame = readFrameHeader(bytes, offset, this.#frame);
        const end = offset + FRAME_HEADER_BYTES + frame.size;
        if (end > bytes.length) throw new QiwayError('wire-invalid', 'A frame is cut off.', { data: { offset } });
        if (frame.type >= FIRST_CONTROL) this.#takeControl(frame.type);
        else this.#pass(frame, bytes.subarray(offset + FRAME_HEADER_BYTES, end));
        offset = end;
      }
    } catch {
      this.close('unreadable');
    }
  }

  #takeControl(type: number): void {
    if (type === ControlType.ping) this.#control(ControlType.pong);
  }

  #pass(frame: FrameHeader, payload: Uint8Array): void {
    const header = this.#header;
    header.id = frame.id;
    header.size = frame.size;
    header.type = frame.type;
    header.flags = frame.flags;
    header.service = frame.service;
    header.object = frame.object;
    header.action = frame.action;
    this.#options.onMessage(header, payload);
  }

  #tellRoom(): void {
    for (const waiting of [...this.#waitingForRoom]) {
      if (!this.isAttached || this.queuedBytes > waiting.bytes) continue;
      this.#waitingForRoom.delete(waiting);
      waiting.run();
    }
  }

  #end(error: QiwayError): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#waitingForRoom.clear();
    this.#batch.clear();
    this.#options.onClosed(error);
  }
}

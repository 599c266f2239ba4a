// A link: one live attachment between client and agent over a transport. Splits batches into frames, answers pings,
// notices silence, closes once. Layer 5; it knows no numbers and no session. See docs/link-protocol.md sections 3, 4 and 9.
import type { Clock } from '../clock.ts';
import { asQiwayError, overLimit, QiwayError } from '../errors.ts';
import {
  ControlType,
  emptyFrameHeader,
  FIRST_CONTROL,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  readFrameHeader,
  writeFrameHeader,
} from '../wire/link-frame.ts';
import { encodeControl } from './control.ts';
import type { CloseCode, Transport } from './transport.ts';

export interface LinkLimits {
  /** Bytes of one message, fragments put together. */
  readonly maxMessageBytes: number;
  /** Bytes that may wait for the other side, or that it has not acknowledged. */
  readonly maxQueuedBytes: number;
}

/** 128 MiB a message: raw buffers of 100 MB are in use; twice that may wait. */
export const DEFAULT_LINK_LIMITS: LinkLimits = {
  maxMessageBytes: 128 * 1024 * 1024,
  maxQueuedBytes: 256 * 1024 * 1024,
};

/** Bytes of events that may wait: the rest is for calls and answers. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024;

/** Bytes that may be queued before events are left out. */
export function eventBudget({ maxQueuedBytes }: LinkLimits): number {
  return Math.min(maxQueuedBytes / 2, MAX_EVENT_BYTES);
}

/**
 * Heartbeats without a sign of life after which the link is lost: with the third, since the answer to the one before the
 * silence came a little after it.
 */
const SILENT_BEATS = 2.5;
/** A beat that comes so much later than it should, as part of itself, was kept up here: it says nothing of the other side. */
const LATE_BEAT = 0.5;
/** For the first answer after the beat began or became another, ms: a round trip may take longer than some beats. */
const FIRST_ANSWER_MS = 2_500;
/** Of one transport message; ours stay far below. */
export const MAX_BATCH_BYTES: number = 1280 * 1024;
/** Pongs to a side of which nothing was seen to leave the transport: each costs memory, far more than its bytes. */
const MAX_UNREAD_PONGS = 256;
/** Pings without an answer that are remembered: a round trip of 4 s at the fastest beat. */
const MAX_ASKED = 64;
const EMPTY = new Uint8Array(0);
/** RFC 6455: a page is left, for good or for the back/forward cache. */
const GOING_AWAY_CODE = 1001;
/** Reason of a `link-lost` then. */
export const GOING_AWAY = 'going away';
/** Reason of a `link-lost` when nothing was heard. */
export const SILENCE = 'silence';

/** Whoever has the link now: first who waits for the welcome, or for the client's first frame; then the session. */
export interface LinkOwner {
  /** A frame that is no control frame; `frame` is used again for the next one. Throwing closes the link. */
  frame(frame: FrameHeader, body: Uint8Array): void;
  /** A control frame other than ping and pong. Throwing closes the link. */
  control(type: number, id: number, body: Uint8Array): void;
  /** All frames of one batch were taken. */
  batchTaken(): void;
  drained(): void;
  rttMeasured(rttMs: number): void;
  /** Called once, with why; nothing follows. */
  closed(error: QiwayError): void;
}

interface Heartbeat {
  everyMs: number;
  /** The beat that silence is counted in; default `everyMs`. Who beats faster, for a failsafe, bears no less silence. */
  readonly agreedMs?: number;
  readonly probes: boolean;
  /** How many times as long as usual silence is borne. Default 1. */
  readonly patience?: number;
  readonly hasSent: () => boolean;
}

export interface LinkOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly owner: LinkOwner;
  /** Bytes in the transport beyond which pings of the other side are not answered: it does not read. */
  readonly maxBufferedBytes: number;
}

export class Link {
  readonly transport: Transport;
  readonly #clock: Clock;
  readonly #maxBufferedBytes: number;
  readonly #frame = emptyFrameHeader();
  #owner: LinkOwner;
  #state: 'open' | 'closed' = 'open';
  #lastHeardMs: number;
  #stopBeat: () => void = () => {};
  /** When it began to beat as it does now. */
  #beatSinceMs = 0;
  #beat: Heartbeat | undefined;
  #pingId = 0;
  /** Pings that are not answered yet, the oldest first: answers may take longer than the time between two. */
  #asked: { readonly id: number; readonly sentMs: number }[] = [];
  #unreadPongs = 0;
  /** In the transport when it was asked last. */
  #bufferedBytes = 0;

  constructor({ transport, clock, owner, maxBufferedBytes }: LinkOptions) {
    this.#maxBufferedBytes = maxBufferedBytes;
    this.transport = transport;
    this.#clock = clock;
    this.#owner = owner;
    this.#lastHeardMs = clock.now();
    transport.listen({
      message: (bytes) => this.#receive(bytes),
      drain: () => this.#owner.drained(),
      close: (reason, code) =>
        this.#end(
          new QiwayError('link-lost', `The link was closed: ${reason}.`, {
            data: { reason: code === GOING_AWAY_CODE ? GOING_AWAY : reason },
          }),
        ),
    });
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** When something came last, on the link's clock. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  give(owner: LinkOwner): void {
    this.#owner = owner;
  }

  /** Sends a control frame as a batch of its own, before what else waits on this side. */
  control(type: number, body: object): void {
    this.#say(type, 0, encodeControl(body));
  }

  /** The same for one that says a number. */
  tell(type: number, id: number): void {
    this.#say(type, id, EMPTY);
  }

  /**
   * Begins to watch for silence. `probes`: also measure the round trip with every beat. `hasSent` is asked with every beat
   * whether anything was sent since it was asked last.
   */
  startHeartbeat(beat: Heartbeat): void {
    this.#beat = { ...beat };
    this.#lastHeardMs = this.#clock.now();
    this.#beatSinceMs = this.#lastHeardMs;
    this.#nextBeat();
    if (beat.probes) this.ping();
  }

  /** Beats from now on as often as this. */
  setBeat(everyMs: number): void {
    if (this.#beat === undefined || this.#beat.everyMs === everyMs) return;
    this.#beat.everyMs = everyMs;
    this.#beatSinceMs = this.#clock.now();
    this.#stopBeat();
    this.#nextBeat();
    if (this.#beat.probes) this.ping();
  }

  ping(): void {
    this.#pingId = (this.#pingId + 1) >>> 0;
    this.#asked.push({ id: this.#pingId, sentMs: this.#clock.now() });
    if (this.#asked.length > MAX_ASKED) this.#asked.shift();
    this.#say(ControlType.ping, this.#pingId, EMPTY);
  }

  /** Ends the link; the owner is told. With a type, `error` is told to the other side first. Idempotent. */
  close(error: QiwayError, code: CloseCode, type?: number): void {
    if (this.#state === 'closed') return;
    if (type !== undefined) this.#send(type, 0, encodeControl(error.toJSON()));
    this.transport.close(code, error.code);
    this.#end(error);
  }

  /** Ends the session at the other side, as wanted, and the link. The owner is not told. */
  sayGoodbye(): void {
    if (this.#state === 'closed') return;
    this.#send(ControlType.goodbye, 0, encodeControl({}));
    this.leave(1000, 'goodbye');
  }

  /** Closes the transport and tells nobody here. Idempotent. */
  leave(code: CloseCode, reason: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#stopBeat();
    this.transport.close(code, reason);
  }

  #nextBeat(): void {
    const beat = this.#beat;
    if (beat === undefined) return;
    const { everyMs } = beat;
    const dueMs = this.#clock.now() + everyMs;
    this.#stopBeat = this.#clock.after(everyMs, () => {
      if (this.#state === 'closed') return;
      const now = this.#clock.now();
      // Whoever was kept up itself has not read what came meanwhile.
      if (now - dueMs > everyMs * LATE_BEAT) this.#lastHeardMs = Math.max(this.#lastHeardMs, now - everyMs);
      const silentMs = now - this.#lastHeardMs;
      const { agreedMs = everyMs, patience = 1 } = beat;
      if (silentMs >= agreedMs * SILENT_BEATS * patience && this.#isAnswerDue(now))
        return this.close(
          new QiwayError('link-lost', `Nothing was heard for ${Math.round(silentMs)} ms.`, {
            data: { reason: SILENCE },
          }),
          4408,
        );
      const isQuiet = !beat.hasSent();
      if (this.#state !== 'open') return;
      // A side whose timers are slowed down (a hidden page) still answers.
      if (beat.probes || isQuiet || silentMs >= everyMs) this.ping();
      this.#nextBeat();
    });
  }

  /** What was asked since it beats as it does now could be answered. */
  #isAnswerDue(now: number): boolean {
    return this.#lastHeardMs > this.#beatSinceMs || now - this.#beatSinceMs >= FIRST_ANSWER_MS;
  }

  #say(type: number, id: number, body: Uint8Array): void {
    if (this.#state === 'closed') return;
    if (this.transport.bufferedBytes <= this.#maxBufferedBytes) return this.#send(type, id, body);
    const maximum = this.#maxBufferedBytes;
    this.close(unread({ limit: 'bufferedBytes', maximum }), 4413);
  }

  #send(type: number, id: number, body: Uint8Array): void {
    const bytes = new Uint8Array(FRAME_HEADER_BYTES + body.length);
    writeFrameHeader(bytes, 0, { ...emptyFrameHeader(), size: body.length, type, id });
    bytes.set(body, FRAME_HEADER_BYTES);
    this.transport.send(bytes);
  }

  #receive(bytes: Uint8Array): void {
    if (this.#state === 'closed') return;
    this.#lastHeardMs = this.#clock.now();
    try {
      if (bytes.length > MAX_BATCH_BYTES)
        throw overLimit(`A batch of ${bytes.length} bytes is more than ${MAX_BATCH_BYTES}.`, {
          limit: 'maxBatchBytes',
          maximum: MAX_BATCH_BYTES,
        });
      this.#readBatch(bytes);
      if (this.isOpen) this.#owner.batchTaken();
    } catch (thrown) {
      const error = asQiwayError(thrown);
      this.close(error, error.code === 'limit-exceeded' ? 4413 : 4400, ControlType.goodbye);
    }
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
      if (frame.type < FIRST_CONTROL) this.#owner.frame(frame, body);
      else this.#takeControl(frame.type, frame.id, body);
      if (this.#state === 'closed') return;
    }
  }

  #takeControl(type: number, id: number, body: Uint8Array): void {
    switch (type) {
      case ControlType.ping:
        return this.#answerPing(id);
      case ControlType.pong: {
        const index = this.#asked.findIndex((ping) => ping.id === id);
        const [ping] = this.#asked.splice(0, index + 1).slice(-1);
        return ping === undefined ? undefined : this.#owner.rttMeasured(this.#clock.now() - ping.sentMs);
      }
      default:
        this.#owner.control(type, id, body);
    }
  }

  #answerPing(id: number): void {
    const { bufferedBytes } = this.transport;
    const isRead = bufferedBytes === 0 || bufferedBytes < this.#bufferedBytes;
    this.#bufferedBytes = bufferedBytes;
    this.#unreadPongs = isRead ? 0 : this.#unreadPongs + 1;
    if (this.#unreadPongs <= MAX_UNREAD_PONGS) return this.#say(ControlType.pong, id, EMPTY);
    this.close(unread({ limit: 'unreadPongs', maximum: MAX_UNREAD_PONGS }), 4413);
  }

  #end(error: QiwayError): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#stopBeat();
    this.#owner.closed(error);
  }
}

function unread(bound: Parameters<typeof overLimit>[1]): QiwayError {
  return overLimit('The other side asks and does not read.', bound);
}

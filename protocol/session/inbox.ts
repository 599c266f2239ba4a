// The receiving half of a session: counts frames, leaves out those that came over an earlier link, puts fragments together.
// Layer 5; it outlives links. See docs/link-protocol.md sections 5 and 6.
import { QiwayError } from '../errors.ts';
import { FrameFlags, type FrameHeader, NOTHING } from '../wire/link-frame.ts';
import { emptyMessageHeader, type MessageHeader, MessageType } from '../wire/message.ts';
import { SMALLEST_PIECE_BYTES } from './bulk-window.ts';
import { Fragments, type Refuse } from './fragments.ts';

/** So much is told at once; what is less waits for the next batch that goes anyway, or for the heartbeat. */
const TELL_AFTER_BYTES = 64 * 1024;
/** What a frame costs its sender as long as it is not acknowledged, however short it is. */
const FRAME_COST = 64;
const KNOWN_FLAGS = FrameFlags.dynamicPayload | FrameFlags.returnType | FrameFlags.lossy | FrameFlags.fragment;

export interface InboxOptions {
  readonly maxMessageBytes: number;
  /** A qi message. The header is reused for the next one. */
  readonly onMessage: (header: MessageHeader, payload: Uint8Array) => void;
  readonly refuse?: Refuse | undefined;
}

export class Inbox {
  readonly #options: InboxOptions;
  readonly #header: MessageHeader = emptyMessageHeader();
  #fragments: Fragments;
  #received = 0;
  /** Number of the first frame of the message that was passed on last. */
  #began = 0;
  /** Number of the last frame on the link of now; undefined until the other side has told where it begins. */
  #counted: number | undefined;
  /** Cost of what is not told yet. */
  #untold = 0;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#fragments = new Fragments(options.maxMessageBytes, options.refuse);
  }

  /** Number of the last frame taken. */
  get received(): number {
    return this.#received;
  }

  /** Number of the frame with which the message began that is being passed on; infinite for a lossy one. */
  get began(): number {
    return this.#began;
  }

  /** Bytes of messages that are not whole yet. */
  get heldBytes(): number {
    return this.#fragments.heldBytes;
  }

  /** A link on which the other side has still to say where it begins. */
  attach(): void {
    this.#counted = undefined;
  }

  /** What comes next was given after frame `start`, a number modulo 2^32. @throws `wire-invalid` when some are missing */
  begin(start: number): void {
    const ahead = (start - this.#received) | 0;
    if (this.#counted !== undefined || ahead > 0)
      throw new QiwayError(
        'wire-invalid',
        `The link begins after frame ${start}, and ${this.#received} were received.`,
      );
    this.#counted = this.#received + ahead;
  }

  /** A new session. */
  reset(): void {
    this.#fragments = new Fragments(this.#options.maxMessageBytes, this.#options.refuse);
    this.#received = 0;
    this.#began = 0;
    this.#counted = undefined;
    this.#untold = 0;
  }

  /** Takes one frame that is no control frame. @throws `wire-invalid`, `limit-exceeded`: the session must end */
  take(frame: FrameHeader, body: Uint8Array): void {
    if (frame.type < 1 || frame.type > NOTHING || (frame.flags & ~KNOWN_FLAGS) !== 0) throw unknownFrame(frame);
    if ((frame.flags & FrameFlags.lossy) !== 0) return this.#takeLossy(frame, body);
    if (this.#counted === undefined) throw new QiwayError('wire-invalid', 'A frame came before attached.');
    this.#counted += 1;
    this.#untold += FRAME_COST + body.length;
    if (this.#counted <= this.#received) return;
    this.#received = this.#counted;
    if (frame.type === NOTHING) return frame.stream === 0 ? undefined : this.#fragments.giveUp(frame.stream);
    if (frame.stream !== 0 || body.length > SMALLEST_PIECE_BYTES) this.#untold += TELL_AFTER_BYTES;
    this.#began = this.#received;
    if (frame.stream !== 0) this.#began = this.#fragments.begunAt(frame.stream) ?? this.#received;
    const whole = frame.stream === 0 ? body : this.#fragments.take(frame, body, this.#received);
    if (whole === undefined) return;
    if (frame.stream === 0 && (frame.flags & FrameFlags.fragment) !== 0) throw unknownFrame(frame);
    this.#passOn(frame, whole);
  }

  /** Asked at the end of a batch: is what came to be told at once, with the next batch, or is there nothing to tell? */
  toTell(): 'now' | 'later' | undefined {
    if (this.#untold === 0) return undefined;
    const isUrgent = this.#untold >= TELL_AFTER_BYTES;
    if (isUrgent) this.#untold = 0;
    return isUrgent ? 'now' : 'later';
  }

  #takeLossy(frame: FrameHeader, body: Uint8Array): void {
    const isFit = frame.type === MessageType.post || frame.type === MessageType.event;
    if (!isFit || frame.stream !== 0 || (frame.flags & FrameFlags.fragment) !== 0) throw unknownFrame(frame);
    this.#began = Number.POSITIVE_INFINITY; // never replayed: it was sent on this link
    this.#passOn(frame, body);
  }

  #passOn(frame: FrameHeader, payload: Uint8Array): void {
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
}

function unknownFrame({ type, flags }: FrameHeader): QiwayError {
  return new QiwayError('wire-invalid', `A frame has type ${type} and flags ${flags}, which nobody sends.`);
}

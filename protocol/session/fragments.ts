// Puts messages together again that came in fragments. Layer 5. See docs/link-protocol.md section 5.
import { overLimit, QiwayError } from '../errors.ts';
import { readUint32 } from '../wire/bytes.ts';
import { FrameFlags, type FrameHeader } from '../wire/link-frame.ts';
import { SMALLEST_PIECE_BYTES } from './bulk-window.ts';
import { MAX_OPEN_STREAMS } from './large-messages.ts';

interface Unfinished {
  readonly header: FrameHeader;
  /** Number of its first frame. */
  readonly begunAt: number;
  readonly total: number;
  readonly parts: Uint8Array[];
  received: number;
}

/** Why so many bytes more cannot be kept, for reasons beyond this session. */
export type Refuse = (more: number) => QiwayError | undefined;

export class Fragments {
  readonly #unfinished = new Map<number, Unfinished>();
  readonly #maxMessageBytes: number;
  readonly #refuse: Refuse | undefined;
  /** Declared by the unfinished messages together, and come of them. */
  #unfinishedBytes = 0;
  #heldBytes = 0;

  constructor(maxMessageBytes: number, refuse?: Refuse) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#refuse = refuse;
  }

  /** Bytes of messages that are not whole yet. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Number of the frame with which an unfinished stream began. */
  begunAt(stream: number): number | undefined {
    return this.#unfinished.get(stream)?.begunAt;
  }

  /**
   * Takes one fragment, the frame `number`; the whole body with the last one. Parts are kept as views where they can be.
   * @throws `wire-invalid`, `limit-exceeded`: the link must then be closed
   */
  take(header: FrameHeader, body: Uint8Array, number: number): Uint8Array | undefined {
    const isLast = (header.flags & FrameFlags.fragment) === 0;
    // Each part costs some memory beside its bytes: many small ones would be more than the bound.
    if (!isLast && body.length < SMALLEST_PIECE_BYTES)
      throw new QiwayError('wire-invalid', `A fragment of ${body.length} bytes, and not the last.`);
    const known = this.#unfinished.get(header.stream);
    const part = known === undefined ? body.subarray(4) : body;
    const unfinished = known ?? this.#begin({ header, number }, body);
    if (unfinished.header.id !== header.id || unfinished.header.type !== header.type)
      throw new QiwayError('wire-invalid', `Fragment stream ${header.stream} changed its message.`);
    unfinished.received += part.length;
    if (unfinished.received > unfinished.total || (isLast && unfinished.received !== unfinished.total)) {
      throw new QiwayError('wire-invalid', `A message of ${unfinished.total} bytes came with ${unfinished.received}.`);
    }
    unfinished.parts.push(isLast ? part : own(part));
    if (!isLast) {
      const refusal = this.#refuse?.(part.length);
      if (refusal !== undefined) throw refusal;
      this.#heldBytes += part.length;
      return undefined;
    }
    this.#heldBytes -= unfinished.received - part.length;
    this.#unfinished.delete(header.stream);
    this.#unfinishedBytes -= unfinished.total;
    return joined(unfinished);
  }

  /** The rest of a message will not come. One that is not known is none any more. */
  giveUp(stream: number): void {
    const unfinished = this.#unfinished.get(stream);
    if (unfinished === undefined) return;
    this.#unfinished.delete(stream);
    this.#unfinishedBytes -= unfinished.total;
    this.#heldBytes -= unfinished.received;
  }

  #begin({ header, number }: { readonly header: FrameHeader; readonly number: number }, body: Uint8Array): Unfinished {
    if (body.length < 4) throw new QiwayError('wire-invalid', 'The first fragment is too short for its length.');
    const total = readUint32(body, 0);
    if (this.#unfinishedBytes + total > this.#maxMessageBytes)
      throw overLimit(`Unfinished messages of more than ${this.#maxMessageBytes} bytes.`, {
        limit: 'maxMessageBytes',
        maximum: this.#maxMessageBytes,
      });
    if (this.#unfinished.size >= MAX_OPEN_STREAMS)
      throw overLimit(`More than ${MAX_OPEN_STREAMS} unfinished messages.`, {
        limit: 'streams',
        maximum: MAX_OPEN_STREAMS,
      });
    this.#unfinishedBytes += total;
    const unfinished: Unfinished = { header: { ...header }, begunAt: number, total, parts: [], received: 0 };
    this.#unfinished.set(header.stream, unfinished);
    return unfinished;
  }
}

/** A view keeps its whole batch in memory: the part is a copy where that is much more. */
function own(part: Uint8Array): Uint8Array {
  return part.buffer.byteLength > 2 * part.length + SMALLEST_PIECE_BYTES ? part.slice() : part;
}

function joined({ parts, total }: Unfinished): Uint8Array {
  const whole = new Uint8Array(total);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

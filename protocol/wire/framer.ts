// Cuts a stream of bytes into qi messages. Layer 1; does not look into payloads, and knows no socket.
import { GATHER_BYTES, LARGE_GATHER_BYTES, MAX_PAYLOAD_BYTES } from './limits.ts';
import { emptyMessageHeader, HEADER_BYTES, type MessageHeader, readMessageHeader } from './message.ts';
import { limitExceeded } from './wire-errors.ts';

export interface MessageFramerOptions {
  /** Largest payload accepted; MAX_PAYLOAD_BYTES unless given. */
  readonly maxPayloadBytes?: number;
  /**
   * Called for each message, in order, while `push` runs. `header` is the same object every time: copy what is kept.
   * `payload` is a view of the chunk pushed when the message lies whole in it, else memory of its own; the framer never writes to it again.
   * What it throws ends the framer.
   */
  readonly onMessage: (header: MessageHeader, payload: Uint8Array) => void;
}

/**
 * Incremental and bounded: what waits for the rest of a message takes at most twice the bytes that have come of it, or
 * GATHER_BYTES, or LARGE_GATHER_BYTES once GATHER_BYTES have come.
 * A chunk that was pushed is not referred to afterwards, except by the payloads handed out.
 */
export class MessageFramer {
  readonly #maxPayloadBytes: number;
  readonly #onMessage: (header: MessageHeader, payload: Uint8Array) => void;
  readonly #header: MessageHeader = emptyMessageHeader();
  /** `between`: `kept` holds `filled` bytes of a header. `within`: the header is read, and `kept` holds `filled` bytes of its payload. */
  #state:
    | { name: 'between' | 'within'; kept: Uint8Array; filled: number }
    | { name: 'ended'; reason: unknown }
    | { name: 'closed' };

  constructor(options: MessageFramerOptions) {
    this.#maxPayloadBytes = options.maxPayloadBytes ?? MAX_PAYLOAD_BYTES;
    this.#onMessage = options.onMessage;
    this.#state = { name: 'between', kept: new Uint8Array(HEADER_BYTES), filled: 0 };
  }

  /**
   * Takes the next bytes of the stream. After an error the framer has ended: later pushes throw the same again.
   * @throws wire-invalid for a wrong magic; limit-exceeded for a payload too large
   */
  push(chunk: Uint8Array): void {
    if (this.#state.name === 'ended') throw this.#state.reason;
    try {
      let at = 0;
      while (at < chunk.length) {
        const state = this.#state;
        if (state.name === 'closed') return;
        at = state.name === 'within' || state.filled > 0 ? this.#fill(chunk, at, state) : this.#whole(chunk, at, state);
      }
    } catch (reason) {
      this.#state = { name: 'ended', reason };
      throw reason;
    }
  }

  /** No further message is handed out, also of the chunk being pushed; later pushes do nothing. */
  close(): void {
    this.#state = { name: 'closed' };
  }

  /** Hands on the messages that lie whole in the chunk; begins to gather the one that does not. */
  #whole(chunk: Uint8Array, start: number, state: { name: string; kept: Uint8Array; filled: number }): number {
    let at = start;
    while (chunk.length - at >= HEADER_BYTES) {
      this.#readHeader(chunk, at);
      const begin = at + HEADER_BYTES;
      const end = begin + this.#header.size;
      if (end > chunk.length) return this.#gather(chunk, begin);
      at = end;
      this.#onMessage(this.#header, chunk.subarray(begin, end));
      if (this.#state !== state) return at;
    }
    state.kept.set(chunk.subarray(at));
    state.filled = chunk.length - at;
    return chunk.length;
  }

  /** Takes what is missing of the header or the payload being gathered. */
  #fill(
    chunk: Uint8Array,
    at: number,
    state: { name: 'between' | 'within'; kept: Uint8Array; filled: number },
  ): number {
    const wanted = state.name === 'between' ? HEADER_BYTES : this.#header.size;
    const taken = Math.min(wanted - state.filled, chunk.length - at);
    const filled = state.filled + taken;
    if (filled > state.kept.length) {
      const larger = new Uint8Array(Math.min(wanted, Math.max(filled, state.kept.length * 2, LARGE_GATHER_BYTES)));
      larger.set(state.kept.subarray(0, state.filled));
      state.kept = larger;
    }
    state.kept.set(at === 0 && taken === chunk.length ? chunk : chunk.subarray(at, at + taken), state.filled);
    state.filled = filled;
    if (filled < wanted) return at + taken;
    if (state.name === 'between') {
      this.#readHeader(state.kept, 0);
      if (this.#header.size > 0) return this.#gather(chunk, at + taken);
    }
    const payload = state.name === 'between' ? new Uint8Array(0) : state.kept;
    this.#state = {
      name: 'between',
      kept: state.name === 'between' ? state.kept : new Uint8Array(HEADER_BYTES),
      filled: 0,
    };
    this.#onMessage(this.#header, payload);
    return at + taken;
  }

  /** Begins a payload that does not lie whole in one chunk with its header. */
  #gather(chunk: Uint8Array, begin: number): number {
    const { size } = this.#header;
    const present = Math.min(size, chunk.length - begin);
    const atLeast = present >= GATHER_BYTES / 2 ? LARGE_GATHER_BYTES : GATHER_BYTES;
    const kept = new Uint8Array(Math.min(size, Math.max(atLeast, present * 2)));
    const state = { name: 'within' as const, kept, filled: 0 };
    this.#state = state;
    return present > 0 ? this.#fill(chunk, begin, state) : begin;
  }

  #readHeader(bytes: Uint8Array, at: number): void {
    const { size } = readMessageHeader(bytes, at, this.#header);
    if (size > this.#maxPayloadBytes) {
      throw limitExceeded(`a message has a payload of ${size} bytes`, 'maxPayloadBytes', this.#maxPayloadBytes);
    }
  }
}

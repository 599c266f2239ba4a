// A MessagePort as a transport: between a tab and who owns its link, or between the page that holds a transport and the owner.
// Layer 6. Ports have no backpressure of their own, so the receiver tells how many bytes it has taken.
import type { CloseCode, Transport, TransportListener } from '../session/transport.ts';
import { joined } from './joined.ts';

/** What is used of `MessagePort`; so that this file needs no DOM types. */
export interface PlatformPort {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  close(): void;
  start?(): void;
  addEventListener(type: string, listener: (event: unknown) => void): void;
}

export interface MessagePortOptions {
  /** How the bytes go in the end. Default `direct`. */
  readonly route?: Transport['route'];
  /** Bytes that the other side has not taken before `send` says to wait; `drain` comes at half of it. */
  readonly highWaterBytes?: number;
}

/** For a port with a `PlainWire` on it: events that wait for room wait from `WAIT_ABOVE_BYTES` on, and hear of it by `drain`. */
export const PORT_HIGH_WATER_BYTES: number = 128 * 1024;
/** Some pieces of bulk. */
const HIGH_WATER_BYTES = 4 * 1024 * 1024;
/** Each side takes what it is given at once, so it tells so much together. */
const TELL_AFTER_BYTES = 64 * 1024;

/** Beside messages, which are `ArrayBuffer`s: a number of bytes that were taken, or the end. */
interface End {
  readonly code: number;
  readonly reason: string;
}

/** Takes over the port. */
export function messagePortTransport(port: PlatformPort, options: MessagePortOptions = {}): Transport {
  return new MessagePortTransport(port, options);
}

class MessagePortTransport implements Transport {
  readonly route: Transport['route'];
  readonly #port: PlatformPort;
  readonly #highWaterBytes: number;
  #listener: TransportListener | undefined;
  #state: 'open' | 'full' | 'closed' = 'open';
  #bufferedBytes = 0;
  #untoldBytes = 0;

  constructor(port: PlatformPort, { route = 'direct', highWaterBytes = HIGH_WATER_BYTES }: MessagePortOptions) {
    this.#port = port;
    this.route = route;
    this.#highWaterBytes = highWaterBytes;
    port.addEventListener('message', (event) => this.#take((event as { readonly data: unknown }).data));
    // Where the platform has it: the other side is gone without a word, by a crash too.
    port.addEventListener('close', () => this.#end('the other side is gone'));
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  send(part: Uint8Array, rest?: readonly Uint8Array[]): boolean {
    if (this.#state === 'closed') return true;
    // Batches are views of shared memory, and parts of others' messages: only a copy may be given away.
    const buffer = (rest === undefined ? part.slice() : joined(part, rest)).buffer as ArrayBuffer;
    this.#bufferedBytes += buffer.byteLength;
    this.#port.postMessage(buffer, [buffer]);
    if (this.#bufferedBytes <= this.#highWaterBytes) return true;
    this.#state = 'full';
    return false;
  }

  close(code: CloseCode, reason: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#port.postMessage({ code, reason } satisfies End, []);
    this.#port.close();
    queueMicrotask(() => this.#listener?.close(reason, code));
  }

  listen(listener: TransportListener): void {
    this.#listener = listener;
    this.#port.start?.();
  }

  #take(data: unknown): void {
    if (this.#state === 'closed') return;
    if (data instanceof ArrayBuffer) {
      this.#untoldBytes += data.byteLength;
      this.#listener?.message(new Uint8Array(data));
      this.#tell();
    } else if (typeof data === 'number') this.#taken(data);
    else if (isEnd(data)) this.#end(data.reason, data.code);
    else this.close(4400, 'no message');
  }

  /** Small ones together: each costs the other side a task. */
  #tell(): void {
    if (this.#untoldBytes < TELL_AFTER_BYTES || (this.#state as string) === 'closed') return;
    this.#port.postMessage(this.#untoldBytes, []);
    this.#untoldBytes = 0;
  }

  #taken(bytes: number): void {
    this.#bufferedBytes = Math.max(0, this.#bufferedBytes - bytes);
    if (this.#state !== 'full' || this.#bufferedBytes > this.#highWaterBytes / 2) return;
    this.#state = 'open';
    this.#listener?.drain();
  }

  #end(reason: string, code?: number): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#port.close();
    this.#listener?.close(reason, code);
  }
}

function isEnd(data: unknown): data is End {
  return typeof data === 'object' && data !== null && typeof (data as End).reason === 'string';
}

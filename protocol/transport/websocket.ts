// The platform's own WebSocket (browsers, workers, Node) as a transport, from the side that dials. Layer 6.

import type { Clock } from '../clock.ts';
import { type DialFault, QiwayError } from '../errors.ts';
import type { CloseCode, Transport, TransportListener } from '../session/transport.ts';
import { joined } from './joined.ts';

/** What is used of `WebSocket`; so that this file needs no DOM types. */
interface PlatformSocket {
  binaryType: string;
  readonly bufferedAmount: number;
  readonly readyState: number;
  send(bytes: Uint8Array): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: string, listener: (event: never) => void): void;
}
export type WebSocketClass = new (url: string, protocols: string) => PlatformSocket;

export interface DialOptions {
  readonly url: string;
  readonly protocol: string;
  /** Time for the socket to open. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly WebSocket: WebSocketClass;
}

/** Bytes that may wait in the socket before bulk is held back; the link's own window mostly stays below. */
const HIGH_WATER_BYTES = 4 * 1024 * 1024;
/** How often a full socket is looked at: browsers tell of no drain. */
const DRAIN_POLL_MS = 4;

/** Opens a WebSocket. @throws `dial-failed` when it does not open in time */
export function dialWebSocket(options: DialOptions): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string, why: DialFault = 'unreachable'): void => {
      stopTimer();
      reject(
        new QiwayError(
          'dial-failed',
          `No robot agent answers at ${options.url}: ${reason}. Check the address, that the agent runs, and that this device reaches its network.`,
          { data: { url: options.url, reason, why } },
        ),
      );
    };
    let stopTimer = (): void => {};
    let socket: PlatformSocket;
    try {
      socket = new options.WebSocket(options.url, options.protocol);
    } catch (error) {
      // What a page of https is kept from.
      const isForbidden = error instanceof Error && error.name === 'SecurityError';
      return fail(
        error instanceof Error ? error.message : 'the address is refused',
        isForbidden ? 'mixed-content' : 'unreachable',
      );
    }
    socket.binaryType = 'arraybuffer';
    let isOpen = false;
    const transport = new WebSocketTransport(socket, options.clock);
    stopTimer = options.clock.after(options.timeoutMs, () => {
      socket.close();
      fail(`it did not open within ${Math.ceil(options.timeoutMs)} ms`, 'timeout');
    });
    socket.addEventListener('open', () => {
      isOpen = true;
      stopTimer();
      resolve(transport);
    });
    socket.addEventListener('close', (event: { readonly code: number; readonly reason: string }) => {
      if (!isOpen) fail(`the connection was closed (${event.code})`);
    });
  });
}

class WebSocketTransport implements Transport {
  readonly route = 'direct';
  readonly #socket: PlatformSocket;
  readonly #clock: Clock;
  #listener: TransportListener | undefined;
  #state: 'open' | 'full' | 'closed' = 'open';

  constructor(socket: PlatformSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    socket.addEventListener('message', (event: { readonly data: unknown }) => {
      if (event.data instanceof ArrayBuffer) this.#listener?.message(new Uint8Array(event.data));
      else this.close(4400, 'text message');
    });
    socket.addEventListener('close', (event: { readonly code: number; readonly reason: string }) => {
      if (this.#state === 'closed') return;
      this.#state = 'closed';
      this.#listener?.close(event.reason === '' ? `closed (${event.code})` : event.reason, event.code);
    });
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(part: Uint8Array, rest?: readonly Uint8Array[]): boolean {
    if (this.#state === 'closed' || this.#socket.readyState !== 1) return true;
    this.#socket.send(rest === undefined ? part : joined(part, rest));
    if (this.#socket.bufferedAmount <= HIGH_WATER_BYTES) return true;
    if (this.#state === 'open') {
      this.#state = 'full';
      this.#pollDrain();
    }
    return false;
  }

  close(code: CloseCode, reason: string): void {
    this.#socket.close(code, reason);
  }

  listen(listener: TransportListener): void {
    this.#listener = listener;
  }

  #pollDrain(): void {
    this.#clock.after(DRAIN_POLL_MS, () => {
      if (this.#state !== 'full') return;
      if (this.#socket.bufferedAmount > HIGH_WATER_BYTES / 2) return this.#pollDrain();
      this.#state = 'open';
      this.#listener?.drain();
    });
  }
}

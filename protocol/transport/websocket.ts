// The platform's own WebSocket (browsers, workers, Node) as a transport, from the side that dials. Layer 4.

import type { Clock } from '../clock.ts';
import { QiwayError } from '../errors.ts';
import type { CloseCode, Transport, TransportListener } from '../session/transport.ts';

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

/**
 * Bytes that may wait in the socket before bulk is held back: about what it takes in 10 ms, so that a fast path stays
 * busy and on a slow one a small frame waits no longer than that behind bulk.
 */
const HIGH_WATER = { firstBytes: 256 * 1024, leastBytes: 64 * 1024, mostBytes: 4 * 1024 * 1024, ms: 10 } as const;
/** How often a full socket is looked at: browsers tell of no drain, and let timers wait 4 ms at least. */
const DRAIN_POLL_MS = 2;

/** Opens a WebSocket. @throws `dial-failed` when it does not open in time */
export function dialWebSocket(options: DialOptions): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      stopTimer();
      reject(
        new QiwayError(
          'dial-failed',
          `No robot agent answers at ${options.url}: ${reason}. Check the address, that the agent runs, and that this device reaches its network.`,
          { data: { url: options.url, reason } },
        ),
      );
    };
    let stopTimer = (): void => {};
    let socket: PlatformSocket;
    try {
      socket = new options.WebSocket(options.url, options.protocol);
    } catch (error) {
      return fail(error instanceof Error ? error.message : 'the address is refused');
    }
    socket.binaryType = 'arraybuffer';
    let isOpen = false;
    const transport = new WebSocketTransport(socket, options.clock);
    stopTimer = options.clock.after(options.timeoutMs, () => {
      socket.close();
      fail(`it did not open within ${options.timeoutMs} ms`);
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
  #highWaterBytes: number = HIGH_WATER.firstBytes;

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
      this.#listener?.close(event.reason === '' ? `closed (${event.code})` : event.reason);
    });
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(message: Uint8Array): boolean {
    if (this.#state === 'closed' || this.#socket.readyState !== 1) return true;
    this.#socket.send(message);
    if (this.#socket.bufferedAmount <= this.#highWaterBytes) return true;
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
    const before = this.#socket.bufferedAmount;
    const since = this.#clock.now();
    this.#clock.after(DRAIN_POLL_MS, () => {
      if (this.#state !== 'full') return;
      const left = this.#socket.bufferedAmount;
      const bytesPerMs = (before - left) / Math.max(this.#clock.now() - since, 0.1);
      if (left > 0 || bytesPerMs * HIGH_WATER.ms > this.#highWaterBytes) this.#learn(bytesPerMs * HIGH_WATER.ms);
      if (left > this.#highWaterBytes / 2) return this.#pollDrain();
      this.#state = 'open';
      this.#listener?.drain();
    });
  }

  /** Halfway to what was just seen, within bounds: one slow moment is no slow path. */
  #learn(bytes: number): void {
    const next = (this.#highWaterBytes + bytes) / 2;
    this.#highWaterBytes = Math.min(Math.max(next, HIGH_WATER.leastBytes), HIGH_WATER.mostBytes);
  }
}

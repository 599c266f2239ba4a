// Two transports joined in memory: for tests, and for an agent in the same process. Layer 6.

import type { CloseCode, Transport, TransportListener } from '../session/transport.ts';
import { joined } from './joined.ts';

class MemoryTransport implements Transport {
  readonly route = 'direct';
  readonly bufferedBytes = 0;
  #listener: TransportListener | undefined;
  #isClosed = false;
  other!: MemoryTransport;

  send(part: Uint8Array, rest?: readonly Uint8Array[]): boolean {
    if (this.#isClosed) return true;
    const message = rest === undefined ? part : joined(part, rest);
    queueMicrotask(() => this.other.#receive(message));
    return true;
  }

  close(code: CloseCode, reason: string): void {
    queueMicrotask(() => this.#end(reason, code));
    queueMicrotask(() => this.other.#end(reason, code));
  }

  listen(listener: TransportListener): void {
    this.#listener = listener;
  }

  #receive(message: Uint8Array): void {
    if (!this.#isClosed) this.#listener?.message(message);
  }

  #end(reason: string, code: CloseCode): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener?.close(reason, code);
  }
}

/** Two ends; what one sends the other receives in a later microtask. */
export function memoryTransports(): [Transport, Transport] {
  const left = new MemoryTransport();
  const right = new MemoryTransport();
  left.other = right;
  right.other = left;
  return [left, right];
}

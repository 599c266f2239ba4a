// Two transports joined in memory: for tests, and for an agent in the same process. Layer 6.

import type { CloseCode, Transport, TransportListener } from '../session/transport.ts';
import { joined } from './joined.ts';

class MemoryTransport implements Transport {
  readonly route = 'direct';
  readonly bufferedBytes = 0;
  #listener: TransportListener | undefined;
  /** What came before anybody listened. */
  #early: Uint8Array[] = [];
  #closed: { readonly reason: string; readonly code: CloseCode } | undefined;
  other!: MemoryTransport;

  send(part: Uint8Array, rest?: readonly Uint8Array[]): boolean {
    if (this.#closed !== undefined) return true;
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
    queueMicrotask(() => {
      for (const message of this.#early.splice(0)) listener.message(message);
      if (this.#closed !== undefined) listener.close(this.#closed.reason, this.#closed.code);
    });
  }

  #receive(message: Uint8Array): void {
    if (this.#closed !== undefined) return;
    if (this.#listener === undefined) this.#early.push(message);
    else this.#listener.message(message);
  }

  #end(reason: string, code: CloseCode): void {
    if (this.#closed !== undefined) return;
    this.#closed = { reason, code };
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

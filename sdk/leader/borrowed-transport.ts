// A transport that a page holds and lends: over its port, until either side closes it or the page is known to be gone. For the
// owner; knows no pages.
import type { CloseCode, Transport, TransportListener } from '@qiway/protocol/session/transport';
import { messagePortTransport, type PlatformPort } from '@qiway/protocol/transport/message-port';

export interface BorrowOptions {
  /** How the bytes go in the end. */
  readonly route: Transport['route'];
  /** Called once, when it is over. */
  readonly onEnd: () => void;
}

export interface BorrowedTransport extends Transport {
  /** Who lent it is gone: tells the listener, who hears no more after that. Idempotent. */
  lenderGone(reason: string): void;
}

/** Takes over the port. */
export function borrowedTransport(port: MessagePort, options: BorrowOptions): BorrowedTransport {
  return new Borrowed(messagePortTransport(port as PlatformPort, options), options.onEnd);
}

type State =
  | { readonly kind: 'unheard' }
  | { readonly kind: 'open'; readonly listener: TransportListener }
  | { readonly kind: 'closed'; readonly reason: string };

class Borrowed implements BorrowedTransport {
  readonly #inner: Transport;
  readonly #onEnd: () => void;
  #state: State = { kind: 'unheard' };

  constructor(inner: Transport, onEnd: () => void) {
    this.#inner = inner;
    this.#onEnd = onEnd;
  }

  get route(): Transport['route'] {
    return this.#inner.route;
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes;
  }

  send(message: Uint8Array, rest?: readonly Uint8Array[]): boolean {
    return this.#state.kind === 'closed' || this.#inner.send(message, rest);
  }

  close(code: CloseCode, reason: string): void {
    this.#inner.close(code, reason);
    if (this.#state.kind === 'unheard') this.#end(reason, code);
  }

  listen(listener: TransportListener): void {
    const state = this.#state;
    if (state.kind === 'closed') return queueMicrotask(() => listener.close(state.reason));
    this.#state = { kind: 'open', listener };
    this.#inner.listen({
      message: (bytes) => {
        if (this.#state.kind === 'open') listener.message(bytes);
      },
      drain: () => {
        if (this.#state.kind === 'open') listener.drain();
      },
      close: (reason, code) => this.#end(reason, code),
    });
  }

  lenderGone(reason: string): void {
    this.#inner.close(1000, reason);
    this.#end(reason);
  }

  #end(reason: string, code?: number): void {
    const before = this.#state;
    if (before.kind === 'closed') return;
    this.#state = { kind: 'closed', reason };
    this.#onEnd();
    if (before.kind === 'open') before.listener.close(reason, code);
  }
}

// Messages for services whose object is being fetched: kept in order, bounded for the whole peer, handled or refused when
// it is known. Layer 2.
import { asQiwayError, overLimit, type QiwayError } from '../errors.ts';

/** Bytes: a service is fetched in moments, and what comes before it is mostly one call. */
const MAX_WAITING_BYTES = 16_777_216;

/** One message, with what becomes of it; one of the three is called. */
interface Waiting {
  readonly service: number;
  /** Of a call, by which it may be cancelled. */
  readonly id?: number;
  readonly bytes: Uint8Array;
  readonly run: (bytes: Uint8Array) => void;
  readonly refuse: (error: QiwayError) => void;
  readonly canceled?: () => void;
}

export class WaitingMessages {
  readonly #maxCount: number;
  /** Of each service, in order. */
  readonly #queues = new Map<number, Set<Waiting>>();
  readonly #calls = new Map<number, Waiting>();
  #count = 0;
  #bytes = 0;

  constructor(maxCount: number) {
    this.#maxCount = maxCount;
  }

  isWaitedFor(service: number): boolean {
    return this.#queues.size > 0 && this.#queues.has(service);
  }

  /** What comes for the service waits from now on until it is found or not. */
  begin(service: number, found: Promise<unknown>): void {
    const queue = new Set<Waiting>();
    this.#queues.set(service, queue);
    const finish = (error?: QiwayError): void => {
      if (this.#queues.get(service) !== queue) return;
      this.#queues.delete(service);
      for (const message of queue) this.#leave(message);
      for (const { bytes, run, refuse } of queue) {
        if (error === undefined) run(bytes);
        else refuse(error);
      }
    };
    found.then(
      () => finish(),
      (error: unknown) => finish(asQiwayError(error, 'service-gone')),
    );
  }

  add(message: Waiting): void {
    const { service, id, bytes, refuse } = message;
    if (this.#count >= this.#maxCount) return refuse(tooMuch('messages', this.#maxCount));
    if (this.#bytes + bytes.length > MAX_WAITING_BYTES) return refuse(tooMuch('waitingBytes', MAX_WAITING_BYTES));
    this.#count += 1;
    this.#bytes += bytes.length;
    // What is a small part of what a socket read would keep all of that.
    const isPart = bytes.length < bytes.buffer.byteLength / 2;
    const kept = isPart ? { ...message, bytes: bytes.slice() } : message;
    this.#queues.get(service)?.add(kept);
    if (id !== undefined) this.#calls.set(id, kept);
  }

  /** The call of that id, if it waits, is dropped. */
  cancel(id: number): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#queues.get(call.service)?.delete(call);
    this.#leave(call);
    call.canceled?.();
  }

  /** Nobody waits any more: none is called. */
  clear(): void {
    this.#queues.clear();
    this.#calls.clear();
    this.#count = 0;
    this.#bytes = 0;
  }

  #leave(message: Waiting): void {
    this.#count -= 1;
    this.#bytes -= message.bytes.length;
    if (message.id !== undefined && this.#calls.get(message.id) === message) this.#calls.delete(message.id);
  }
}

function tooMuch(limit: string, maximum: number): QiwayError {
  return overLimit('Too much waits for services that are still being fetched; call again later.', { limit, maximum });
}

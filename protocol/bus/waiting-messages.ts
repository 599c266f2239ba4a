// Messages for services whose object is being fetched: kept in order, bounded for the whole peer, handled or refused when
// it is known. Layer 2.
import { asQiwayError, QiwayError } from '../errors.ts';

/** Bytes: a service is fetched in moments, and what comes before it is mostly one call. */
const MAX_WAITING_BYTES = 16_777_216;

/** One message, with what becomes of it; one of the two is called. */
interface Waiting {
  readonly bytes: Uint8Array;
  readonly run: (bytes: Uint8Array) => void;
  readonly refuse: (error: QiwayError) => void;
}

export class WaitingMessages {
  readonly #maxCount: number;
  readonly #queues = new Map<number, Waiting[]>();
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
    const queue: Waiting[] = [];
    this.#queues.set(service, queue);
    const finish = (error?: QiwayError): void => {
      if (this.#queues.get(service) !== queue) return;
      this.#queues.delete(service);
      this.#count -= queue.length;
      for (const { bytes } of queue) this.#bytes -= bytes.length;
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

  add(service: number, message: Waiting): void {
    const { bytes, refuse } = message;
    if (this.#count >= this.#maxCount) return refuse(tooMuch('messages', this.#maxCount));
    if (this.#bytes + bytes.length > MAX_WAITING_BYTES) return refuse(tooMuch('waitingBytes', MAX_WAITING_BYTES));
    this.#count += 1;
    this.#bytes += bytes.length;
    // What is a small part of what a socket read would keep all of that.
    const isPart = bytes.length < bytes.buffer.byteLength / 2;
    this.#queues.get(service)?.push(isPart ? { ...message, bytes: bytes.slice() } : message);
  }

  /** Nobody waits any more: neither is called. */
  clear(): void {
    this.#queues.clear();
    this.#count = 0;
    this.#bytes = 0;
  }
}

function tooMuch(limit: string, maximum: number): QiwayError {
  return new QiwayError(
    'limit-exceeded',
    'Too much waits for services that are still being fetched; call again later.',
    {
      data: { limit, maximum },
    },
  );
}

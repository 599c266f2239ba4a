// Who wants to hear of something: callbacks, and readers who take it at their own pace. Knows nothing of what is told.
import { EventQueue } from '@qiway/protocol/objects/event-queue';

export class Listeners<T> {
  readonly #onError: (error: unknown) => void;
  readonly #callbacks = new Set<(value: T) => void>();
  readonly #readers = new Set<EventQueue<T>>();
  #isClosed = false;

  /** @param onError takes what callbacks throw */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Calls `callback` with what is told; returns how to stop. */
  add(callback: (value: T) => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  /** What is told, after `first`, until the end. */
  read(...first: readonly T[]): EventQueue<T> {
    const reader: EventQueue<T> = new EventQueue(() => this.#readers.delete(reader));
    for (const value of first) reader.push(value);
    if (this.#isClosed) reader.end();
    else this.#readers.add(reader);
    return reader;
  }

  tell(value: T): void {
    for (const callback of [...this.#callbacks]) {
      try {
        callback(value);
      } catch (error) {
        this.#onError(error);
      }
    }
    for (const reader of this.#readers) reader.push(value);
  }

  /** Nothing follows. */
  close(): void {
    this.#isClosed = true;
    this.#callbacks.clear();
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }
}

// Events waiting for one reader, as an async iterator. Layer 3; bounded: the oldest are dropped and counted.
import type { EventIterator } from './remote-types.ts';

/** Events kept for a reader that is slower than they come: some seconds of a fast sensor. */
const MAX_WAITING_EVENTS = 256;

interface Reader<T> {
  readonly resolve: (result: IteratorResult<T>) => void;
  readonly reject: (error: unknown) => void;
}

export class EventQueue<T> implements EventIterator<T> {
  readonly #onReturn: () => unknown;
  readonly #isLatestOnly: boolean;
  readonly #waiting: T[] = [];
  readonly #readers: Reader<T>[] = [];
  /** `failed`: the error goes to one reader, after what waits; then the queue is done. */
  #state: { readonly kind: 'open' } | { readonly kind: 'failed'; readonly error: unknown } | { readonly kind: 'done' } =
    { kind: 'open' };
  #missed = 0;

  /**
   * @param onReturn runs when the reader wants no more; `return()` waits for it
   * @param options.isLatestOnly of what comes while nobody reads only the newest is kept, as the reader wished
   */
  constructor(onReturn: () => unknown, { isLatestOnly = false }: { readonly isLatestOnly?: boolean } = {}) {
    this.#onReturn = onReturn;
    this.#isLatestOnly = isLatestOnly;
  }

  get missed(): number {
    return this.#missed;
  }

  push(value: T): void {
    if (this.#state.kind !== 'open') return;
    const reader = this.#readers.shift();
    if (reader !== undefined) return reader.resolve({ value, done: false });
    if (this.#isLatestOnly) this.#waiting.length = 0;
    this.#waiting.push(value);
    if (this.#waiting.length <= MAX_WAITING_EVENTS) return;
    this.#waiting.shift();
    this.#missed += 1;
  }

  /** Events that never came here. */
  skip(count: number): void {
    this.#missed += count;
  }

  /** Nothing follows what waits. */
  end(): void {
    if (this.#state.kind !== 'open') return;
    this.#state = { kind: 'done' };
    for (const reader of this.#readers.splice(0)) reader.resolve({ value: undefined, done: true });
  }

  /** The reader gets the error after what waits. */
  fail(error: unknown): void {
    if (this.#state.kind !== 'open') return;
    const first = this.#readers.shift();
    if (first === undefined) {
      this.#state = { kind: 'failed', error };
      return;
    }
    this.end();
    first.reject(error);
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#waiting.length > 0) return Promise.resolve({ value: this.#waiting.shift() as T, done: false });
    const state = this.#state;
    if (state.kind === 'open') return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    this.#state = { kind: 'done' };
    return state.kind === 'failed' ? Promise.reject(state.error) : Promise.resolve({ value: undefined, done: true });
  }

  async return(): Promise<IteratorResult<T>> {
    this.#waiting.length = 0;
    this.end();
    this.#state = { kind: 'done' };
    await this.#onReturn();
    return { value: undefined, done: true };
  }

  async throw(error: unknown): Promise<IteratorResult<T>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

// The highest rate of a path in the last second or two. Layer 5; plain arithmetic. A rate that the sender could not fill
// says nothing against a higher one, so only those that are the path's own make it forget.

/** A half of the memory, ms: a rate is remembered for one to two of these. */
const HALF_MS = 1_000;
/** Shorter spans cannot be told from none where clocks are coarse (browsers round to 0.1 ms). */
const SHORTEST_MS = 0.1;

export interface RateSample {
  readonly elapsedMs: number;
  readonly now: number;
  /** The path was filled: it does not carry more at the moment. */
  readonly isOfPath: boolean;
}

export class BestRate {
  #current = 0;
  #previous = 0;
  #beganAtMs: number | undefined;

  get bytesPerMs(): number {
    return Math.max(this.#current, this.#previous);
  }

  add(bytes: number, { elapsedMs, now, isOfPath }: RateSample): void {
    const rate = bytes / Math.max(elapsedMs, SHORTEST_MS);
    if (isOfPath) {
      this.#beganAtMs ??= now;
      if (now - this.#beganAtMs >= HALF_MS) {
        this.#previous = this.#current;
        this.#current = 0;
        this.#beganAtMs = now;
      }
    }
    if (rate > this.#current) this.#current = rate;
  }

  forget(): void {
    this.#current = 0;
    this.#previous = 0;
    this.#beganAtMs = undefined;
  }
}

/**
 * Radios and busy processors pass on what they have in bursts: one of them says many times what the path carries. So long, ms,
 * says it well.
 */
const SPAN_MS = 25;

/** What was confirmed in the last span of time, and since when the path was busy at most. */
export class BusySpan {
  /** Only the first is older than the span. */
  readonly #marks: { readonly bytes: number; readonly atMs: number }[] = [];

  /** The path was idle until now. @param bytes count of all that was confirmed */
  begin(bytes: number, now: number): void {
    this.#marks.length = 0;
    this.#marks.push({ bytes, atMs: now });
  }

  /** Undefined: the path is not busy for so long yet. @param bytes count of all that was confirmed */
  confirmed(bytes: number, now: number): { readonly bytes: number; readonly elapsedMs: number } | undefined {
    this.#marks.push({ bytes, atMs: now });
    const since = now - SPAN_MS;
    const first = this.#marks.findLastIndex(({ atMs }) => atMs <= since);
    if (first > 0) this.#marks.splice(0, first);
    const [mark] = this.#marks;
    if (mark === undefined || mark.atMs > since) return undefined;
    return { bytes: bytes - mark.bytes, elapsedMs: now - mark.atMs };
  }
}

/** The least value of the last one to two spans of time. */
export class LeastOf {
  readonly #spanMs: number;
  #current = Number.POSITIVE_INFINITY;
  #previous = Number.POSITIVE_INFINITY;
  #beganAtMs: number | undefined;

  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  /** Returns the least, this one included. */
  add(value: number, now: number): number {
    this.#beganAtMs ??= now;
    if (now - this.#beganAtMs >= this.#spanMs) {
      this.#previous = this.#current;
      this.#current = Number.POSITIVE_INFINITY;
      this.#beganAtMs = now;
    }
    this.#current = Math.min(this.#current, value);
    return Math.min(this.#current, this.#previous);
  }

  forget(): void {
    this.#current = Number.POSITIVE_INFINITY;
    this.#previous = Number.POSITIVE_INFINITY;
    this.#beganAtMs = undefined;
  }
}

// Time as an argument. Layer 0: whoever waits is given a clock, so that tests run on a virtual one.

export interface Clock {
  /** Milliseconds, monotonic, from an arbitrary start. */
  now(): number;
  /** Runs `run` once after `delayMs`; returns how to prevent it. */
  after(delayMs: number, run: () => void): () => void;
}

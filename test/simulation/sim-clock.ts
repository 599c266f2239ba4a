// Virtual time for simulations: a heap of timers, all promises settled between two of them. Timers of a part that was
// killed never run. Support of the tests; it knows nothing of what runs on it.
import type { Clock } from '../../protocol/clock.ts';

interface Timer {
  readonly at: number;
  /** Of two at the same moment the one set first runs first. */
  readonly order: number;
  readonly part: { isEnded: boolean };
  run: (() => void) | undefined;
}

/** The clock of one program, which can be killed. */
export interface ProgramClock extends Clock {
  /** None of its timers runs any more. */
  end(): void;
}

export class SimClock implements Clock {
  readonly #heap: Timer[] = [];
  readonly #whole = { isEnded: false };
  #now = 0;
  #order = 0;

  now(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): () => void {
    return this.#set(this.#whole, delayMs, run);
  }

  /** A clock of a program, with the same time. */
  program(): ProgramClock {
    const part = { isEnded: false };
    return {
      now: () => this.#now,
      after: (delayMs, run) => this.#set(part, delayMs, run),
      end: () => {
        part.isEnded = true;
      },
    };
  }

  /** Runs everything due up to `atMs`, in order, until `isDone`, which is asked after each. */
  async runTo(atMs: number, isDone: () => boolean = () => false): Promise<void> {
    await drained();
    while (!isDone()) {
      const next = this.#heap[0];
      if (next === undefined || next.at > atMs) {
        this.#now = atMs;
        return;
      }
      this.#pop();
      const { run, part } = next;
      if (run === undefined || part.isEnded) continue;
      this.#now = next.at;
      run();
      await drained();
    }
  }

  #set(part: { isEnded: boolean }, delayMs: number, run: () => void): () => void {
    this.#order += 1;
    const timer: Timer = { at: this.#now + Math.max(0, delayMs), order: this.#order, part, run };
    this.#push(timer);
    return () => {
      timer.run = undefined;
    };
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Timer;
      if (isBefore(parent, timer)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Timer;
    const count = heap.length;
    if (count === 0) return;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= count) break;
      if (below + 1 < count && isBefore(heap[below + 1] as Timer, heap[below] as Timer)) below += 1;
      if (isBefore(last, heap[below] as Timer)) break;
      heap[at] = heap[below] as Timer;
      at = below;
    }
    heap[at] = last;
  }
}

/** Lets every promise settle that can without time: exactly, and faster than by counting rounds. */
export function drained(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

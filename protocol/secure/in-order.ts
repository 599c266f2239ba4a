// Results used in the order in which the work was begun, though it may end in another. Beside layer 5.
import { isPromise, type Later } from './later.ts';

interface Slot {
  use: (() => void) | undefined;
}

export class InOrder {
  readonly #slots: Slot[] = [];
  readonly #failed: (error: unknown) => void;

  /** @param failed told of work that rejected; what came after is used all the same */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Nothing waits: what is there may be used at once, past this queue. */
  get isEmpty(): boolean {
    return this.#slots.length === 0;
  }

  /** Calls `use` with what `later` comes to, after all that were added before. */
  add<T>(later: Later<T>, use: (value: T) => void): void {
    if (!isPromise(later)) {
      if (this.isEmpty) use(later);
      else this.#slots.push({ use: () => use(later) });
      return;
    }
    const slot: Slot = { use: undefined };
    this.#slots.push(slot);
    const ready = (run: () => void): void => {
      slot.use = run;
      this.#run();
    };
    later.then(
      (value) => ready(() => use(value)),
      (error: unknown) => ready(() => this.#failed(error)),
    );
  }

  #run(): void {
    for (let first = this.#slots[0]; first?.use !== undefined; first = this.#slots[0]) {
      this.#slots.shift();
      first.use();
    }
  }
}

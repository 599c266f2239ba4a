// Chance that repeats itself: numbers from a seed. Support of the tests.

export class Chance {
  #state: number;

  constructor(seed: number) {
    // Seeds are consecutive; without this their first numbers would be alike.
    this.#state = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b);
  }

  /** 0 or more, below `end`; whole. */
  below(end: number): number {
    return Math.floor(this.fraction() * end);
  }

  /** Both ends included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** @param probability from 0 to 1 */
  happens(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(of: readonly T[]): T | undefined {
    return of[this.below(of.length)];
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256));
  }

  /** Another row of numbers: what one part draws does not change what the others get. */
  fork(): Chance {
    return new Chance(this.below(0x7fff_ffff));
  }

  fraction(): number {
    // mulberry32, by Tommy Ettinger, in the public domain.
    this.#state = (this.#state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }
}

// The simulations of `npm test`, a quarter a file, so that they run on all cores.
import { expect, test } from 'vitest';
import { runSeeds, totals } from './run-seeds.ts';

/** Of each test. */
const SEEDS = 500;
/** The files beside this one. */
const QUARTERS = 4;
const TESTS_PER_QUARTER = 5;

/** @param quarter from 0 */
export function simulateQuarter(quarter: number): void {
  if (!(quarter < QUARTERS)) throw new Error(`there are ${QUARTERS} quarters`);
  const first = quarter * TESTS_PER_QUARTER;
  const begins = Array.from({ length: TESTS_PER_QUARTER }, (_, index) => (first + index) * SEEDS + 1);
  test.each(begins)(
    `sessions from seed %d on: whatever the network does, every law holds`,
    async (from) => {
      const { runs, events, links } = totals(await runSeeds(from, SEEDS));
      // Much happened, and links broke.
      expect(runs).toBeGreaterThan(SEEDS * 10);
      expect(events).toBeGreaterThan(SEEDS);
      expect(links).toBeGreaterThan(SEEDS * 2);
    },
    120_000,
  );
}

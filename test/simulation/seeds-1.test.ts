// A quarter of the simulations of `npm test`: in files of their own, so that they run on all cores.
import { expect, test } from 'vitest';
import { runSeeds, totals } from './run-seeds.ts';

const SEEDS = 500;

test.each([1, 501, 1001, 1501, 2001])(
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

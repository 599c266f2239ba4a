// A quarter of the simulations of `npm test`: in files of their own, so that they run on all cores.
import { expect, test } from 'vitest';
import { runSeeds, totals } from './run-seeds.ts';

const SEEDS = 500;

test.each([7501, 8001, 8501, 9001, 9501])(
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

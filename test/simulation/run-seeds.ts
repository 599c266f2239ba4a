// Many simulations in one test; one that fails is told with the command that repeats it alone. Support of the tests.
import { type SimulationReport, simulate } from './simulation.ts';

/** Runs `count` seeds. @throws with the first violation, and how to see it happen */
export async function runSeeds(from: number, count: number): Promise<SimulationReport[]> {
  const reports: SimulationReport[] = [];
  for (let seed = from; seed < from + count; seed += 1) {
    const report = await simulate({ seed });
    if (report.violation !== undefined)
      throw new Error(
        `Seed ${seed}: ${report.violation}\nTo see it happen: node scripts/soak.ts --from ${seed} --seeds 1 --trace`,
      );
    reports.push(report);
  }
  return reports;
}

export interface Totals {
  readonly runs: number;
  readonly events: number;
  readonly links: number;
}

export function totals(reports: readonly SimulationReport[]): Totals {
  const sum = (of: (report: SimulationReport) => number): number =>
    reports.reduce((total, each) => total + of(each), 0);
  return { runs: sum(({ runs }) => runs), events: sum(({ events }) => events), links: sum(({ cables }) => cables) };
}

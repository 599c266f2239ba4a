// How often and with which seed fuzz tests run; a failure prints the command that repeats it.
import fc from 'fast-check';

const given = process.env['QIWAY_FUZZ_SEED'];

/** For `fc.assert`. @param file under test/hostile */
export function fuzzing<T extends unknown[]>(file: string, numRuns: number): fc.Parameters<T> {
  return {
    numRuns,
    // What failed is shown as it was: the agent is not the same after it.
    endOnFailure: true,
    ...(given === undefined ? {} : { seed: Number(given) }),
    reporter: (details) => {
      if (!details.failed) return;
      const repeat = `QIWAY_FUZZ_SEED=${details.seed} npx vitest run test/hostile/${file}`;
      throw new Error(`${fc.defaultReportMessage(details)}\n\nRepeat it with: ${repeat}`, {
        cause: details.errorInstance,
      });
    },
  };
}

// A Vitest reporter that writes how many tests passed, failed and were skipped into the file named by $QIWAY_TEST_COUNTS,
// where scripts/test.ts adds the checks and prints the last line, and lists the tests that passed at a second try only.
// Tooling of the tests.

import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** What a run came to. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Counts a run: a file that does not load, a hook that fails and an error outside of any test are failures too. */
function countTests(modules: readonly TestModule[], errors: readonly SerializedError[]): TestCounts {
  let passed = 0;
  let skipped = 0;
  let failed = errors.length;
  for (const module of modules) {
    let failedHere = 0;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') passed += 1;
      else if (state === 'skipped') skipped += 1;
      else failedHere += 1;
    }
    const isBroken = module.state() === 'failed' && failedHere === 0;
    failed += isBroken ? 1 : failedHere;
  }
  return { passed, failed, skipped };
}

/** Tests that failed at first, with what they failed of. */
function secondTries(modules: readonly TestModule[]): readonly string[] {
  const lines: string[] = [];
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      if (test.diagnostic()?.flaky !== true) continue;
      const reasons = test.result().errors?.map(({ message }) => `    ${message.replaceAll('\n', '\n    ')}`) ?? [];
      lines.push(`  ${module.relativeModuleId} > ${test.fullName}`, ...reasons);
    }
  }
  return lines;
}

export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const flaky = secondTries(modules);
    if (flaky.length > 0) process.stdout.write(`Passed at the second try only:\n${flaky.join('\n')}\n`);
    const file = process.env['QIWAY_TEST_COUNTS'];
    if (file !== undefined) writeFileSync(file, JSON.stringify(countTests(modules, errors)));
  }
}

// `npm test`: the checks, then every test; the last line is `N passed, N failed, N skipped`. Tooling.
// `--quick` runs only the tests that open no socket; other arguments go on to Vitest.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestCounts } from '../test/support/summary-reporter.ts';
import { root, runChecks } from './checks.ts';

/** Runs Vitest. A run that ends without telling its counts, or as failed without a failed test, is one failure. */
function runVitest(args: readonly string[]): TestCounts {
  const folder = mkdtempSync(join(tmpdir(), 'qiway-test-'));
  const countsFile = join(folder, 'counts.json');
  try {
    const { status } = spawnSync(join(root, 'node_modules', '.bin', 'vitest'), ['run', ...args], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, QIWAY_TEST_COUNTS: countsFile },
    });
    const counts = readCounts(countsFile);
    return status !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readCounts(file: string): TestCounts {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as TestCounts;
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

const isQuick = process.argv.includes('--quick');
const rest = process.argv.slice(2).filter((argument) => argument !== '--quick');
const checks = isQuick ? [] : runChecks();
const tests = runVitest(isQuick ? ['--project', 'quick', ...rest] : rest);

const passed = tests.passed + checks.filter(({ hasPassed }) => hasPassed).length;
const failedChecks = checks.filter(({ hasPassed }) => !hasPassed);
const failed = tests.failed + failedChecks.length;
for (const { name } of failedChecks) process.stdout.write(`FAILED  ${name} (its report is at the top)\n`);
process.exitCode = failed === 0 ? 0 : 1;
process.stdout.write(`${passed} passed, ${failed} failed, ${tests.skipped} skipped\n`);

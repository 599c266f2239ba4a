// The demo's dev server and build, and the projects of the tests.
// `quick` opens no socket and starts no process; `browser` drives a real Chromium on the built demo; `network` makes networks
// of its own (as root on Linux); `node` is everything else.

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { ViteUserConfig } from 'vitest/config';
import { consoleWorker } from './scripts/console-worker.ts';
import { SummaryReporter } from './test/support/summary-reporter.ts';

const quickFolders = [
  'wire',
  'bus',
  'objects',
  'directory',
  'mirror',
  'session',
  'http-door',
  'simulation',
  'vectors',
  'types',
];
/** Each project that starts programs has its own folder for what they keep. */
const stateHome = 'test/support/state-home.ts';
/** At least two: tests wait more than they compute, and on a machine of two cores Vitest would run one file at a time. */
const maxWorkers = Math.max(2, availableParallelism() - 1);
const isTestRun = process.env['VITEST'] !== undefined;
/**
 * In a whole run, a quarter of an hour of programs, browsers and networks on a shared machine, a test of these may be tried a second
 * time. The run tells which were (`SummaryReporter`): each is a fault to look for, of the product or of the test.
 */
const retry = process.env['QIWAY_TEST_COUNTS'] === undefined ? 0 : 1;

const config: ViteUserConfig = {
  root: isTestRun ? '.' : 'web-demo',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [consoleWorker(join(import.meta.dirname, 'web-demo'))],
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2023' },
  test: {
    reporters: ['default', new SummaryReporter()],
    maxWorkers,
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          // Nothing in these folders keeps state in modules, so they share one: half the time.
          pool: 'threads',
          isolate: false,
          include: quickFolders.map((folder) => `test/${folder}/**/*.test.ts`),
        },
      },
      {
        extends: true,
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: [...quickFolders, 'browser', 'network'].map((folder) => `test/${folder}/**`),
          globalSetup: stateHome,
          // Two at a time, and their programs.
          testTimeout: 40_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          globalSetup: stateHome,
          maxWorkers: 1,
          retry,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'network',
          include: ['test/network/**/*.test.ts'],
          globalSetup: [stateHome, 'test/network/support/global-setup.ts'],
          // Their programs keep both cores of a small machine busy.
          maxWorkers: 1,
          retry,
          testTimeout: 40_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
};

export default config;

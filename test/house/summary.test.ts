// The counts behind the last line of `npm test`: nothing that failed is left out of them. Tooling test; runs Vitest.

import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkout, makeScratchFolder } from '../support/checkout-copy.ts';
import { runProgram } from '../support/run-program.ts';

const config = `
import { SummaryReporter } from '${join(checkout, 'test', 'support', 'summary-reporter.ts')}';
export default { test: { reporters: [new SummaryReporter()], include: ['*.test.ts'] } };`;

let folder: string;

async function runOf(
  files: Readonly<Record<string, string>>,
): Promise<{ readonly counts: unknown; readonly output: string }> {
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), `import { beforeAll, it } from 'vitest';\n${text}`);
  }
  const counts = join(folder, 'counts.json');
  const vitest = join(checkout, 'node_modules', '.bin', 'vitest');
  const { stdout, stderr } = await runProgram(vitest, ['run'], { cwd: folder, env: { QIWAY_TEST_COUNTS: counts } });
  try {
    return { counts: JSON.parse(readFileSync(counts, 'utf8')), output: stdout };
  } catch {
    throw new Error(`no counts were written: ${stderr}`);
  }
}

async function countsOf(files: Readonly<Record<string, string>>): Promise<unknown> {
  return (await runOf(files)).counts;
}

beforeEach(() => {
  folder = makeScratchFolder('summary');
  symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'vitest.config.ts'), config);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the counts of a run', () => {
  it('tell passed, failed and skipped tests', async () => {
    const counts = await countsOf({
      'a.test.ts': `it('a', () => {}); it.skip('b', () => {}); it.todo('c'); it('d', () => { throw new Error('no'); });`,
      'b.test.ts': `it('a', () => {});`,
    });
    expect(counts).toEqual({ passed: 2, failed: 1, skipped: 2 });
  });

  it('count a file that does not load as a failure', async () => {
    expect(await countsOf({ 'a.test.ts': `it('a', () => {}); throw new Error('no');` })).toMatchObject({ failed: 1 });
  });

  it('count a file whose hook fails as a failure', async () => {
    const text = `beforeAll(() => { throw new Error('no'); }); it('a', () => {});`;
    expect(await countsOf({ 'a.test.ts': text })).toMatchObject({ passed: 0, failed: 1 });
  });

  it('count an error outside of every test as a failure', async () => {
    const text = `it('a', async () => { void Promise.reject(new Error('no')); });`;
    expect(await countsOf({ 'a.test.ts': text })).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });
});

it('a test that passes at a second try only is told, with what it failed of', async () => {
  const text = `let tries = 0;
    it('slow', { retry: 1 }, () => { tries += 1; if (tries < 2) throw new Error('not yet'); });
    it('quick', { retry: 1 }, () => {});`;
  const { counts, output } = await runOf({ 'a.test.ts': text });
  expect(counts).toEqual({ passed: 2, failed: 0, skipped: 0 });
  expect(output).toBe('Passed at the second try only:\n  a.test.ts > slow\n    not yet\n');
});

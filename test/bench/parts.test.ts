// The parts of the bench that need processes of their own run, briefly, and give what they are there for.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import type { PartRow } from '../../bench/parts/part.ts';
import { runProgram } from '../support/run-program.ts';

const directory = mkdtempSync(join(tmpdir(), 'qiway-bench-test-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it.each([
  ['resume', 6, 'link cut, first call answered'],
  ['fairness', 10, 'beside 20 clients that stopped reading, p99'],
  ['sessions', 2, 'the same without a link'],
])(
  '%s runs',
  async (part, count, title) => {
    const out = join(directory, `${part}.json`);
    const args = ['--only', part, '--rounds', '1', '--run-ms', '25', '--out', out];
    const { code, stdout, stderr } = await runProgram(process.execPath, [
      fileURLToPath(new URL('../../bench/main.ts', import.meta.url)),
      ...args,
    ]);
    expect(stderr).toContain(`${part}: `);
    expect(code).toBe(0);
    expect(stdout).toContain(title);
    const { parts, rows } = JSON.parse(readFileSync(out, 'utf8')) as { parts: PartRow[]; rows: unknown[] };
    expect(rows).toEqual([]);
    expect(parts).toHaveLength(count);
    for (const { figure } of parts) expect(figure.median).toBeGreaterThan(0);
  },
  120_000,
);

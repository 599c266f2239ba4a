// What the doctor of qiway makes of steps that work and fail.
import { QiwayError } from '@qiway/protocol/errors';
import { describe, expect, it } from 'vitest';
import { printStep } from '../../sdk/cli/doctor.ts';
import { runSteps, type Step, type StepReport } from '../../sdk/diagnose/steps.ts';

const good: Step = { name: 'good', run: () => 'found', advice: () => 'never' };
const bad: Step = {
  name: 'bad',
  run: () => Promise.reject(new QiwayError('unauthorized', 'no')),
  advice: ({ code }) => `about ${code}`,
};

describe('the doctor', () => {
  it('says what was found, step by step', async () => {
    const heard: StepReport[] = [];
    const reports = await runSteps([good, { ...good, run: async () => 'later' }], (report) => heard.push(report));
    expect(heard).toEqual(reports);
    expect(reports.map(printStep)).toEqual(['ok      good: found\n', 'ok      good: later\n']);
  });

  it('gives advice for the first failure and skips what builds on it', async () => {
    const reports = await runSteps([good, bad, good], () => {});
    expect(reports.map(printStep)).toEqual([
      'ok      good: found\n',
      'failed  bad: [unauthorized] no\n        → about unauthorized\n',
      'skipped good: needs the steps before\n',
    ]);
  });

  it('gives the same advice once', async () => {
    const reports = await runSteps(
      [
        { ...bad, isOptional: true },
        { ...bad, name: 'worse' },
      ],
      () => {},
    );
    expect(reports.map(({ advice }) => advice)).toEqual(['about unauthorized', undefined]);
  });

  it('goes on after a failure that others do not build on', async () => {
    const reports = await runSteps([{ ...bad, isOptional: true }, good], () => {});
    expect(reports.map(({ state }) => state)).toEqual(['failed', 'ok']);
  });
});

// The check of the way to the robot: its steps as they end, and once for each address by itself.
import { QiwayError, type StepReport } from '@qiway/sdk';
import { beforeEach, describe, expect, it } from 'vitest';
import { withoutCodes } from '../../web-demo/failure-text.ts';
import { type Check, createCheck } from '../../web-demo/robot/check.ts';
import { settled } from '../support/virtual-clock.ts';

const step = (name: string, state: StepReport['state'] = 'ok'): StepReport => ({ name, state, detail: '' });

let url: string | undefined;
let asked: string[];
let tellStep: (step: StepReport) => void;
let finish: (steps: readonly StepReport[]) => void;
let fail: (error: unknown) => void;
let check: Check;
beforeEach(() => {
  url = 'http://robot/#token=t';
  asked = [];
  check = createCheck({
    url: () => url,
    diagnose: (target, onStep) => {
      asked.push(target);
      tellStep = onStep;
      return new Promise((resolve, reject) => {
        finish = (steps) => resolve({ isOk: false, steps, summary: 'Nobody listens there.' });
        fail = reject;
      });
    },
  });
});

describe('a check', () => {
  it('shows each step as it ends, and then all with a summary', async () => {
    check.run();
    tellStep(step('URL'));
    expect(check.state.value).toEqual({ kind: 'running', steps: [step('URL')] });
    const steps = [step('URL'), step('HTTP', 'failed')];
    finish(steps);
    await settled();
    expect(check.state.value).toEqual({ kind: 'done', steps, summary: 'Nobody listens there.' });
  });

  it('is one at a time', () => {
    check.run();
    check.run();
    check.runOnce();
    expect(asked).toHaveLength(1);
  });

  it('runs by itself once for each address, and as often as a person asks', async () => {
    check.runOnce();
    finish([]);
    await settled();
    check.runOnce();
    expect(asked).toHaveLength(1);
    check.run();
    finish([]);
    await settled();
    url = 'http://robot/#token=other';
    check.runOnce();
    expect(asked).toEqual(['http://robot/#token=t', 'http://robot/#token=t', url]);
  });

  it('that fails itself says why', async () => {
    check.run();
    fail(new QiwayError('dial-failed', 'The part that diagnoses could not be loaded.'));
    await settled();
    expect(check.state.value).toEqual({ kind: 'failed', text: 'The part that diagnoses could not be loaded.' });
  });

  it('of nothing does nothing', () => {
    url = undefined;
    check.run();
    check.runOnce();
    expect([asked, check.state.value]).toEqual([[], { kind: 'none' }]);
  });
});

it('what is quoted of the SDK is shown without its codes', () => {
  expect(withoutCodes('The step "agent" failed: [dial-failed] nobody → [timeout] look')).toBe(
    'The step "agent" failed: nobody → look',
  );
  expect(withoutCodes('a list [1] and [Not] a code')).toBe('a list [1] and [Not] a code');
});

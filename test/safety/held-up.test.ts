// Silence as it is watched by an agent that was held up itself: its own lateness is nobody else's silence.
import type { Clock } from '@qiway/protocol/clock';
import { watchSilence } from '@qiway/protocol/silence';
import { describe, expect, it } from 'vitest';
import { safetyLab } from './safety-lab.ts';

describe('an agent that was held up itself', () => {
  /** Timers run when the test says so, however late. */
  function heldUp(isStallSilence = false): {
    silent: () => number;
    hear: () => void;
    jump: (ms: number) => void;
    run: () => void;
  } {
    let now = 0;
    let lastHeardMs = 0;
    let fired = 0;
    let timer = (): void => {};
    const clock: Clock = {
      now: () => now,
      after: (_delayMs, run) => {
        timer = run;
        return () => {};
      },
    };
    const session = {
      get lastHeardMs() {
        return lastHeardMs;
      },
      listen: () => () => {},
    };
    watchSilence(session, {
      clock,
      afterMs: 500,
      isStallSilence,
      silent: () => {
        fired += 1;
      },
    });
    return {
      silent: () => fired,
      hear: () => {
        lastHeardMs = now;
      },
      jump: (ms) => {
        now += ms;
      },
      run: () => timer(),
    };
  }

  it('reads what came meanwhile before it takes the session for silent', () => {
    const { silent, hear, jump, run } = heldUp();
    jump(2_000);
    run();
    hear();
    run();
    expect(silent()).toBe(0);
  });

  it('takes it for silence, where it is asked to, that nobody watched for as long again', () => {
    const { silent, hear, jump, run } = heldUp(true);
    jump(900);
    hear();
    run();
    expect(silent()).toBe(0);
    jump(500 + 501);
    hear();
    run();
    expect(silent()).toBe(1);
  });

  it('stops the robot, whose driver it did not obey in time', async () => {
    const lab = await safetyLab();
    const driver = await lab.session();
    await driver.own['setFailsafe']?.(500, [['ALMotion', 'stopMove', []]]);
    lab.clock.stall(1_001);
    driver.hear();
    await lab.clock.advance(0);
    expect(lab.log).toEqual(['stop']);
    expect(lab.lines).toEqual(['warn: failsafe fired']);
  });

  it('looks once more, and not for ever', () => {
    const { silent, jump, run } = heldUp();
    jump(2_000);
    run();
    expect(silent()).toBe(0);
    jump(300);
    run();
    expect(silent()).toBe(1);
  });
});

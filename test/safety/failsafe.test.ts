// Failsafes: what the agent does when a session falls silent, on a virtual clock.
import { QiwayError } from '@qiway/protocol/errors';
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import { describe, expect, it } from 'vitest';
import { settled } from '../support/virtual-clock.ts';
import { type LabSession, type SafetyLab, safetyLab } from './safety-lab.ts';

const STOP = [['ALMotion', 'stopMove', []]];
const lost = new QiwayError('link-lost', 'The link broke.');

async function armed(
  afterMs = 500,
  calls: unknown = STOP,
): Promise<{ lab: SafetyLab; driver: LabSession; id: number }> {
  const lab = await safetyLab();
  const driver = await lab.session();
  const id = (await driver.own['setFailsafe']?.(afterMs, calls)) as number;
  return { lab, driver, id };
}

/** Hears the session every `everyMs` for `ms`. */
async function talk(
  { clock }: SafetyLab,
  driver: LabSession,
  { ms, everyMs }: { ms: number; everyMs: number },
): Promise<void> {
  for (let past = 0; past < ms; past += everyMs) {
    await clock.advance(everyMs);
    driver.hear();
  }
}

/** A service that can leave the bus and come back. */
function restartedPosture(): { readonly stopped: readonly string[]; host(): ReturnType<typeof createObject> } {
  const stopped: string[] = [];
  return {
    stopped,
    host: () => createObject({ stopMove: method('()', 'v', () => void stopped.push('stop')) }),
  };
}

describe('a failsafe', () => {
  it('is not made as long as the session is heard', async () => {
    const { lab, driver } = await armed();
    await talk(lab, driver, { ms: 60_000, everyMs: 166 });
    expect(lab.log).toEqual([]);
    expect(driver.told).toEqual([['failsafeChanged', 1, 500, 'armed', 0, []]]);
  });

  it('is made afterMs after the session was last heard, to the millisecond', async () => {
    const { lab, driver } = await armed();
    await lab.clock.advance(300);
    driver.hear();
    await lab.clock.advance(499);
    expect(lab.log).toEqual([]);
    await lab.clock.advance(1);
    expect(lab.log).toEqual(['stop']);
    expect(lab.counts.failsafesFired).toBe(1);
    expect(lab.lines).toContain('warn: failsafe fired');
  });

  it('is made once for a silence, and again in the next', async () => {
    const { lab, driver } = await armed();
    await lab.clock.advance(100_000);
    expect(lab.log).toEqual(['stop']);
    driver.hear();
    await talk(lab, driver, { ms: 2_000, everyMs: 100 });
    expect(lab.log).toEqual(['stop']);
    await lab.clock.advance(500);
    expect(lab.log).toEqual(['stop', 'stop']);
    expect(driver.told.map(([, , , state]) => state)).toEqual(['armed', 'fired', 'armed', 'fired']);
    expect(driver.told[2]?.[4]).toBeGreaterThan(0);
  });

  it('is made when the session tells that one it speaks for is silent, once, and is armed when that one is heard again', async () => {
    const { lab, driver, id } = await armed();
    await driver.own['tellSilence']?.(id, true);
    expect(lab.log).toEqual(['stop']);
    expect(await driver.own['tellSilence']?.(id, true)).toBe(true);
    // The session itself goes on to be heard: that is no news of the one behind it.
    await talk(lab, driver, { ms: 2_000, everyMs: 100 });
    expect(lab.log).toEqual(['stop']);
    await lab.clock.advance(500);
    expect(lab.log).toEqual(['stop']);
    driver.hear();
    expect(await driver.own['tellSilence']?.(id, false)).toBe(true);
    await talk(lab, driver, { ms: 1_000, everyMs: 100 });
    await lab.clock.advance(500);
    expect(lab.log).toEqual(['stop', 'stop']);
    expect(driver.told.map(([, , , state]) => state)).toEqual(['armed', 'fired', 'armed', 'fired']);
    expect(await driver.own['tellSilence']?.(id + 1, true)).toBe(false);
  });

  it('is made at once when the session ends uncleanly, and not again', async () => {
    const { lab, driver } = await armed();
    driver.end(lost);
    expect(lab.log).toEqual(['stop']);
    await lab.clock.advance(10_000);
    expect(lab.log).toEqual(['stop']);
  });

  it('is not made once more when the silent session then ends', async () => {
    const { lab, driver } = await armed();
    await lab.clock.advance(600);
    driver.end(lost);
    await lab.clock.advance(10_000);
    expect(lab.log).toEqual(['stop']);
  });

  it('is not made when the app closed in order, nor when it was cleared', async () => {
    const { lab, driver } = await armed();
    driver.end();
    await lab.clock.advance(10_000);
    const other = await armed();
    expect(await other.driver.own['clearFailsafe']?.(other.id)).toBe(true);
    expect(await other.driver.own['clearFailsafe']?.(other.id)).toBe(false);
    await other.lab.clock.advance(10_000);
    expect([...lab.log, ...other.lab.log]).toEqual([]);
  });

  it('makes all its calls, with the arguments converted to what the methods take', async () => {
    const { lab } = await armed(200, [
      ['ALMotion', 'setAngles', ['Head', 1]],
      ['ALMotion', 'moveToward::(fff)', [0, 0, 0.5]],
      ['Lamp', 'on', []],
    ]);
    await lab.clock.advance(200);
    expect(lab.log).toEqual(['angle Head 1', 'move 0 0 0.5', 'lamp on']);
  });

  it('lets several be registered, each with its own time', async () => {
    const { lab, driver } = await armed(500);
    const slow = await driver.own['setFailsafe']?.(2_000, [['Lamp', 'on', []]]);
    await lab.clock.advance(1_000);
    expect(lab.log).toEqual(['stop']);
    await lab.clock.advance(1_000);
    expect(lab.log).toEqual(['stop', 'lamp on']);
    expect(slow).toBe(2);
  });

  it('goes on with the other calls when one fails, and says which', async () => {
    const lab = await safetyLab();
    const fails = method('()', 'v', () => Promise.reject(new Error('no power')));
    await lab.bus.host('Broken', createObject({ fails }));
    const driver = await lab.session();
    await driver.own['setFailsafe']?.(200, [['Broken', 'fails', []], ...STOP]);
    await lab.clock.advance(300);
    expect(lab.log).toEqual(['stop']);
    expect(driver.told.at(-1)?.[5]).toEqual(['Broken.fails: [call-failed] no power']);
    expect(lab.counts.failsafeCallsFailed).toBe(1);
  });

  it('does not wait for ever for an answer', async () => {
    const lab = await safetyLab();
    await lab.bus.host('Mute', createObject({ hangs: method('()', 'v', () => new Promise(() => {})) }));
    const driver = await lab.session();
    await driver.own['setFailsafe']?.(200, [['Mute', 'hangs', []]]);
    await lab.clock.advance(6_000);
    expect(String(driver.told.at(-1)?.[5])).toContain('timeout');
  });

  it('finds a service again that left the bus since, and stops when it is back', async () => {
    const lab = await safetyLab();
    const { stopped, host } = restartedPosture();
    const first = await lab.bus.host('ALRobotPosture', host());
    const driver = await lab.session();
    await driver.own['setFailsafe']?.(200, [['ALRobotPosture', 'stopMove', []]]);
    await first.close();
    await lab.clock.advance(1_000);
    expect(stopped).toEqual([]);
    await lab.bus.host('ALRobotPosture', host());
    await lab.clock.advance(300);
    expect(stopped).toEqual(['stop']);
  });
});

describe('a stop that could not be delivered', () => {
  it('is not made any more once the session is back', async () => {
    const lab = await safetyLab();
    const { stopped, host } = restartedPosture();
    const first = await lab.bus.host('ALRobotPosture', host());
    const driver = await lab.session();
    await driver.own['setFailsafe']?.(500, [['ALRobotPosture', 'stopMove', []]]);
    await first.close();
    await lab.clock.advance(1_000);
    driver.hear();
    await lab.bus.host('ALRobotPosture', host());
    await talk(lab, driver, { ms: 2_000, everyMs: 100 });
    expect(stopped).toEqual([]);
    expect(String(driver.told.at(-1)?.[5])).toContain('service-not-found');
  });

  it('is given up after 10 s', async () => {
    const { lab, driver } = await armed();
    const { serviceId } = await lab.bus.serviceInfo('ALMotion');
    lab.bus.registry.unregister(serviceId);
    await lab.clock.advance(9_000);
    expect(lab.counts.failsafeCallsFailed).toBe(0);
    await lab.clock.advance(2_000);
    expect(lab.counts.failsafeCallsFailed).toBe(1);
    expect(driver.told.at(-1)?.[5]).toHaveLength(1);
  });
});

describe('a session that ends while its failsafe is being made', () => {
  it('leaves none behind', async () => {
    const lab = await safetyLab();
    let arrive = (): void => {};
    const ready = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const lamp = await lab.bus.service('Lamp');
    const id = lab.bus.registerSource('Slow', async () => {
      await ready;
      return lamp;
    });
    lab.bus.registry.ready(id);
    const driver = await lab.session();
    const asked = driver.own['setFailsafe']?.(500, [['Slow', 'on', []]]);
    await settled(); // the agent has begun with it
    driver.end(lost);
    await expect(asked).rejects.toMatchObject({ code: 'link-lost' });
    arrive();
    await lab.clock.advance(10_000);
    expect(lab.log).toEqual([]);
  });
});

describe('a session that comes back after its failsafe fired', () => {
  it('cannot move the robot with what it sent before, and can with what it sends then', async () => {
    const { lab, driver } = await armed();
    const motion = await driver.service('ALMotion');
    await lab.clock.advance(900);
    expect(lab.log).toEqual(['stop']);
    // Frames of a batch are taken before the session counts as heard.
    const late = motion['moveToward']?.(1, 0, 0);
    await expect(late).rejects.toMatchObject({ code: 'motion-stale', maybeExecuted: false });
    driver.hear();
    await lab.clock.advance(199);
    await expect(motion['moveToward']?.(1, 0, 0)).rejects.toMatchObject({ code: 'motion-stale' });
    await motion['stopMove']?.();
    await motion['getRobotPosition']?.(true);
    await lab.clock.advance(1);
    await motion['moveToward']?.(0.5, 0, 0);
    expect(lab.log).toEqual(['stop', 'stop', 'move 0.5 0 0']);
  });

  it('can so too when the first thing it says is that the failsafe is cleared', async () => {
    const { lab, driver, id } = await armed();
    const motion = await driver.service('ALMotion');
    await lab.clock.advance(900);
    await driver.own['clearFailsafe']?.(id);
    driver.hear();
    await lab.clock.advance(200);
    await motion['moveToward']?.(0.5, 0, 0);
    expect(lab.log).toEqual(['stop', 'move 0.5 0 0']);
  });
});

describe('what is refused, with nothing registered', () => {
  it.each([
    ['a time too short', 100, STOP, 'invalid-argument'],
    ['a time too long', 60_001, STOP, 'invalid-argument'],
    ['no call', 500, [], 'invalid-argument'],
    ['a service that is not there', 500, [['ALMotoin', 'stopMove', []]], 'service-not-found'],
    ['a method that is not there', 500, [...STOP, ['ALMotion', 'stopMoving', []]], 'invalid-argument'],
    ['arguments that do not fit', 500, [['ALMotion', 'moveToward', ['fast', 0, 0]]], 'invalid-argument'],
    ['too many arguments', 500, [['ALMotion', 'stopMove', [1]]], 'invalid-argument'],
    ['a method of every object', 500, [['ALMotion', 'terminate', [1]]], 'invalid-argument'],
    ['an object as argument', 500, [['ALMotion', 'take', [() => 0]]], 'invalid-argument'],
    ['too many calls', 500, Array.from({ length: 17 }, () => STOP[0]), 'limit-exceeded'],
    ['too long arguments', 500, [['ALMotion', 'setAngles', ['x'.repeat(70_000), 1]]], 'limit-exceeded'],
  ])('%s', async (_what, afterMs, calls, code) => {
    const lab = await safetyLab();
    const driver = await lab.session();
    await expect(driver.own['setFailsafe']?.(afterMs, calls)).rejects.toMatchObject({ code, maybeExecuted: false });
    await lab.clock.advance(70_000);
    expect(lab.log).toEqual([]);
    expect(driver.told).toEqual([]);
  });

  it('more failsafes than a session may have', async () => {
    const { driver } = await armed();
    const more = Array.from({ length: 16 }, () => driver.own['setFailsafe']?.(500, STOP));
    const outcomes = await Promise.allSettled(more);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  });

  it('a member that a lease of somebody else keeps from the session; stopping it may', async () => {
    const lab = await safetyLab();
    const [driver, other] = [await lab.session(), await lab.session()];
    await driver.own['takeLease']?.(['ALMotion'], false);
    await expect(other.own['setFailsafe']?.(500, [['ALMotion', 'setAngles', ['Head', 0]]])).rejects.toMatchObject({
      code: 'lease-held',
    });
    await other.own['setFailsafe']?.(500, STOP);
  });
});

describe('a failsafe beside leases', () => {
  it('makes only what stops when somebody else took the service over since', async () => {
    const lab = await safetyLab({ takeOver: ['anybody'] });
    const [old, next] = [await lab.session(), await lab.session()];
    await old.own['takeLease']?.(['ALMotion'], false);
    await old.own['setFailsafe']?.(500, [
      ['ALMotion', 'setAngles', ['Head', 0]],
      ['ALMotion', 'stopMove', []],
    ]);
    await next.own['takeLease']?.(['ALMotion'], true);
    await lab.clock.advance(500);
    next.hear();
    expect(lab.log).toEqual(['stop']);
    expect(String(old.told.at(-1)?.[5])).toContain('lease-held');
  });
});

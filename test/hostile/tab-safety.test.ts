// Tabs that hang, die and mix up what is whose, behind one session: the robot stops, and moves by nobody's late words.
import { describe, expect, it } from 'vitest';
import { settled } from '../support/virtual-clock.ts';
import { tabLab } from './tab-lab.ts';

const STOP = [['ALMotion', 'stopMove', []]];
const codeOf = async (promise: Promise<unknown> | undefined): Promise<unknown> => {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('a tab with a failsafe that hung', () => {
  it('moves nothing by what it had asked for before: calls and posts of motion that come with it are refused', async () => {
    const { agent, tab, log } = await tabLab();
    const { clock } = agent;
    const driver = tab();
    const motion = await driver.service('ALMotion');
    await (await driver.own())['setFailsafe']?.(500, STOP);
    driver.hang(true);
    const late = codeOf(motion['moveToward']?.(1, 0, 0));
    motion['moveToward']?.post(2, 0, 0);
    await clock.advance(3000);
    expect(log).toEqual(['500 stop']);
    driver.hang(false);
    await settled();
    expect(await late).toBe('motion-stale');
    await clock.advance(150);
    expect(await codeOf(motion['moveToward']?.(3, 0, 0))).toBe('motion-stale');
    await motion['stopMove']?.();
    expect(log).toEqual(['500 stop', '3150 stop']);
  });

  it('decides anew after 200 ms, and nobody else is held up meanwhile', async () => {
    const { agent, tab, log } = await tabLab();
    const { clock } = agent;
    const [driver, other] = [tab(), tab()];
    const [motion, others] = [await driver.service('ALMotion'), await other.service('ALMotion')];
    await (await driver.own())['setFailsafe']?.(500, STOP);
    driver.hang(true);
    await clock.advance(1000);
    await others['moveToward']?.(1, 0, 0);
    driver.hang(false);
    await clock.advance(250);
    await motion['moveToward']?.(2, 0, 0);
    expect(log).toEqual(['500 stop', '1000 move 1', '1250 move 2']);
  });
});

describe('a tab that dies while the link is lost', () => {
  it.each([5_000, 20_000])('has its failsafe made once the link is back after %i ms', async (breakMs) => {
    const { agent, tab, log, cut, comeBack } = await tabLab();
    const { clock } = agent;
    const [driver, other] = [tab(), tab()];
    await other.service('ALMotion');
    await (await driver.own())['setFailsafe']?.(60_000, STOP);
    cut();
    await clock.advance(100);
    driver.door.end({ isWanted: false });
    await clock.advance(breakMs);
    expect(log).toEqual([]);
    comeBack();
    await clock.advance(12_000);
    expect(log).toHaveLength(1);
  });
});

describe('a tab that gives ids which are not its own', () => {
  it('clears and fires nobody else’s failsafe', async () => {
    const { agent, tab, log } = await tabLab();
    const [driver, stranger] = [tab(), tab()];
    const id = await (await driver.own())['setFailsafe']?.(500, STOP);
    const own = await stranger.own();
    expect(await own['clearFailsafe']?.(id)).toBe(false);
    expect(await own['tellSilence']?.(id, true)).toBe(false);
    await settled();
    expect(log).toEqual([]);
    driver.hang(true);
    await agent.clock.advance(600);
    expect(log).toEqual(['500 stop']);
    driver.hang(false);
    await settled();
    expect(await (await driver.own())['clearFailsafe']?.(id)).toBe(true);
  });

  it('drops nobody else’s lease', async () => {
    const { tab } = await tabLab();
    const [driver, stranger] = [tab(), tab()];
    const id = await (await driver.own())['takeLease']?.(['ALMotion'], false);
    const own = await stranger.own();
    expect(await own['dropLease']?.(id)).toBe(false);
    expect(await own['leases']?.()).toHaveLength(1);
    expect(await (await driver.own())['dropLease']?.(id)).toBe(true);
  });

  it('takes nobody else’s service off the bus', async () => {
    const { agent, tab } = await tabLab();
    const [driver, stranger] = [tab(), tab()];
    const info = {
      name: 'Tablet',
      serviceId: 0,
      machineId: 'm',
      processId: 1,
      endpoints: [],
      sessionId: 's',
      objectUid: '',
    };
    const directory = await driver.directory();
    const id = await directory['registerService']?.(info);
    await directory['serviceReady']?.(id);
    expect(await codeOf((await stranger.directory())['unregisterService']?.(id))).toBe('forbidden');
    expect((await agent.bus.services()).map(({ name }) => name)).toContain('Tablet');
    driver.door.end({ isWanted: false });
    await settled();
    expect((await agent.bus.services()).map(({ name }) => name)).not.toContain('Tablet');
  });
});

it('what moves the robot and was on its way when the link broke is withdrawn, of services that came later, too', async () => {
  const { agent, tab, hostMover, log, lose, cut, comeBack } = await tabLab();
  const driver = tab();
  await hostMover('ALNavigation');
  const navigation = await driver.service('ALNavigation');
  lose();
  const late = codeOf(navigation['moveToward']?.(1, 0, 0));
  await settled();
  cut();
  comeBack();
  await agent.clock.advance(400);
  expect([await late, log]).toEqual(['link-lost', []]);
});

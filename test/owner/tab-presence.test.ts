// Whether a tab is there, as its door finds out, and what the robot is told: a tab that goes in order leaves the robot alone, one
// that falls silent or is gone has its failsafe made.
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import type { Transport } from '@qiway/protocol/session/transport';
import { ControlType, emptyFrameHeader, readFrameHeader } from '@qiway/protocol/wire/link-frame';
import { describe, expect, it, vi } from 'vitest';
import { type LabTab, tabLab } from '../hostile/tab-lab.ts';
import { settled } from '../support/virtual-clock.ts';

const STOP = [['ALMotion', 'stopMove', []]];
const setFailsafe = async (tab: LabTab, afterMs: number): Promise<unknown> =>
  (await tab.own())['setFailsafe']?.(afterMs, STOP);

describe('a tab with a failsafe', () => {
  it.each<[string, (tab: LabTab) => void]>([
    ['whose port closes without a word', ({ wire }) => wire.close('gone')],
    ['that the owner ends as gone', ({ door }) => door.end({ isWanted: false })],
  ])('%s has it made at once, and once', async (_name, go) => {
    const { agent, tab, log } = await tabLab();
    const driver = tab();
    await setFailsafe(driver, 60_000);
    go(driver);
    await settled();
    expect(log).toEqual(['0 stop']);
    await agent.clock.advance(200_000);
    expect(log).toEqual(['0 stop']);
  });

  it.each<[string, (tab: LabTab) => void]>([
    [
      'that said goodbye before its port closes',
      ({ door, wire }) => {
        door.goodbye();
        wire.close('closed by the app');
      },
    ],
    ['that the app ends in order', ({ door }) => door.end({ isWanted: true })],
  ])(
    '%s leaves the robot alone: it is given back, and not made when the link falls silent later',
    async (_name, go) => {
      const { agent, tab, log, cut } = await tabLab();
      const driver = tab();
      await setFailsafe(driver, 60_000);
      go(driver);
      await agent.clock.advance(1_000);
      cut();
      await agent.clock.advance(200_000);
      expect(log).toEqual([]);
    },
  );

  it('gives it back when it is gone without a word, too: there is room for those of others', async () => {
    const { tab, log } = await tabLab();
    for (let gone = 0; gone < 16; gone += 1) {
      const driver = tab();
      await setFailsafe(driver, 60_000);
      driver.wire.close('gone');
      await settled();
    }
    expect(log).toHaveLength(16);
    expect(await setFailsafe(tab(), 60_000)).toBeGreaterThan(16);
  });

  it('has it made for each of its silences: heard again, it is armed again', async () => {
    const { agent, tab, log } = await tabLab();
    const { clock } = agent;
    const driver = tab();
    await setFailsafe(driver, 600);
    for (const hungAtMs of [0, 10_000]) {
      await clock.advance(hungAtMs - clock.now());
      driver.hang(true);
      await clock.advance(3_000);
      driver.hang(false);
      await clock.advance(1_000);
    }
    expect(log).toEqual(['600 stop', '10600 stop']);
  });

  it('that took it back hangs like one that had none: nothing is made, and nothing is refused', async () => {
    const { agent, tab, log } = await tabLab();
    const { clock } = agent;
    const driver = tab();
    const motion = await driver.service('ALMotion');
    const id = await setFailsafe(driver, 600);
    expect(await (await driver.own())['clearFailsafe']?.(id)).toBe(true);
    driver.hang(true);
    const late = motion['moveToward']?.(1, 0, 0);
    await clock.advance(3_000);
    driver.hang(false);
    await late;
    expect(log).toEqual(['3000 move 1']);
  });

  it('stops the robot before what it had under way is given up', async () => {
    const { agent, tab, log } = await tabLab();
    const driver = tab();
    await setFailsafe(driver, 60_000);
    const go = method('()', 'v', ({ onCancel }: { onCancel(run: () => void): void }) => {
      return new Promise<void>(() => onCancel(() => log.push('canceled')));
    });
    await agent.bus.host('ALNavigation', createObject({ go }));
    const walking = (await driver.service('ALNavigation'))['go']?.();
    walking?.catch(() => {});
    await settled();
    driver.door.end({ isWanted: false });
    await settled();
    expect(log).toEqual(['0 stop', 'canceled']);
  });
});

describe('a tab is pinged', () => {
  /** A tab, and when it was pinged since it was last asked. */
  async function pingedTab() {
    const lab = await tabLab();
    const { clock } = lab.agent;
    const pings: number[] = [];
    const frame = emptyFrameHeader();
    const driver = lab.tab((transport: Transport) => ({
      get route() {
        return transport.route;
      },
      get bufferedBytes() {
        return transport.bufferedBytes;
      },
      send: (part, rest) => {
        if (readFrameHeader(part, 0, frame).type === ControlType.ping) pings.push(clock.now());
        return transport.send(part, rest);
      },
      close: (code, reason) => transport.close(code, reason),
      listen: (listener) => transport.listen(listener),
    }));
    const setBeat = vi.spyOn(lab.session, 'setBeat');
    return {
      ...lab,
      driver,
      setBeat,
      pingsIn: async (ms: number): Promise<readonly number[]> => {
        const fromMs = clock.now();
        pings.length = 0;
        await clock.advance(ms);
        return pings.map((atMs) => atMs - fromMs);
      },
    };
  }

  it('every 5 s while it holds nothing', async () => {
    const { pingsIn } = await pingedTab();
    await settled();
    expect(await pingsIn(20_000)).toEqual([5_000, 10_000, 15_000, 20_000]);
  });

  it('three times in the time of its failsafe, from then on until it is given back; the session is heard as often', async () => {
    const { driver, pingsIn, setBeat, log } = await pingedTab();
    const id = await setFailsafe(driver, 600);
    await settled();
    expect(await pingsIn(1_200)).toEqual([200, 400, 600, 800, 1000, 1200]);
    expect(setBeat.mock.calls).toEqual([[200]]);
    await pingsIn(60_000);
    expect(log).toEqual([]);
    await (await driver.own())['clearFailsafe']?.(id);
    await settled();
    expect(await pingsIn(10_000)).toEqual([5_000, 10_000]);
    expect(setBeat.mock.calls).toEqual([[200], [undefined]]);
  });

  it('as often as the shortest of what it holds needs', async () => {
    const { driver, pingsIn, setBeat } = await pingedTab();
    await setFailsafe(driver, 60_000);
    const lease = await (await driver.own())['takeLease']?.(['ALMotion'], false);
    const id = await setFailsafe(driver, 300);
    await settled();
    expect(await pingsIn(300)).toEqual([100, 200, 300]);
    await (await driver.own())['clearFailsafe']?.(id);
    await settled();
    expect(await pingsIn(2_000)).toEqual([1_000, 2_000]);
    await (await driver.own())['dropLease']?.(lease);
    await settled();
    expect(await pingsIn(10_000)).toEqual([5_000, 10_000]);
    expect(setBeat.mock.calls).toEqual([[20_000], [1_000], [100], [1_000], [20_000]]);
  });

  it('no more once it is gone', async () => {
    const { driver, pingsIn, setBeat } = await pingedTab();
    await setFailsafe(driver, 600);
    driver.door.end({ isWanted: true });
    await settled();
    expect(await pingsIn(60_000)).toEqual([]);
    expect(setBeat.mock.lastCall).toEqual([undefined]);
  });
});

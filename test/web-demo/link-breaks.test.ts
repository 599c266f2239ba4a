// A link that breaks while its session goes on: what the page's state makes of it.
import { QiwayError, type Robot, type Status } from '@qiway/sdk';
import { beforeEach, describe, expect, it } from 'vitest';
import { createLink, type Link } from '../../web-demo/robot/link.ts';
import { offReason } from '../../web-demo/robot/off-reason.ts';
import type { Services } from '../../web-demo/robot/robot-services.ts';
import { ONLINE } from '../support/online-status.ts';
import { settled, type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

/** As much of a robot as a link looks at. */
class FakeRobot {
  closings = 0;
  readonly #told: Status[] = [ONLINE];
  #wake = (): void => undefined;

  async *statusChanges(): AsyncGenerator<Status> {
    for (;;) {
      const next = this.#told.shift();
      if (next !== undefined) yield next;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  async tell(changes: Partial<Status>): Promise<void> {
    this.#told.push({ ...ONLINE, ...changes });
    this.#wake();
    await settled();
  }

  async close(): Promise<void> {
    this.closings += 1;
  }
}

const reason = new QiwayError('link-lost', 'cable');
let clock: VirtualClock;
let robots: FakeRobot[];
let link: Link;

beforeEach(async () => {
  clock = virtualClock();
  robots = [];
  link = createLink({
    url: () => 'http://robot/#token=t',
    after: clock.after,
    connect: async () => {
      const robot = new FakeRobot();
      robots.push(robot);
      return robot as unknown as Robot<Services>;
    },
  });
  link.dial();
  await settled();
});
const robot = (): FakeRobot => robots.at(-1) as FakeRobot;

describe('a link that breaks', () => {
  it('leaves the robot to its session, which goes on with the same objects', async () => {
    const before = link.robot.value;
    await robot().tell({ state: 'offline', reason });
    expect(link.state.value).toMatchObject({ kind: 'lost', wasOnline: true, robot: before });
    await clock.advance(600_000);
    expect([robots.length, robot().closings]).toEqual([1, 0]);
    await robot().tell({ session: 'resumed' });
    expect(link.state.value.kind).toBe('online');
    expect([link.robot.value === before, robots.length]).toEqual([true, 1]);
  });

  it('for a tenth of a second is not shown, and takes no control away', async () => {
    await robot().tell({ state: 'offline', reason });
    await clock.advance(100);
    expect([link.isAway.value, offReason(link)]).toEqual([false, undefined]);
    await robot().tell({ session: 'resumed' });
    await clock.advance(10_000);
    expect(link.isAway.value).toBe(false);
  });

  it('for longer is shown, however often its status changes meanwhile', async () => {
    for (let count = 0; count < 6; count += 1) {
      await robot().tell({ state: 'offline', reason: new QiwayError('dial-failed', `try ${count}`) });
      await clock.advance(100);
    }
    expect(link.isAway.value).toBe(true);
    expect(offReason(link)).toContain('no link');
    expect(link.rttMs.value).toBeUndefined();
    await robot().tell({});
    expect([link.isAway.value, offReason(link)]).toEqual([false, undefined]);
  });

  it('whose session ended for good is dialled anew, with another robot', async () => {
    const first = robot();
    const before = link.robot.value;
    await first.tell({ state: 'closed', reason: new QiwayError('limit-exceeded', 'too slow') });
    expect(link.state.value).toMatchObject({ kind: 'lost', robot: undefined });
    expect([link.robot.value, first.closings]).toEqual([undefined, 1]);
    await clock.advance(500);
    expect(link.state.value.kind).toBe('online');
    expect(link.robot.value).not.toBe(before);
    // What the first one says now is of no interest.
    await first.tell({ state: 'offline', reason });
    expect(link.state.value.kind).toBe('online');
  });

  it('and is refused when it comes back is closed, and says so', async () => {
    await robot().tell({ state: 'offline', reason });
    await robot().tell({ state: 'closed', reason: new QiwayError('unauthorized', 'wrong token') });
    await clock.advance(600_000);
    expect(link.state.value).toMatchObject({ kind: 'refused', error: { code: 'unauthorized' } });
    expect([robots.length, link.isAway.value]).toEqual([1, false]);
  });

  it('is not the same as a bus that is down', async () => {
    await robot().tell({ bus: 'down', busReason: 'naoqi restarts' });
    expect([link.state.value.kind, link.isBusUp.value]).toEqual(['online', false]);
    expect(offReason(link)).toContain('bus is down');
  });
});

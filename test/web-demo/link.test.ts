// The link of the page: tries again after a loss, not after a refusal, and tells which it is.
import { QiwayError, type Robot } from '@qiway/sdk';
import { beforeEach, describe, expect, it } from 'vitest';
import { createLink, type Link } from '../../web-demo/robot/link.ts';
import { offReason } from '../../web-demo/robot/off-reason.ts';
import type { Services } from '../../web-demo/robot/robot-services.ts';
import { ONLINE } from '../support/online-status.ts';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

type Status = Robot['status'];

/** As much of a robot as a link looks at; `end` breaks it. */
function fakeRobot(): { readonly robot: Robot<Services>; end(reason: QiwayError): void; isClosed(): boolean } {
  let status: Status = ONLINE;
  let isClosed = false;
  let wake = (): void => undefined;
  const robot = {
    get status() {
      return status;
    },
    async *statusChanges() {
      yield status;
      while (status.state === 'online') {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        yield status;
      }
    },
    close: async () => {
      isClosed = true;
    },
  };
  return {
    robot: robot as unknown as Robot<Services>,
    end(reason) {
      status = { ...status, state: 'closed', reason };
      wake();
    },
    isClosed: () => isClosed,
  };
}

let clock: VirtualClock;
let dials: string[];
let outcomes: (Robot<Services> | QiwayError)[];
let url: string | undefined;
let link: Link;

beforeEach(() => {
  clock = virtualClock();
  dials = [];
  outcomes = [];
  url = 'http://robot/#token=t';
  link = createLink({
    url: () => url,
    after: clock.after,
    connect: async (target) => {
      dials.push(target);
      const outcome = outcomes.shift() ?? new QiwayError('dial-failed', 'nobody there');
      if (outcome instanceof QiwayError) throw outcome;
      return outcome;
    },
  });
});

describe('the link', () => {
  it('is online with its round trip once the robot answered', async () => {
    outcomes = [fakeRobot().robot];
    link.dial();
    await clock.advance(0);
    expect([link.state.value.kind, link.rttMs.value, link.isBusUp.value]).toEqual(['online', 3, true]);
  });

  it('does not dial without a token', () => {
    url = undefined;
    link.dial();
    expect([link.state.value.kind, dials.length]).toEqual(['no-token', 0]);
  });

  it('tells a refused token and does not try it again', async () => {
    outcomes = [new QiwayError('unauthorized', 'wrong token')];
    link.dial();
    await clock.advance(600_000);
    expect([link.state.value.kind, dials.length]).toEqual(['refused', 1]);
  });

  it('tries again, more and more seldom, while nobody answers', async () => {
    link.dial();
    await clock.advance(15_000);
    expect(link.state.value).toMatchObject({ kind: 'lost', wasOnline: false });
    expect(dials).toHaveLength(5);
  });

  it('says why it was lost, and is online again by itself', async () => {
    const first = fakeRobot();
    const second = fakeRobot();
    outcomes = [first.robot, second.robot];
    link.dial();
    await clock.advance(0);
    first.end(new QiwayError('link-lost', 'cable'));
    await clock.advance(0);
    expect(link.state.value).toMatchObject({ kind: 'lost', wasOnline: true, error: { code: 'link-lost' } });
    expect(link.rttMs.value).toBeUndefined();
    await clock.advance(500);
    expect(link.state.value).toMatchObject({ kind: 'online', robot: second.robot });
  });

  it('remembers that it was online while it tries', async () => {
    const first = fakeRobot();
    outcomes = [first.robot];
    link.dial();
    await clock.advance(0);
    first.end(new QiwayError('link-lost', 'cable'));
    await clock.advance(20_000);
    expect(link.state.value).toMatchObject({ kind: 'lost', wasOnline: true });
  });

  it('closes the robot that it leaves for another', async () => {
    const first = fakeRobot();
    outcomes = [first.robot, fakeRobot().robot];
    link.dial();
    await clock.advance(0);
    link.dial();
    await clock.advance(0);
    expect([first.isClosed(), link.state.value.kind]).toEqual([true, 'online']);
    link.close();
  });
});

describe('a robot that is known from before', () => {
  it('is there without a link, and what would move it is off until there is one', async () => {
    const before: Status = { ...ONLINE, state: 'offline', reason: new QiwayError('dial-failed', 'nobody there') };
    const told = [before, ONLINE];
    let wake = (): void => undefined;
    const robot = {
      async *statusChanges() {
        for (let next = told.shift(); next !== undefined; next = told.shift()) {
          yield next;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      },
      close: async () => undefined,
    };
    outcomes = [robot as unknown as Robot<Services>];
    link.dial();
    await clock.advance(0);
    expect(link.state.value).toMatchObject({ kind: 'lost', wasOnline: false, error: { code: 'dial-failed' } });
    expect([link.robot.value === (robot as unknown), link.isAway.value]).toEqual([true, true]);
    expect(offReason(link)).toContain('no link');
    wake();
    await clock.advance(0);
    expect([link.state.value.kind, link.isAway.value, offReason(link)]).toEqual(['online', false, undefined]);
  });

  it('that is not found at once is away from then on', async () => {
    link = createLink({ url: () => url, after: clock.after, connect: () => new Promise(() => undefined) });
    link.dial();
    await clock.advance(300);
    expect([link.isAway.value, offReason(link)]).toEqual([false, expect.stringContaining('no link')]);
    await clock.advance(300);
    expect([link.state.value.kind, link.isAway.value]).toEqual(['dialling', true]);
  });
});

// What the console remembers of the link: moments, stretches, round trips, all of it bounded.
import { QiwayError } from '@qiway/protocol/errors';
import type { Status } from '@qiway/sdk';
import { beforeEach, describe, expect, it } from 'vitest';
import { createHistory, type LinkHistory, SHOWN_MS } from '../../web-demo/robot/history.ts';

const ONLINE: Status = {
  state: 'online',
  route: 'direct',
  address: 'nao.local:8080',
  isSealed: true,
  owner: 'page',
  missing: [],
  rttMs: 3,
  session: 'new',
  bus: 'up',
  url: 'http://nao.local:8080/',
  robotId: 'r',
  queued: 0,
};
const OFFLINE: Status = { ...ONLINE, state: 'offline', reason: new QiwayError('link-lost', 'cable') };
const RESUMED: Status = { ...ONLINE, session: 'resumed' };

let past: LinkHistory;
beforeEach(() => {
  past = createHistory();
});

const kinds = (): string[] => past.moments.value.map(({ kind }) => kind);
const lastText = (): string => past.moments.value.at(-1)?.text ?? '';

describe('moments', () => {
  it('tell of the first link, once', () => {
    past.observe(ONLINE, 0);
    past.observe({ ...ONLINE, rttMs: 5 }, 1000);
    expect(kinds()).toEqual(['linked']);
    expect(lastText()).toContain('nao.local:8080');
  });

  it('know whether there was a link at all', () => {
    past.observe(OFFLINE, 0);
    expect(past.isLinked.value).toBe(false);
    past.observe(ONLINE, 1000);
    past.observe(OFFLINE, 2000);
    expect(past.isLinked.value).toBe(true);
  });

  it('tell of a break and of the session that goes on, with how long it took, and count it', () => {
    past.observe(ONLINE, 0);
    past.observe(OFFLINE, 10_000);
    expect([past.lostAtMs.value, lastText()]).toEqual([10_000, 'The link was lost. Cable.']);
    past.observe({ ...OFFLINE, reason: new QiwayError('dial-failed', 'nobody') }, 12_000);
    past.observe(RESUMED, 14_500);
    expect(kinds()).toEqual(['linked', 'lost', 'resumed']);
    expect(lastText()).toBe('The link was back after 4 s, and everything goes on.');
    expect([past.resumes.value, past.lostAtMs.value]).toEqual([1, undefined]);
  });

  it('name the address at which the robot was found again', () => {
    past.observe(ONLINE, 0);
    past.observe(OFFLINE, 1000);
    past.observe({ ...RESUMED, address: '10.0.0.7:8080' }, 2000);
    expect(lastText()).toContain('now at 10.0.0.7:8080');
  });

  it('tell of a move to another address without a break, which is no resume', () => {
    past.observe(ONLINE, 0);
    past.observe({ ...RESUMED, address: '10.0.0.7:8080' }, 1000);
    expect([kinds(), past.resumes.value]).toEqual([['linked', 'moved'], 0]);
  });

  it('tell of a new session and of what it cost, once, and count resumes anew', () => {
    const lost = { reason: new QiwayError('link-lost', 'new'), calls: 2, objects: 1 };
    past.observe(ONLINE, 0);
    past.observe(OFFLINE, 1000);
    past.observe(RESUMED, 2000);
    past.observe(OFFLINE, 3000);
    past.observe({ ...OFFLINE, lost }, 3500);
    past.observe({ ...ONLINE, lost }, 4000);
    past.observe({ ...ONLINE, lost, rttMs: 9 }, 5000);
    expect(kinds()).toEqual(['linked', 'lost', 'resumed', 'lost', 'renewed']);
    expect(lastText()).toContain('Lost: 2 calls under way, which may have run; 1 object of the robot.');
    expect(past.resumes.value).toBe(0);
    past.observe({ ...OFFLINE, lost }, 6000);
    past.observe({ ...RESUMED, lost }, 7000);
    expect([kinds().at(-1), past.resumes.value]).toEqual(['resumed', 1]);
  });

  it('tell of the bus, of the failsafe and of the end', () => {
    past.observe(ONLINE, 0);
    past.observe({ ...ONLINE, bus: 'down', busReason: 'naoqi restarts' }, 1000);
    expect(lastText()).toContain('naoqi restarts');
    past.observe(ONLINE, 2000);
    const failsafe = { afterMs: 500, state: 'armed', firedAtMs: 77 } as const;
    past.observe({ ...ONLINE, failsafe }, 3000);
    past.observe({ ...ONLINE, failsafe, rttMs: 1 }, 4000);
    past.observe({ ...ONLINE, failsafe, state: 'closed', reason: new QiwayError('limit-exceeded', 'too slow') }, 5000);
    expect(kinds()).toEqual(['linked', 'bus-down', 'bus-up', 'failsafe', 'closed']);
    expect(lastText()).toBe('The session ended. Too slow.');
  });

  it('are bounded, and keep the newest', () => {
    for (let count = 0; count < 1000; count += 1) past.note('queued', `call ${count}`, count);
    expect(past.moments.value.length).toBeLessThanOrEqual(120);
    expect(lastText()).toBe('call 999');
    expect(new Set(past.moments.value.map(({ id }) => id)).size).toBe(past.moments.value.length);
  });
});

describe('stretches', () => {
  it('follow each other without a hole, and the last goes on', () => {
    past.observe(ONLINE, 0);
    past.observe({ ...ONLINE, bus: 'down' }, 1000);
    past.observe({ ...ONLINE, bus: 'down', rttMs: 8 }, 1500);
    past.observe(OFFLINE, 2000);
    past.observe(RESUMED, 3000);
    expect(past.stretches.value).toEqual([
      { fromMs: 0, toMs: 1000, state: 'online' },
      { fromMs: 1000, toMs: 2000, state: 'bus-down' },
      { fromMs: 2000, toMs: 3000, state: 'offline' },
      { fromMs: 3000, toMs: undefined, state: 'online' },
    ]);
  });

  it('that cannot be seen any more are forgotten, and a link that flutters costs no more', () => {
    past.observe(ONLINE, 0);
    past.observe(OFFLINE, 1000);
    past.observe(RESUMED, SHOWN_MS + 2000);
    expect(past.stretches.value.map(({ state }) => state)).toEqual(['offline', 'online']);
    for (let count = 0; count < 1000; count += 1) {
      past.observe(OFFLINE, SHOWN_MS + 3000 + count * 2);
      past.observe(RESUMED, SHOWN_MS + 3001 + count * 2);
    }
    expect(past.stretches.value.length).toBeLessThanOrEqual(240);
  });
});

describe('round trips', () => {
  it('are taken once per measurement, and those of a minute are kept', () => {
    past.observe(ONLINE, 0);
    past.observe({ ...ONLINE, queued: 1 }, 100);
    past.observe({ ...ONLINE, rttMs: 4 }, 200);
    past.observe({ ...ONLINE, rttMs: 4 }, 1300);
    past.observe({ ...OFFLINE, rttMs: 99 }, 1400);
    expect(past.roundTrips.value.map(({ rttMs }) => rttMs)).toEqual([3, 4, 4]);
    for (let second = 2; second < 500; second += 1) past.observe({ ...ONLINE, rttMs: second }, second * 1000);
    expect(past.roundTrips.value).toHaveLength(60);
  });
});

// The gateway while the robot is away: what it still tells is marked as old, and its age is no guess.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SessionState } from '../../protocol/session/client-session-types.ts';
import { followAge } from '../../sdk/gateway/follow-age.ts';
import { type FakeWorker, fakeWorker } from './fake-worker.ts';

const MARKS = ['age', 'cache-status'] as const;
const marks = ({ headers }: Response): (string | null)[] => MARKS.map((name) => headers.get(name));

describe('an answer', () => {
  let forMs: number | undefined;
  let worker: FakeWorker;
  beforeEach(async () => {
    worker = await fakeWorker({ rememberedForMs: () => forMs });
  });
  afterEach(() => worker.close());
  const ask = (path: string, init?: RequestInit): Promise<Response> => worker.fetch(path, init);
  const REMEMBERED = ['/robot/services', '/robot/services/Tester', '/robot/openapi.json'];

  test.each(REMEMBERED)('%s that the robot gives now has no age', async (path) => {
    forMs = undefined;
    expect(marks(await ask(path))).toEqual([null, null]);
  });

  test.each(REMEMBERED)('%s that is remembered says so, and since when', async (path) => {
    forMs = 61_200;
    const response = await ask(path);
    expect([response.status, ...marks(response)]).toEqual([200, '62', 'qiway; hit; detail=offline']);
    expect(response.headers.get('cache-control')).toBe('no-cache');
    expect(marks(await ask(path, { method: 'HEAD' }))).toEqual(marks(response));
    const unchanged = await ask(path, { headers: { 'if-none-match': response.headers.get('etag') ?? '' } });
    expect([unchanged.status, ...marks(unchanged)]).toEqual([304, ...marks(response)]);
  });

  test('of a property, or that nothing is there, is never one of those', async () => {
    forMs = 1000;
    expect(marks(await ask('/robot/services/Tester/volume'))).toEqual([null, null]);
    expect(marks(await ask('/robot/services/Nobody'))).toEqual([null, null]);
  });
});

describe('the age of what a session tells', () => {
  let state: SessionState;
  let nowMs: number;
  let seen: number;
  let changed: () => void;
  beforeEach(() => {
    state = 'connecting';
    nowMs = 1_000_000;
    seen = 0;
  });
  function follow(): () => number | undefined {
    const session = {
      get sessionState() {
        return state;
      },
      listenSession: (listener: { changed?: () => void }) => {
        changed = () => listener.changed?.();
        return () => {};
      },
    };
    const known = {
      changedMs: 400_000,
      seen: () => {
        seen += 1;
      },
    };
    return followAge({ session, known, today: () => nowMs });
  }
  const become = (next: SessionState): void => {
    state = next;
    changed();
  };

  test('is that of what is remembered, before there was a link', () => {
    state = 'offline';
    const ageMs = follow();
    expect(ageMs()).toBe(600_000);
    become('online');
    expect(ageMs()).toBeUndefined();
  });

  test('counts from the moment at which the link was lost, which is remembered', () => {
    state = 'online';
    const ageMs = follow();
    expect(ageMs()).toBeUndefined();
    nowMs += 5000;
    become('offline');
    expect([ageMs(), seen]).toEqual([0, 1]);
    nowMs += 7000;
    become('offline');
    expect([ageMs(), seen]).toEqual([7000, 1]);
    become('online');
    become('closed');
    expect([ageMs(), seen]).toEqual([0, 2]);
  });

  test('is not less than nothing when the device sets its time back', () => {
    state = 'online';
    const ageMs = follow();
    become('offline');
    nowMs -= 60_000;
    expect(ageMs()).toBe(0);
  });
});

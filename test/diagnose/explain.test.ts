// What a failed dial says once its addresses were looked at again: the reason for programs, what to do for people.
import { QiwayError } from '@qiway/protocol/errors';
import { describe, expect, test } from 'vitest';
import { dialFailure, type FailedDial, type Finding, isUnclear } from '../../sdk/dial/dial-failure.ts';

const HERE = 'ws://10.0.0.1:8080/robot/link';
const OWN = 'wss://app.example/robot/link';
const page = { protocol: 'https:', host: 'app.example', origin: 'https://app.example', isChromium: true };

const closed = (url: string): QiwayError =>
  new QiwayError('dial-failed', `No robot agent answers at ${url}: closed.`, {
    data: { url, reason: 'closed', why: 'unreachable' },
  });
const found = (why: Finding['why'], advice = 'do something'): Finding => ({ why, found: `probably ${why}`, advice });

function fail(urls: readonly string[], more: Partial<FailedDial> = {}): QiwayError<'dial-failed'> {
  const failures = urls.map((url) => ({ candidate: url, error: closed(url) }));
  return dialFailure({ failures, given: HERE, page, ...more }) as QiwayError<'dial-failed'>;
}

describe('a dial that failed', () => {
  test('at one address says what was found there, and what to do', () => {
    const { message, data } = fail([HERE], { findings: new Map([[HERE, found('certificate')]]) });
    expect(message).toBe(`[dial-failed] No link to ${HERE}: probably certificate. Do something.`);
    expect(data).toMatchObject({ url: HERE, why: 'certificate' });
  });

  test('says nothing of an agent that is not where the page came from', () => {
    const findings = new Map([
      [HERE, found('refused')],
      [OWN, found('no-agent')],
    ]);
    expect(fail([HERE, OWN], { findings }).message).toContain(`No link to ${HERE}: probably refused`);
  });

  test('at several names the reason of each, and for the one that was given what to do', () => {
    const findings = new Map([[HERE, found('origin', 'use an option')]]);
    const { message, data } = fail([HERE, OWN], { findings });
    expect(data.attempts).toEqual([
      { url: HERE, reason: 'probably origin', why: 'origin' },
      { url: OWN, reason: 'closed', why: 'unreachable' },
    ]);
    expect(data.why).toBe('origin');
    expect(message).toContain(`As for ${HERE}: use an option.`);
  });

  test.each([
    ['mixed-content', 'keep pages of https from it'],
    ['permission-denied', 'Allow "Local network access" in the settings of this site'],
    ['permission-prompt', 'was not answered'],
  ] as const)('counts the address that the browser kept it from: %s', (barrier, words) => {
    const alone = fail([], { barrier });
    expect(alone.data).toMatchObject({ url: HERE, why: barrier });
    expect(alone.message).toContain(words);
    const { data, message } = fail([OWN], { barrier });
    expect(data.attempts?.map(({ why }) => why)).toEqual([barrier, 'unreachable']);
    expect(data.why).toBe(barrier);
    expect(message).toContain(words);
  });

  test('in time while the browser would ask says so; a name that is not asked for stays as it is', () => {
    const late = new QiwayError('dial-failed', 'late', { data: { url: HERE, reason: 'late', why: 'timeout' } });
    const failures = [{ candidate: HERE, error: late }];
    const asking = dialFailure({ failures, given: HERE, page, barrier: 'permission-prompt' });
    expect(asking.data).toMatchObject({ why: 'permission-prompt' });
    expect(asking.message).toContain('probably the question for the local network was not answered');
    expect(dialFailure({ failures, given: HERE, page }).data).toMatchObject({ why: 'timeout' });
  });

  test('that an answer explains needs no second look', () => {
    expect(isUnclear(closed(HERE))).toBe(true);
    expect(isUnclear(new Error('whatever'))).toBe(true);
    expect(isUnclear(new QiwayError('dial-failed', 'late', { data: { why: 'timeout' } }))).toBe(false);
    expect(isUnclear(new QiwayError('unauthorized', 'no'))).toBe(false);
  });
});

// What is known of the link, in a person's words.
import { QiwayError } from '@qiway/protocol/errors';
import { describe, expect, it } from 'vitest';
import {
  adviceFor,
  busText,
  callText,
  durationText,
  headlineOf,
  lossText,
  lostText,
  sessionText,
  shortId,
  shortIds,
  triedOf,
  triedText,
} from '../../web-demo/robot/status-words.ts';

describe('what was tried', () => {
  it('names every address, and the reason once when all have the same', () => {
    const attempts = [
      { url: 'ws://10.0.0.5:8080/robot/link', reason: 'the connection was closed (1006)' },
      { url: 'ws://nao.local:8080/robot/link', reason: 'the connection was closed (1006)' },
    ];
    const error = new QiwayError('dial-failed', 'nobody', { data: { attempts } });
    expect(triedText(triedOf(error))).toBe('Tried 10.0.0.5:8080, nao.local:8080: nobody answers there');
  });

  it('names each reason where they differ', () => {
    const attempts = [
      { url: 'ws://a:1/robot/link', reason: 'another robot is there' },
      { url: 'ws://b:2/robot/link', reason: 'no answer within 3000 ms' },
    ];
    const error = new QiwayError('robot-identity-mismatch', 'others', {
      data: { attempts } as never,
    });
    expect(triedText(triedOf(error))).toBe('Tried a:1 (another robot is there), b:2 (no answer within 3000 ms)');
  });

  it('is nothing for errors that tell of no dial, and does not fail on what is no URL', () => {
    expect(triedText(triedOf(new QiwayError('link-lost', 'cable')))).toBe('');
    expect(triedText(triedOf(undefined))).toBe('');
    const odd = new QiwayError('dial-failed', 'x', { data: { url: 'nowhere', reason: 'r'.repeat(500) } });
    expect(triedText(triedOf(odd)).length).toBeLessThan(120);
  });
});

describe('words', () => {
  it('for durations round down, to the unit a person would name', () => {
    expect([120, 3_900, 61_000, 3_600_000, 3_900_000].map(durationText)).toEqual([
      '0.1 s',
      '3 s',
      '1 min',
      '1 h',
      '1 h 5 min',
    ]);
  });

  it('for a loss count in singular and plural, and say when nothing was lost for sure', () => {
    expect(lossText({ calls: 1, objects: 0 })).toBe('Lost: 1 call under way, which may have run');
    expect(lossText({ calls: 0, objects: 3 })).toBe('Lost: 3 objects of the robot');
    expect(lossText({ calls: 0, objects: 0 })).toContain('No call was under way');
  });

  it('for a lost link leave out what only a programmer reads', () => {
    expect(lostText(new QiwayError('link-lost', 'The link was closed: closed (1006).'))).toBe('');
    expect(lostText(new QiwayError('link-lost', 'The link was closed: link-lost.'))).toContain('heard nothing of this');
    expect(lostText(new QiwayError('link-lost', 'Three beats.', { data: { reason: 'silence' } }))).toContain(
      'Nothing was heard',
    );
    expect(adviceFor(new QiwayError('robot-identity-mismatch', 'x'))).toContain('Another robot');
  });

  it('for a session say how often it was resumed', () => {
    const linked = { isRenewed: false, isLinked: true };
    expect(sessionText(0, linked)).toContain('first');
    expect(sessionText(1, linked)).toContain('once');
    expect(sessionText(4, { ...linked, isRenewed: true })).toMatch(/^A new one .* 4 times since$/);
    expect(sessionText(0, { ...linked, isLinked: false })).toMatch(/^None/);
  });

  it('that quote the SDK show ids as short as everywhere', () => {
    const id = 'abcdefgh'.repeat(6);
    expect(shortIds(`robot ${id}wxyz answers, and not ${id}2345.`)).toBe(
      'robot abcd efgh … wxyz answers, and not abcd efgh … 2345.',
    );
    expect(shortIds(`${id}wxyz5 is longer, ${id} shorter`)).toBe(`${id}wxyz5 is longer, ${id} shorter`);
  });

  it('for a call leave out its signature, and for an id all but its ends', () => {
    expect(callText({ service: 'ALTextToSpeech', method: 'say::(s)', args: '"hi"' })).toBe('ALTextToSpeech.say("hi")');
    expect(shortId(`${'abcdefgh'.repeat(6)}wxyz`)).toBe('abcd efgh … wxyz');
  });
});

describe('the headline', () => {
  const error = new QiwayError('link-lost', 'cable');
  const calm = { isAway: false, isBusUp: true, hasRobot: true };
  const lost = { kind: 'lost', error, wasOnline: true, isTrying: true, robot: undefined } as const;

  it('overlooks a break that is mended at once', () => {
    expect(headlineOf(lost, calm).words).toBe('Online');
    expect(headlineOf(lost, { ...calm, isAway: true })).toEqual({
      words: 'Looking for the robot',
      health: 'stop',
    });
  });

  it('is not that all is well where no robot is on the bus', () => {
    const online = { kind: 'online', robot: undefined as never } as const;
    expect(headlineOf(online, calm)).toEqual({ words: 'Online', health: 'good' });
    expect(headlineOf(online, { ...calm, hasRobot: false })).toEqual({ words: 'No robot on the bus', health: 'warn' });
  });

  it('tells a robot that is not there from one whose bus is down, and from an end', () => {
    expect(headlineOf({ kind: 'online', robot: undefined as never }, { ...calm, isBusUp: false }).health).toBe('warn');
    expect(headlineOf({ kind: 'refused', error }, calm).words).toBe('Refused');
    expect(headlineOf({ ...lost, wasOnline: false }, calm).words).toBe('Nobody answers');
  });
});

describe('the robot’s bus', () => {
  it('is known no better than the link is', () => {
    expect(busText({ state: 'online', bus: 'down' })).toBe('Down');
    expect(busText({ state: 'offline', bus: 'up' })).toBe('Up when the link was lost');
  });
});

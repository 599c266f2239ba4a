// The class of a member by rules: which rule wins, and what an agent knows of NAOqi.
import { createClassTable, patternTest, readClassRule } from '@qiway/protocol/member-class';
import { describe, expect, it } from 'vitest';
import { createMemberRules } from '../../robot-agent/safety/member-rules.ts';

describe('the class of a member', () => {
  it('is that of the most exact rule, in whatever order they stand', () => {
    const rules = [
      ['ALMotion.*', 'motion'],
      ['ALMotion.get*', 'idempotent'],
      ['*.*', 'once'],
    ] as const;
    for (const order of [rules, rules.toReversed()]) {
      const { classOf } = createClassTable(order);
      expect(classOf('ALMotion', 'moveTo')).toBe('motion');
      expect(classOf('ALMotion', 'getAngles')).toBe('idempotent');
      expect(classOf('Lamp', 'blink')).toBe('once');
    }
  });

  it('is the strictest of rules that are equally exact, and motion for a class of the future', () => {
    const { classOf } = createClassTable([
      ['Lamp.*n', 'idempotent'],
      ['Lamp.o*', 'motion'],
      ['Door.open', 'sideways' as 'once'],
    ]);
    expect(classOf('Lamp', 'on')).toBe('motion');
    expect(classOf('Door', 'open')).toBe('motion');
    expect(classOf('Door', 'shut')).toBeUndefined();
  });

  it('stays right for more names than are remembered', () => {
    const { classOf } = createClassTable([['S.even*', 'once']]);
    for (let round = 0; round < 2; round += 1)
      for (let index = 0; index < 5000; index += 1)
        expect(classOf('S', `${index % 2 === 0 ? 'even' : 'odd'}${index}`)).toBe(index % 2 === 0 ? 'once' : undefined);
  });

  it('fits patterns with any number of stars, in no time', () => {
    expect(patternTest('A*.b*c')('Ax.bxxc')).toBe(true);
    expect(patternTest('A*.b*c')('Ax.bxxd')).toBe(false);
    expect(patternTest('aa*aa')('aaa')).toBe(false);
    expect(patternTest('a*b*b')('ab')).toBe(false);
    expect(patternTest('S.m')('S.mm')).toBe(false);
    expect(patternTest(`${'*a'.repeat(50)}b`)('a'.repeat(50_000))).toBe(false);
  });

  it('is read from PATTERN=CLASS', () => {
    expect(readClassRule('ALMotion.*=motion')).toEqual({ pattern: 'ALMotion.*', memberClass: 'motion' });
    expect(readClassRule('ALMotion.*=toString')).toBeUndefined();
    expect(readClassRule('ALMotion=motion')).toBeUndefined();
  });
});

describe('what an agent knows of NAOqi', () => {
  const rules = createMemberRules();

  it.each([
    ['ALMotion', 'moveToward', 'motion'],
    ['ALMotion', 'setAngles', 'motion'],
    ['ALMotion', 'rest', 'motion'],
    ['ALMotion', 'getAngles', 'idempotent'],
    ['ALMotion', 'robotIsWakeUp', 'idempotent'],
    ['ALMotion', 'stopMove', 'idempotent'],
    ['ALRobotPosture', 'goToPosture', 'motion'],
    ['ALRobotPosture', 'getPostureList', 'idempotent'],
    ['ALAnimatedSpeech', 'say', 'motion'],
    ['ALTextToSpeech', 'say', 'once'],
    ['ALTextToSpeech', 'setVolume', 'idempotent'],
    ['ALTextToSpeech', 'getVolume', 'idempotent'],
    ['ALDialog', 'getLanguage', 'idempotent'],
    ['ALDialog', 'activateTopic', 'once'],
    ['ALMemory', 'insertData', 'idempotent'],
    ['ALMemory', 'raiseEvent', 'once'],
    ['MyService', 'getReady', undefined],
  ] as const)('%s.%s: %s', (service, member, expected) => {
    expect(rules.classOf(service, member)).toBe(expected);
  });

  it('knows what stops a movement, and what only asks', () => {
    expect(rules.isStopping('ALMotion', 'stopMove')).toBe(true);
    expect(rules.isStopping('ALMotion', 'killTasksUsingResources')).toBe(true);
    expect(rules.isStopping('ALMotion', 'move')).toBe(false);
    expect(rules.isHarmless('ALMotion', 'getRobotPosition')).toBe(true);
    expect(rules.isHarmless('ALMotion', 'setAngles')).toBe(false);
  });

  it('lets the configuration replace a rule of the same pattern, and add others', () => {
    const { classOf, told } = createMemberRules([
      { pattern: 'ALTextToSpeech.say*', memberClass: 'idempotent' },
      { pattern: 'Arm.*', memberClass: 'motion' },
    ]);
    expect(classOf('ALTextToSpeech', 'say')).toBe('idempotent');
    expect(classOf('Arm', 'wave')).toBe('motion');
    expect(told.filter(([pattern]) => pattern === 'ALTextToSpeech.say*')).toHaveLength(1);
  });
});

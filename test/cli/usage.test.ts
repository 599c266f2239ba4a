// The command line of qiway: reading it, refusing it, helping with it.
import { describe, expect, it } from 'vitest';
import { helpText, readArguments, readJson, splitMember, UsageError } from '../../sdk/cli/usage.ts';
import { VERSION } from '../../sdk/version.ts';

const read = (...argv: string[]) => readArguments(argv, {});

describe('the command line', () => {
  it('takes options before and after the command', () => {
    const expected = {
      command: 'info',
      args: ['ALMotion'],
      url: 'http://r/',
      timeoutMs: 2500,
      json: true,
      all: false,
      out: undefined,
      count: undefined,
    };
    expect(read('--url', 'http://r/', 'info', 'ALMotion', '--json', '--timeout', '2.5')).toEqual(expected);
    expect(read('info', '--json', '--timeout=2.5', 'ALMotion', '--url=http://r/')).toEqual(expected);
  });

  it('takes the URL from QIWAY_URL, and --url before it', () => {
    const environment = { QIWAY_URL: 'http://env/' };
    expect(readArguments(['info'], environment)).toMatchObject({ url: 'http://env/' });
    expect(readArguments(['info', '--url', 'http://own/'], environment)).toMatchObject({ url: 'http://own/' });
    expect(read('info')).toMatchObject({ url: undefined });
  });

  it('takes negative numbers as arguments', () => {
    expect(read('call', 'ALMotion.moveToward', '-0.5', '0', '-1', '-.5')).toMatchObject({
      args: ['ALMotion.moveToward', '-0.5', '0', '-1', '-.5'],
    });
  });

  it.each([
    [[], /a command is missing/],
    [['fly'], /no command fly: info, call/],
    [['call'], /usage: qiway call Service.method \[json…\]/],
    [['get', 'A.b', 'c'], /usage: qiway get/],
    [['info', '--colour'], /--colour/],
    [['info', '--timeout', 'soon'], /--timeout takes a number from 0, not soon/],
    [['info', '--timeout', '-5'], /--timeout takes a number from 0, not -5/],
    [['info', '--timeout', ''], /--timeout takes a number/],
    [['watch', 'A.b', '--count', '0'], /--count takes a whole number from 1, not 0/],
    [['watch', 'A.b', '--count', '1.5'], /--count takes a whole number/],
  ])('refuses %j with a sentence', (argv, sentence) => {
    expect(() => read(...argv)).toThrow(UsageError);
    expect(() => read(...argv)).toThrow(sentence);
  });

  it('helps with everything and with each command', () => {
    for (const name of ['info', 'call', 'watch', 'get', 'set', 'types', 'doctor']) {
      expect(helpText()).toContain(`\n  ${name}`);
      expect(read(name, '--help')).toEqual({ print: helpText(name as 'info') });
    }
    expect(read('--help')).toEqual({ print: helpText() });
    for (const option of ['url', 'timeout', 'json', 'all', 'out', 'count', 'help', 'version'])
      expect(helpText()).toContain(`\n  --${option} `);
  });

  it('tells its version, also without a command', () => {
    expect(read('--version')).toEqual({ print: `${VERSION}\n` });
  });

  it('splits Service.member at the first dot', () => {
    expect(splitMember('ALMemory.getData')).toEqual({ service: 'ALMemory', member: 'getData' });
    expect(splitMember('A.f::((ii)<P.Q,x,y>)')).toEqual({ service: 'A', member: 'f::((ii)<P.Q,x,y>)' });
    for (const wrong of ['ALMemory', '.x', 'x.', '']) expect(() => splitMember(wrong)).toThrow(UsageError);
  });

  it('reads arguments as JSON, bare words as strings, and refuses JSON with a mistake', () => {
    expect(['12', 'true', 'null', '[1,"a"]', '"12"', 'hello', 'hello world', ''].map(readJson)).toEqual([
      12,
      true,
      null,
      [1, 'a'],
      '12',
      'hello',
      'hello world',
      '',
    ]);
    expect(() => readJson('{"a": }')).toThrow(UsageError);
    expect(() => readJson('[1,')).toThrow(/is not JSON/);
  });
});

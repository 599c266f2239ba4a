// What the agent's log writes, and what it leaves out so that strangers cannot fill the disk.
import { expect, test } from 'vitest';
import { createLogger } from '../../robot-agent/logger.ts';

function logger(maxSame?: number) {
  const lines: string[] = [];
  let nowMs = 0;
  const write = (line: string): void => {
    lines.push(line.replace(/^\S+ /, '').trimEnd());
  };
  const options = { now: () => nowMs, ...(maxSame === undefined ? {} : { maxSame }) };
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { lines, pass, log: createLogger(write, 'info', options) };
}

test('lines of one kind beyond the bound are counted, and told as a number when the minute is over', () => {
  const { lines, pass, log } = logger(2);
  for (let each = 0; each < 5; each += 1) log.warn('not let in', { from: each });
  log.info('another');
  log.debug('not shown');
  expect(lines).toEqual(['warn not let in from=0', 'warn not let in from=1', 'info another']);
  pass(60_000);
  log.warn('not let in', { from: 'later' });
  expect(lines.slice(3)).toEqual([
    'warn lines were left out of this log lines=3 like="not let in"',
    'warn not let in from=later',
  ]);
});

test('sentences that differ each time are bounded too', () => {
  const { lines, log } = logger();
  for (let each = 0; each < 5000; each += 1) log.warn(`service ${each} is not shown`);
  expect(lines).toHaveLength(300);
});

test('what is long is cut', () => {
  const { lines, log } = logger();
  log.warn('x'.repeat(5000), { reason: 'y'.repeat(100_000) });
  expect(lines[0]?.length).toBeLessThan(2100);
});

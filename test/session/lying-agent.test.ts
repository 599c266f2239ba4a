// What an agent tells of itself is looked at: it can make no page dial what is no link, keep it busy, or keep it from coming back.

import { encodeControl, readStatus, readWelcome } from '@qiway/protocol/session/control';
import { expect, test } from 'vitest';
import { isAnnounceable } from '../../sdk/dial/reachable.ts';

const WELCOME = {
  protocol: 2,
  session: 'session',
  epoch: 'epoch',
  received: 0,
  agent: { name: 'a', version: '0' },
  bus: 'up',
  heartbeatMs: 1000,
  maxMessageBytes: 1,
};

function heartbeatOf(text: string): number {
  return readWelcome(new TextEncoder().encode(JSON.stringify(WELCOME).replace('1000', text))).heartbeatMs;
}

test('heartbeats are neither a flood nor never', () => {
  expect(['0', '-1', '1e400', '1e12', '300'].map(heartbeatOf)).toEqual([50, 50, 60_000, 60_000, 300]);
});

test('ids that a hello could not repeat are refused', () => {
  for (const key of ['session', 'epoch'])
    expect(() => readWelcome(encodeControl({ ...WELCOME, [key]: 'x'.repeat(5000) }))).toThrow(/wire-invalid/);
});

test('lists of anything else are left out, in a welcome too', () => {
  const rule = ['A.*', 'motion'];
  const lies = [[1, 'motion'], ['A.b', {}], ['A.b'], 'A.b', null, rule];
  const told = { addresses: [1, null, 'ws://a/robot/link', {}], classes: lies, busReason: 7 };
  const expected = { addresses: ['ws://a/robot/link'], classes: [rule] };
  expect(readStatus(encodeControl(told))).toEqual(expected);
  const welcome = readWelcome(encodeControl({ ...WELCOME, ...told }));
  expect(welcome).toMatchObject(expected);
  expect('busReason' in welcome).toBe(false);
  expect('classes' in readWelcome(encodeControl({ ...WELCOME, classes: 'all' }))).toBe(false);
  const many = Array.from({ length: 20_000 }, (_, index) => `ws://10.0.0.1:${index}/robot/link`);
  expect(readStatus(encodeControl({ addresses: many })).addresses).toHaveLength(32);
});

test('announced addresses are links, and none on the machine of the user', () => {
  const found = 'ws://192.168.1.9:8080/robot/link';
  const may = (url: string, current = found): boolean => isAnnounceable(url, current);
  expect(may('ws://10.0.0.7:8080/robot/link')).toBe(true);
  expect(may('wss://robot.example/robot/link')).toBe(true);
  expect(may('ws://127.0.0.1:81/robot/link', 'ws://localhost:80/robot/link')).toBe(true);
  for (const lie of [
    'javascript:alert(1)',
    'http://10.0.0.7/robot/link',
    'ws://',
    '',
    'nonsense',
    'ws://user:word@10.0.0.7/robot/link',
    'ws://10.0.0.7/admin?reboot=1',
    'ws://10.0.0.7/robot/link?x=1',
    'ws://127.0.0.1:6379/robot/link',
    'ws://[::1]:6379/robot/link',
    'ws://localhost:6379/robot/link',
    `ws://${'a'.repeat(400)}/robot/link`,
  ])
    expect([lie, may(lie)]).toEqual([lie, false]);
});

// What an authority of a robot's own may vouch for, and what can stand in a certificate at all. Pure.
import { describe, expect, it } from 'vitest';
import { allowedFor, isAllowed, sorted } from '../../robot-agent/tls/served-names.ts';

const allowed = allowedFor(['nao', 'nao.local', 'robot.example.com', '10.0.0.7', '203.0.113.5', '2001:db8::5']);

describe('an authority made for a robot vouches for', () => {
  it.each([
    ['localhost', true],
    ['nao', true],
    ['any.local', true],
    ['local', true],
    ['robot.example.com', true],
    ['sub.robot.example.com', true],
    ['10.200.0.1', true],
    ['192.168.7.7', true],
    ['172.31.0.1', true],
    ['172.32.0.1', false],
    ['169.254.9.9', true],
    ['203.0.113.5', true],
    ['203.0.113.6', false],
    ['fd12::1', true],
    ['fe80::1', true],
    ['::1', true],
    ['2001:db8::5', true],
    ['2001:db8::6', false],
    ['evil-local', false],
    ['notrobot.example.com', false],
    ['example.com', false],
    ['com', false],
  ])('%s: %s', (host, isVouchedFor) => {
    expect(isAllowed(host, allowed)).toBe(isVouchedFor);
  });
});

it('names and addresses are told apart, each once, without those that no certificate can hold', () => {
  expect(sorted(['Nao', 'nao', '10.0.0.7', 'fe80::1', 'fe80::1%eth0', 'under_score', '-dash', '*.local', ''])).toEqual({
    names: ['nao'],
    addresses: ['10.0.0.7', 'fe80::1'],
  });
});

// The URLs of an agent as its machine's addresses change.
import { expect, test } from 'vitest';
import { followLinkUrls } from '../../robot-agent/addresses/link-urls.ts';
import { printedUrl } from '../../robot-agent/addresses/printed-url.ts';
import type { InterfaceAddress } from '../../robot-agent/qi/interfaces.ts';
import { parseAgentUrl } from '../../sdk/dial/agent-url.ts';
import { virtualClock } from '../support/virtual-clock.ts';

const LOOPBACK = ['127.0.0.1', '::1'];
const cable = (address: string): InterfaceAddress => ({ family: address.includes(':') ? 'IPv6' : 'IPv4', address });
const url = (host: string): string => `ws://${host}:8080/robot/link`;

function following(host: string, ...addresses: string[]) {
  const clock = virtualClock();
  const changes: (readonly string[])[] = [];
  let own = [...LOOPBACK, ...addresses].map(cable);
  const urls = followLinkUrls({ host, port: 8080 }, { clock, list: () => own, onChange: (now) => changes.push(now) });
  const move = async (...next: string[]): Promise<void> => {
    own = [...LOOPBACK, ...next].map(cable);
    await clock.advance(1000);
  };
  return { urls, changes, move };
}

test.each([
  ['0.0.0.0', ['10.0.0.1', 'fe80::1', 'fd00::1'], [url('10.0.0.1')]],
  ['::', ['10.0.0.1', 'fe80::1', 'fd00::1'], [url('10.0.0.1'), url('[fd00::1]')]],
  ['10.0.0.1', ['10.0.0.1', '10.0.0.2'], [url('10.0.0.1')]],
  ['127.0.0.1', ['10.0.0.1'], [url('127.0.0.1')]],
  ['0.0.0.0', [], [url('127.0.0.1')]],
])('a port at %s of a machine with %j is reached at %j', (host, addresses, expected) => {
  expect(following(host, ...addresses).urls.now).toEqual(expected);
});

test('what appears is told within a second, and stands first; what goes is told too', async () => {
  const { urls, changes, move } = following('0.0.0.0', '10.0.0.1');
  await move('10.0.0.1');
  expect(changes).toEqual([]);
  await move('10.0.0.1', '10.0.0.2');
  expect(changes).toEqual([[url('10.0.0.2'), url('10.0.0.1')]]);
  await move('10.0.0.2');
  await move();
  await move('10.0.0.3');
  expect(changes.slice(1)).toEqual([[url('10.0.0.2')], [url('127.0.0.1')], [url('10.0.0.3')]]);
  urls.stop();
  await move('10.0.0.4');
  expect(changes).toHaveLength(4);
});

test('a machine that changes its address at once is told at once', async () => {
  const { changes, move } = following('0.0.0.0', '10.0.0.1');
  await move('10.0.0.9');
  expect(changes).toEqual([[url('10.0.0.9')]]);
});

test('the URL that is printed is one that a client takes, with the robot in it', () => {
  const robotId = 'a2'.repeat(26);
  const printed = printedUrl({ origin: 'http://10.0.0.1:8080', token: 'a+/=', robotId });
  expect(printed).toBe(`http://10.0.0.1:8080/#token=a%2B%2F%3D&robot=${robotId}`);
  expect(parseAgentUrl(printed)).toEqual({
    shown: 'http://10.0.0.1:8080/',
    link: url('10.0.0.1'),
    token: 'a+/=',
    robot: robotId,
  });
  expect(() => parseAgentUrl('http://10.0.0.1:8080/#robot=nobody')).toThrow(/\[invalid-argument\].*id of a robot/);
});

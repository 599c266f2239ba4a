// What an address says of where it is, what a browser lets its page dial, and where an agent may send its clients. Pure.
import { describe, expect, it } from 'vitest';
import {
  barrierOf,
  isAnnounceable,
  isReachable,
  type PageNow,
  readPermissions,
  spaceOf,
  withoutTls,
} from '../../sdk/dial/reachable.ts';

const LINK = '/robot/link';

function page(origin: string, more: Partial<PageNow> = {}): PageNow {
  const { protocol, host } = new URL(origin);
  return { protocol, host, origin, isChromium: true, ...more };
}

describe('where an address is', () => {
  it.each([
    ['localhost', 'loopback'],
    ['robot.localhost', 'loopback'],
    ['127.1.2.3', 'loopback'],
    ['[::1]', 'loopback'],
    ['10.0.0.1', 'local'],
    ['192.168.1.1', 'local'],
    ['192.169.1.1', 'unknown'],
    ['172.15.0.1', 'unknown'],
    ['172.16.0.1', 'local'],
    ['172.20.0.1', 'local'],
    ['172.30.0.1', 'local'],
    ['172.31.255.1', 'local'],
    ['172.32.0.1', 'unknown'],
    ['169.254.1.1', 'local'],
    ['[fd00::1]', 'local'],
    ['[fe80::1]', 'local'],
    ['[2001:db8::1]', 'unknown'],
    ['Nao.Local', 'local'],
    ['local.example.com', 'unknown'],
    ['10.example.com', 'unknown'],
  ])('%s: %s', (host, space) => {
    expect(spaceOf(host)).toBe(space);
  });
});

describe('a page may dial', () => {
  const web = page('https://app.example.com');
  it.each<[string, PageNow | undefined, string | undefined]>([
    ['ws://10.0.0.1:8080', undefined, undefined],
    ['ws://10.0.0.1:8080', page('http://app.example.com'), undefined],
    ['ws://robot.example.com', web, 'mixed-content'],
    ['wss://robot.example.com', web, undefined],
    ['ws://10.0.0.1:8080', web, undefined],
    ['ws://10.0.0.1:8080', { ...web, permissions: { local: 'denied', loopback: 'granted' } }, 'permission-denied'],
    ['ws://10.0.0.1:8080', { ...web, permissions: { local: 'prompt', loopback: 'granted' } }, 'permission-prompt'],
    ['ws://127.0.0.1:8080', { ...web, permissions: { local: 'granted', loopback: 'denied' } }, 'permission-denied'],
    ['wss://10.0.0.1:8080', { ...web, permissions: { local: 'denied', loopback: 'granted' } }, 'permission-denied'],
    ['ws://10.0.0.1', { ...page('https://10.0.0.2'), permissions: { local: 'denied', loopback: 'denied' } }, undefined],
    [
      'ws://10.0.0.1',
      { ...page('https://localhost'), permissions: { local: 'denied', loopback: 'denied' } },
      undefined,
    ],
    ['ws://127.0.0.1:8080', { ...web, isChromium: false }, undefined],
    ['ws://10.0.0.1:8080', { ...web, isChromium: false }, 'mixed-content'],
    ['wss://10.0.0.1:8080', { ...web, isChromium: false }, undefined],
  ])('%s from %j: %s', (url, from, barrier) => {
    expect(barrierOf(url, from)).toBe(barrier);
    expect(isReachable(url, from)).toBe(barrier === undefined || barrier === 'permission-prompt');
  });

  it('a robot that it knows without TLS, in its own network only', () => {
    const robot = 'id';
    expect(withoutTls({ link: 'wss://10.0.0.1/robot/link', robot }, web)).toEqual(['ws://10.0.0.1/robot/link']);
    expect(withoutTls({ link: 'wss://10.0.0.1/robot/link' }, web)).toEqual([]);
    expect(withoutTls({ link: 'wss://10.0.0.1/robot/link', robot }, undefined)).toEqual([]);
    expect(withoutTls({ link: 'ws://10.0.0.1/robot/link', robot }, web)).toEqual([]);
    expect(withoutTls({ link: 'wss://robot.example.com/robot/link', robot }, web)).toEqual([]);
  });
});

describe('an agent may send its clients', () => {
  const CURRENT = `ws://10.0.0.1:8080${LINK}`;
  it.each<[string, boolean]>([
    [`ws://10.0.0.2:8080${LINK}`, true],
    [`wss://robot.example.com${LINK}`, true],
    [`http://10.0.0.2:8080${LINK}`, false],
    ['ws://10.0.0.2:8080/admin/delete', false],
    [`ws://10.0.0.2:8080${LINK}/`, false],
    [`ws://10.0.0.2:8080${LINK}?all=1`, false],
    [`ws://10.0.0.2:8080${LINK}#token=x`, false],
    [`ws://user@10.0.0.2:8080${LINK}`, false],
    [`ws://:secret@10.0.0.2:8080${LINK}`, false],
    [`ws://127.0.0.1:8080${LINK}`, false],
    [`ws://localhost:8080${LINK}`, false],
    [`ws://${'a'.repeat(300)}${LINK}`, false],
    ['nonsense', false],
  ])('%s: %s', (url, isAllowed) => {
    expect(isAnnounceable(url, CURRENT)).toBe(isAllowed);
  });

  it('to their own machine, if it is on that', () => {
    const url = `ws://127.0.0.1:9090${LINK}`;
    expect(isAnnounceable(url, `ws://localhost:8080${LINK}`)).toBe(true);
    expect(isAnnounceable(url, undefined)).toBe(false);
  });
});

describe('what the user has said', () => {
  const asked = (known: Record<string, 'granted' | 'denied' | 'prompt'>): Parameters<typeof readPermissions>[0] => ({
    query: async ({ name }) => {
      const state = known[name];
      if (state === undefined) throw new TypeError(`no permission ${name}`);
      return { state };
    },
  });

  it('is told for each network, by one name in older browsers, by none in others', async () => {
    expect(await readPermissions(asked({ 'local-network': 'granted', 'loopback-network': 'denied' }))).toEqual({
      local: 'granted',
      loopback: 'denied',
    });
    expect(await readPermissions(asked({ 'local-network-access': 'prompt' }))).toEqual({
      local: 'prompt',
      loopback: 'prompt',
    });
    expect(await readPermissions(asked({}))).toEqual({ local: 'unknown', loopback: 'unknown' });
  });
});

// The client's side as the SDK puts it together: which cryptography where, and who the client is from page to page.
import 'fake-indexeddb/auto';
import * as node from 'node:crypto';
import { accept } from '@qiway/protocol/secure/accept';
import { isId } from '@qiway/protocol/secure/identity';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { IDBFactory } from 'fake-indexeddb';
import { openDB } from 'idb';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { keptIdentity } from '../../sdk/crypto/client-identity.ts';
import { loadSecure } from '../../sdk/crypto/load-secure.ts';
import { openSecure, type Platform } from '../../sdk/crypto/secure.ts';
import { virtualClock } from '../support/virtual-clock.ts';
import { onNode } from './cryptos.ts';
import { HELLO, robot, wire } from './lab.ts';

const { subtle } = globalThis.crypto;
/** As on http://robot-ip: nothing but random numbers. */
const bare: Platform = { hasDatabase: false };
/** An older browser: WebCrypto without the curves. */
const withoutCurves = {
  ...bare,
  subtle: { generateKey: () => Promise.reject(new Error('NotSupportedError')) } as unknown as SubtleCrypto,
};

describe.each<{ name: string; platform: Platform }>([
  { name: 'Node', platform: { getBuiltinModule: () => node, subtle, hasDatabase: false } },
  { name: 'a secure origin', platform: { subtle, hasDatabase: false } },
  { name: 'an insecure origin', platform: bare },
  { name: 'an older browser', platform: withoutCurves },
])('on $name', ({ platform }) => {
  test('a client meets a robot, as who it says it is', async () => {
    const secure = await openSecure(platform);
    expect(isId(secure.clientId)).toBe(true);
    const { left, right } = wire();
    const accepting = accept(right, {
      crypto: onNode,
      ...robot,
      mustSeal: true,
      clock: systemClock,
      timeoutMs: 10_000,
    });
    const { robot: met } = await secure.initiate(left, {
      robot: { id: robot.id },
      hello: () => HELLO,
      wantsSeal: true,
      clock: systemClock,
      timeoutMs: 10_000,
    });
    expect(met.id).toBe(robot.id);
    expect((await accepting).clientId).toBe(secure.clientId);
  });

  test('every client is another', async () => {
    const [first, second] = [await openSecure(platform), await openSecure(platform)];
    expect(second.clientId).not.toBe(first.clientId);
  });
});

test('the part is loaded once for all', async () => {
  const [first, second] = await Promise.all([loadSecure(), loadSecure()]);
  expect(first).toBe(second);
  expect(await loadSecure()).toBe(first);
});

describe('with a database', () => {
  const platform: Platform = { subtle, hasDatabase: true };
  beforeEach(() => {
    vi.stubGlobal('indexedDB', new IDBFactory());
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test('a client is the same from page to page', async () => {
    const first = (await openSecure(platform)).clientId;
    expect((await openSecure(platform)).clientId).toBe(first);
    vi.stubGlobal('indexedDB', new IDBFactory());
    expect((await openSecure(platform)).clientId).not.toBe(first);
  });

  test('tabs that open at once are one client', async () => {
    const tabs = await Promise.all(Array.from({ length: 8 }, () => openSecure(platform)));
    expect(new Set(tabs.map(({ clientId }) => clientId)).size).toBe(1);
  });

  test('the key cannot be read, not even by the page', async () => {
    await openSecure(platform);
    const database = await openDB('qiway-identity', 1);
    const pair = (await database.get('keys', 'client')) as CryptoKeyPair;
    database.close();
    expect([pair.privateKey.extractable, pair.privateKey.usages]).toEqual([false, ['sign']]);
    await expect(subtle.exportKey('pkcs8', pair.privateKey)).rejects.toThrow();
  });

  test('what something else left in its place is replaced', async () => {
    const database = await openDB('qiway-identity', 1, {
      upgrade: (created) => void created.createObjectStore('keys'),
    });
    await database.put('keys', { publicKey: 'no key' }, 'client');
    database.close();
    const first = (await openSecure(platform)).clientId;
    expect((await openSecure(platform)).clientId).toBe(first);
  });

  test('a database of another shape is let be: the client lives as long as its page', async () => {
    (await openDB('qiway-identity', 2)).close();
    const [first, second] = [await openSecure(platform), await openSecure(platform)];
    expect(second.clientId).not.toBe(first.clientId);
  });
});

describe('without one that answers', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test('an error is no obstacle', async () => {
    vi.stubGlobal('indexedDB', {
      open: () => {
        throw new DOMException('private browsing', 'SecurityError');
      },
    });
    expect(await keptIdentity({ subtle, clock: virtualClock() })).toBeUndefined();
    expect(isId((await openSecure({ subtle, hasDatabase: true })).clientId)).toBe(true);
  });

  test('silence is waited for a second', async () => {
    vi.stubGlobal('indexedDB', { open: () => new IDBOpenDBRequest() });
    const clock = virtualClock();
    let outcome: unknown = 'waiting';
    const asked = keptIdentity({ subtle, clock }).then((identity) => {
      outcome = identity;
    });
    await clock.advance(999);
    expect(outcome).toBe('waiting');
    await clock.advance(1);
    await asked;
    expect(outcome).toBeUndefined();
  });
});

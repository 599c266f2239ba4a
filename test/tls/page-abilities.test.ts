// What a page lacks: told by looking at what its browser has, and never in programs. Real browsers: test/browser/insecure.test.ts.
import { describe, expect, test } from 'vitest';
import { abilityWords } from '../../sdk/ability-words.ts';
import { missingAbilities, type PageAbility } from '../../sdk/page-abilities.ts';

/** As browsers have them: what is asked of a prototype throws. */
class Registration {
  get sync(): never {
    throw new TypeError('Illegal invocation');
  }
}

const everything = {
  isSecureContext: true,
  SharedWorker: class {},
  RTCPeerConnection: class {},
  ServiceWorkerRegistration: Registration,
  crypto: { subtle: {} },
  navigator: {
    serviceWorker: {},
    locks: {},
    wakeLock: {},
    mediaDevices: { getUserMedia: () => {} },
    storage: { persist: () => {} },
  },
};

const names = (scope: object): readonly PageAbility[] => missingAbilities(scope).map(({ ability }) => ability);

describe('a page', () => {
  test('of a browser that has everything misses nothing', () => {
    expect(missingAbilities(everything)).toEqual([]);
  });

  test('of an insecure origin misses what browsers keep from it, for that reason', () => {
    const { SharedWorker, RTCPeerConnection } = everything;
    const insecure = { isSecureContext: false, SharedWorker, RTCPeerConnection, crypto: {}, navigator: {} };
    const missing = missingAbilities(insecure);
    expect(new Set(missing.map(({ why }) => why))).toEqual(new Set(['insecure-origin']));
    expect(names(insecure)).toEqual([
      'service-worker',
      'web-locks',
      'web-crypto',
      'persistent-key',
      'persistent-storage',
      'camera-capture',
      'screen-lock',
      'background-sync',
    ]);
  });

  test('of an old browser is told that it is the browser, wherever the page is from', () => {
    const { SharedWorker: _, ...old } = everything;
    const shared = { ability: 'shared-worker', why: 'browser' };
    expect(missingAbilities(old)).toEqual([shared]);
    expect(missingAbilities({ ...old, isSecureContext: false })).toEqual([shared]);
    expect(missingAbilities({ ...everything, ServiceWorkerRegistration: class {} })).toEqual([
      { ability: 'background-sync', why: 'browser' },
    ]);
  });
});

test('a program is no page', () => {
  expect(missingAbilities()).toEqual([]);
});

test('each has words: what is lost, and where to go', async () => {
  const origin = 'http://10.0.0.5:8080';
  const all = missingAbilities({ isSecureContext: false });
  const words = await abilityWords(all, origin);
  expect(words).toHaveLength(all.length);
  for (const [index, { loss, advice }] of words.entries()) {
    expect(loss).toMatch(/^[A-Z].*\.$/);
    if (all[index]?.why === 'insecure-origin')
      expect(advice).toContain(
        '--tls self, let this device trust it at http://10.0.0.5:8080/install, and open https://10.0.0.5:8080',
      );
    else expect(advice).toContain('This browser does not have it');
  }
});

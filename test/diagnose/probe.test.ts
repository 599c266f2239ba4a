// A second look at an address: what it makes of what passes and what does not, in programs and in pages.
import { describe, expect, test } from 'vitest';
import { type Probed, probe } from '../../sdk/diagnose/probe.ts';
import type { PageNow } from '../../sdk/dial/reachable.ts';
import { virtualClock } from '../support/virtual-clock.ts';

const ROBOT = 'ws://10.0.0.1:8080/robot/link';
const SECURE = 'wss://10.0.0.1:8080/robot/link';
const NAMED = 'wss://robot.example/robot/link';
const HEALTH = '{"status":"ok","bus":"up"}';
const page: PageNow = {
  protocol: 'https:',
  host: 'app.example',
  origin: 'https://app.example',
  isChromium: true,
  permissions: { local: 'granted', loopback: 'granted' },
};
const plain: PageNow = { ...page, protocol: 'http:', host: '10.0.0.7', origin: 'http://10.0.0.7', isChromium: false };

/** By mode and URL: what it says, how the system failed, or nothing at all. */
type World = (mode: string, url: string) => string | { readonly cause: string } | undefined;

interface Look {
  readonly world: World;
  readonly page?: PageNow | undefined;
  readonly link?: string;
  readonly isOnline?: boolean;
}

async function look({ world, page: from, link = ROBOT, isOnline = true }: Look) {
  const clock = virtualClock();
  const asked: string[] = [];
  const fake = (url: string | URL | Request, { mode: asMode, signal }: RequestInit = {}): Promise<Response> => {
    const mode = asMode ?? 'program';
    asked.push(`${mode} ${String(url)}`);
    const outcome = world(mode, String(url));
    if (typeof outcome === 'string') return Promise.resolve(new Response(outcome));
    if (outcome !== undefined) return Promise.reject(new TypeError('fetch failed', { cause: { code: outcome.cause } }));
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error));
    });
  };
  let probed: Probed | undefined;
  void probe(link, { page: from, clock, timeoutMs: 1000, fetch: fake as typeof fetch, isOnline }).then((result) => {
    probed = result;
  });
  await clock.advance(5000);
  return { ...(probed as Probed | undefined), asked };
}

const fails = (): { readonly cause: string } => ({ cause: '' });

describe('a program', () => {
  test.each([
    ['ENOTFOUND', 'name'],
    ['ECONNREFUSED', 'refused'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate'],
    ['CERT_HAS_EXPIRED', 'certificate'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'certificate'],
    ['EHOSTUNREACH', 'timeout'],
    ['ETIMEDOUT', 'timeout'],
    ['ESTRANGE', 'timeout'],
  ])('is told by the system: %s', async (cause, why) => {
    const { asked, ...found } = await look({ world: () => ({ cause }) });
    expect(found).toMatchObject({ why, isSure: true });
    expect(found.found).not.toContain('probably');
    expect(asked).toEqual(['program http://10.0.0.1:8080/healthz']);
  });

  test('hears that the agent is there, or somebody else, or nobody in time', async () => {
    expect(await look({ world: () => HEALTH })).toMatchObject({ why: undefined, isSure: true });
    for (const text of ['hello', '{}', 'null', '{"bus":', 'x'.repeat(100_000)])
      expect(await look({ world: () => text })).toMatchObject({ why: 'no-agent', isSure: true });
    expect(await look({ world: () => undefined })).toMatchObject({ why: 'timeout', isSure: true });
  });

  test.each(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'ECONNRESET'])(
    'hears plain http of an agent without TLS behind a URL of https: %s',
    async (cause) => {
      const world = (text: string) => (_: string, url: string) => (url.startsWith('https:') ? { cause } : text);
      const found = await look({ link: SECURE, world: world(HEALTH) });
      expect(found).toMatchObject({ why: 'no-tls', isSure: true, found: expect.stringContaining('speaks plain http') });
      expect(found.advice).toMatch(/^write http:\/\/10\.0\.0\.1:8080 in the URL/);
      const withTls = await look({ link: SECURE, world: world('{"status":"ok","bus":"up","tls":true}') });
      expect(withTls.why).not.toBe('no-tls');
      expect((await look({ link: SECURE, world: world('hello') })).why).not.toBe('no-tls');
    },
  );

  test('asks at the path of the link', async () => {
    const { asked } = await look({ world: () => HEALTH, link: 'wss://robots.example/nao/robot/link' });
    expect(asked).toEqual(['program https://robots.example/nao/healthz']);
  });
});

describe('a page', () => {
  test('is not let out: nothing is asked', async () => {
    const denied = { ...page, permissions: { local: 'denied', loopback: 'denied' } } as const;
    expect(await look({ page: denied, world: fails })).toMatchObject({
      why: 'permission-denied',
      isSure: true,
      asked: [],
    });
    const link = 'ws://robot.example/robot/link';
    expect(await look({ page, link, world: fails })).toMatchObject({ why: 'mixed-content', isSure: true, asked: [] });
  });

  test('may not read what answers: the origin, probably', async () => {
    const { asked, ...found } = await look({ page, world: (mode) => (mode === 'no-cors' ? '' : fails()) });
    expect(found).toMatchObject({ why: 'origin', isSure: false, found: expect.stringContaining('probably') });
    expect(found.advice).toBe('start the agent with --allow-origin https://app.example');
    expect(asked).toEqual(['cors http://10.0.0.1:8080/healthz', 'no-cors http://10.0.0.1:8080/healthz']);
  });

  test.each([
    [
      'plain http answers at the same port',
      SECURE,
      (_: string, url: string) => (url.startsWith('http:') ? '' : fails()),
      'certificate',
    ],
    ['nothing does, at a private address', SECURE, fails, 'certificate'],
    ['nothing does, at a name of the internet', NAMED, fails, 'unreachable'],
    ['nothing does, without TLS', ROBOT, fails, 'refused'],
  ] as const)('hears no reason, where %s', async (_, link, world, why) => {
    expect(await look({ page, link, world })).toMatchObject({
      why,
      isSure: false,
      found: expect.stringContaining('probably'),
    });
  });

  test('that may read what answers without TLS tells an agent that has none from one whose certificate is not trusted', async () => {
    const world = (text: string) => (_: string, url: string) => (url.startsWith('http:') ? text : fails());
    const none = await look({ page, link: SECURE, world: world(HEALTH) });
    expect(none).toMatchObject({ why: 'no-tls', isSure: true, advice: expect.stringContaining('--tls self') });
    const some = await look({ page, link: SECURE, world: world('{"status":"ok","bus":"up","tls":true}') });
    expect(some).toMatchObject({ why: 'certificate', isSure: false });
  });

  test('of http from elsewhere is kept from the local network, probably; of http from the same network it is not', async () => {
    const outside = { ...plain, host: 'app.example', origin: 'http://app.example' };
    expect(await look({ page: outside, world: fails })).toMatchObject({ why: 'permission-denied', isSure: false });
    expect(await look({ page: plain, world: fails })).toMatchObject({ why: 'refused' });
    const word = { ...plain, host: 'nao', origin: 'http://nao' };
    expect(await look({ page: word, world: fails })).toMatchObject({ why: 'refused' });
  });

  test('of a device without a network, or with a question that waits', async () => {
    expect(await look({ page: plain, world: fails, isOnline: false })).toMatchObject({ why: 'offline', isSure: false });
    const asking = { ...page, permissions: { local: 'prompt', loopback: 'prompt' } } as const;
    expect(await look({ page: asking, world: fails })).toMatchObject({ why: 'permission-prompt', isSure: false });
  });
});

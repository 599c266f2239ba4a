// The question for the local network: when a page asks, with what, how long it waits, and what it makes of the answer.
import { describe, expect, test } from 'vitest';
import { type AskOptions, askLocalNetwork } from '../../sdk/dial/local-network.ts';
import {
  barrierOf,
  type NetworkPermission,
  type PageFacts,
  type PageNow,
  readPermissions,
} from '../../sdk/dial/reachable.ts';
import { virtualClock } from '../support/virtual-clock.ts';

const ROBOT = 'ws://10.0.0.1:8080/robot/link';
const NAMED = 'wss://robot.example/robot/link';
const PAGE = { protocol: 'https:', host: 'app.example', origin: 'https://app.example', isChromium: true };

function lab(said: NetworkPermission, changes: Partial<PageFacts> = {}) {
  const clock = virtualClock();
  const asked: { readonly url: string; readonly init: RequestInit | undefined }[] = [];
  const answer = Promise.withResolvers<Response>();
  let state = said;
  const page: PageFacts = {
    ...PAGE,
    readPermissions: () => Promise.resolve({ local: state, loopback: 'prompt' }),
    ...changes,
  };
  const fake = (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    asked.push({ url: String(url), init });
    init?.signal?.addEventListener('abort', () => answer.reject(new Error('aborted')));
    return answer.promise;
  };
  const options: AskOptions = { page, clock, fetch: fake as typeof fetch };
  return {
    clock,
    asked,
    ask: (url = ROBOT, more: Partial<AskOptions> = {}) => askLocalNetwork([url], { ...options, ...more }),
    userSays: (word: NetworkPermission) => {
      state = word;
    },
    answers: () => answer.resolve(new Response('')),
    fails: () => answer.reject(new TypeError('Failed to fetch')),
  };
}

describe('nobody is asked', () => {
  test.each([
    ['a program', undefined],
    ['a page of http', { ...PAGE, protocol: 'http:', origin: 'http://app.example' }],
    ['a page of the same network', { ...PAGE, host: '10.0.0.7', origin: 'https://10.0.0.7' }],
    ['a page of this machine', { ...PAGE, host: 'localhost', origin: 'https://localhost' }],
    ['the robot’s own page', { ...PAGE, host: '10.0.0.1:8080', origin: 'https://10.0.0.1:8080' }],
  ] as const)('for %s', async (_, page) => {
    const { ask, asked } = lab('prompt');
    expect(await ask(ROBOT, { page })).toBe('not-needed');
    expect(asked).toEqual([]);
  });

  test('for an address that the page may not dial whatever the user says', async () => {
    const { ask, asked } = lab('prompt');
    expect(await ask('ws://robot.example/robot/link')).toBe('not-needed');
    expect(asked).toEqual([]);
  });

  test('where the user has said it before', async () => {
    for (const said of ['granted', 'denied'] as const) {
      const { ask, asked } = lab(said);
      expect(await ask()).toBe(said);
      expect(asked).toEqual([]);
    }
  });

  test('by a browser that does not know the question', async () => {
    expect(await lab('unknown').ask()).toBe('unsupported');
    expect(await lab('prompt', { isChromium: false }).ask(NAMED)).toBe('unsupported');
    // @ts-expect-error: as in browsers without the interface
    expect(await lab('prompt', { readPermissions: undefined }).ask()).toBe('unsupported');
  });

  test('for a name of the internet, that a no to the local network says nothing of', async () => {
    expect(await lab('denied').ask(NAMED)).toBe('not-needed');
  });
});

describe('the user is asked', () => {
  test('with a request that can be answered by anybody and is read by nobody', async () => {
    const { ask, asked, userSays, answers, clock } = lab('prompt');
    const answer = ask();
    await clock.advance(0);
    expect(asked).toMatchObject([
      {
        url: 'http://10.0.0.1:8080/healthz',
        init: { mode: 'no-cors', credentials: 'omit', cache: 'no-store', targetAddressSpace: 'local' },
      },
    ]);
    userSays('granted');
    answers();
    expect(await answer).toBe('granted');
  });

  test('and the answer counts although nobody is there any more to answer the request', async () => {
    for (const word of ['granted', 'denied'] as const) {
      const { ask, userSays, clock, asked } = lab('prompt');
      const answer = ask();
      await clock.advance(12_000);
      userSays(word);
      await clock.advance(250);
      expect(await answer).toBe(word);
      expect(asked[0]?.init?.signal?.aborted).toBe(true);
    }
  });

  test('and needed not be, when the request came through all the same', async () => {
    const { ask, answers } = lab('prompt');
    const answer = ask();
    answers();
    expect(await answer).toBe('not-needed');
  });

  test.each([
    [ROBOT, 30_000, 'prompt-unanswered'],
    [NAMED, 10_000, 'prompt-unanswered'],
  ])('at %s for %i ms', async (url, limitMs, expected) => {
    const { ask, clock, asked } = lab('prompt');
    let said: string | undefined;
    void ask(url).then((answer) => {
      said = answer;
    });
    await clock.advance(limitMs - 1);
    expect(said).toBeUndefined();
    await clock.advance(1);
    expect(said).toBe(expected);
    expect(asked[0]?.init?.signal?.aborted).toBe(true);
  });

  test('and nobody waits where the request fails at once', async () => {
    const local = lab('prompt');
    const answer = local.ask();
    local.fails();
    expect(await answer).toBe('prompt-unanswered');
    const named = lab('prompt');
    const other = named.ask(NAMED);
    named.fails();
    expect(await other).toBe('not-needed');
  });
});

test('what the user said has had one name for both networks, and has two', async () => {
  const queried = (known: Readonly<Record<string, string>>) =>
    readPermissions({
      query: ({ name }) =>
        known[name] === undefined
          ? Promise.reject(new TypeError('no such permission'))
          : Promise.resolve({ state: known[name] } as PermissionStatus),
    });
  expect(await queried({})).toEqual({ local: 'unknown', loopback: 'unknown' });
  expect(await queried({ 'local-network-access': 'denied' })).toEqual({ local: 'denied', loopback: 'denied' });
  expect(
    await queried({ 'local-network-access': 'denied', 'local-network': 'granted', 'loopback-network': 'prompt' }),
  ).toEqual({ local: 'granted', loopback: 'prompt' });
});

describe('what keeps a page of https from an address', () => {
  const page = (local: NetworkPermission, changes: Partial<PageNow> = {}): PageNow => ({
    ...PAGE,
    permissions: { local, loopback: 'denied' },
    ...changes,
  });
  test.each([
    [ROBOT, page('granted'), undefined],
    [ROBOT, page('unknown'), undefined],
    [ROBOT, page('denied'), 'permission-denied'],
    [ROBOT, page('prompt'), 'permission-prompt'],
    [ROBOT, page('granted', { isChromium: false }), 'mixed-content'],
    [ROBOT, page('denied', { host: '10.0.0.7', origin: 'https://10.0.0.7' }), undefined],
    ['ws://nao.local/robot/link', page('granted'), undefined],
    ['ws://nao.local/robot/link', page('denied'), 'permission-denied'],
    ['ws://robot.example/robot/link', page('granted'), 'mixed-content'],
    ['ws://127.0.0.1/robot/link', page('granted'), 'permission-denied'],
    ['ws://127.0.0.1/robot/link', page('granted', { isChromium: false }), undefined],
    ['wss://10.0.0.1/robot/link', page('denied'), 'permission-denied'],
    [NAMED, page('denied'), undefined],
    [ROBOT, page('denied', { protocol: 'http:' }), undefined],
    [ROBOT, undefined, undefined],
  ] as const)('%s %#', (url, from, expected) => {
    expect(barrierOf(url, from)).toBe(expected);
  });
});

// A dialer on a network in memory: what it dials and when, whom it believes.
import { beforeEach, describe, expect, test } from 'vitest';
import { AddressBook } from '../../sdk/address-book/address-book.ts';
import { Dialer, type DialerOptions } from '../../sdk/dial/dialer.ts';
import { virtualClock } from '../support/virtual-clock.ts';
import { type Being, being, FakeNetwork, secureAs } from './fake-network.ts';

const HERE = 'ws://10.0.0.1:8080/robot/link';
const THERE = 'ws://10.0.0.2:8080/robot/link';
const ELSEWHERE = 'ws://10.0.0.3:8080/robot/link';
const HELLO = new TextEncoder().encode('{"token":"secret"}');

let clock: ReturnType<typeof virtualClock>;
let network: FakeNetwork;
let robot: Being;
let stranger: Being;
let client: Being;
let book: AddressBook;
let hellos: number;

beforeEach(async () => {
  clock = virtualClock();
  network = new FakeNetwork(clock);
  [robot, stranger, client] = await Promise.all([being(), being(), being()]);
  book = new AddressBook({ clock, today: () => clock.now() });
  hellos = 0;
});

function dialer(options: Partial<DialerOptions> = {}, link = HERE): Dialer {
  return new Dialer({
    agent: { shown: link, link, token: 'secret', robot: robot.id },
    book,
    loadSecure: () => Promise.resolve(secureAs(client)),
    WebSocket: network.WebSocket,
    clock,
    ...options,
  });
}

function dial(from: Dialer, reason: 'first' | 'lost' | 'better' = 'first') {
  const hello = (): Uint8Array => {
    hellos += 1;
    return HELLO;
  };
  return from.dial({ reason, timeoutMs: 10_000, hello });
}

/** What it settles to, time passing as needed. */
async function settled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  await clock.advance(20_000);
  return promise;
}

const at = (who: Being, delayMs = 5) => ({ kind: 'agent', who, delayMs }) as const;

describe('candidates', () => {
  test.each([
    ['first', 250],
    ['lost', 100],
  ] as const)(
    'for a link that is the %s, the last way that worked comes first, the next %i ms later each, and the first that completes wins',
    async (reason, staggerMs) => {
      book.announced(robot.id, [ELSEWHERE, THERE]);
      book.worked(robot.id, { url: THERE, staticKey: robot.staticKey.publicKey, route: 'direct' });
      network.places.set(THERE, { kind: 'silent' });
      book.worked(robot.id, { url: HERE, staticKey: robot.staticKey.publicKey, route: 'direct' });
      await clock.advance(1);
      book.worked(robot.id, { url: THERE, staticKey: robot.staticKey.publicKey, route: 'direct' });
      const began = clock.now();
      network.places.set(ELSEWHERE, at(robot, 10));
      network.places.set(HERE, at(robot, staggerMs + 20));
      const { address } = await settled(dial(dialer(), reason));
      expect(network.dialled.map(([url, atMs]) => [url, atMs - began])).toEqual([
        [THERE, 0],
        [HERE, staggerMs],
        [ELSEWHERE, 2 * staggerMs],
      ]);
      expect(address).toBe('10.0.0.3:8080');
      expect(network.visits.map(({ isClosed }) => isClosed)).toEqual([true, true, false]);
    },
  );

  test('the next begins at once when one fails', async () => {
    book.announced(robot.id, [THERE, ELSEWHERE]);
    network.places.set(THERE, { kind: 'refuses', delayMs: 30 });
    network.places.set(ELSEWHERE, at(robot));
    await settled(dial(dialer(), 'lost'));
    expect(network.dialled).toEqual([
      [THERE, 0],
      [ELSEWHERE, 30],
    ]);
  });

  test('a URL that was never used before is dialled first by who was given it', async () => {
    book.worked(robot.id, { url: THERE, staticKey: robot.staticKey.publicKey, route: 'direct' });
    network.places.set(HERE, at(robot));
    const found = dialer();
    await settled(dial(found));
    expect(network.dialled).toEqual([[HERE, 0]]);
    expect(found.current).toBe(HERE);
  });

  test('one that opens and never answers costs only itself', async () => {
    book.announced(robot.id, [THERE]);
    network.places.set(THERE, { kind: 'mute' });
    network.places.set(HERE, at(robot));
    const began = clock.now();
    let tookMs = 0;
    const found = dial(dialer(), 'lost').then((dialed) => {
      tookMs = clock.now() - began;
      return dialed;
    });
    expect((await settled(found)).address).toBe('10.0.0.1:8080');
    expect(tookMs).toBe(105);
  });

  test('a lost link is looked for in short rounds, since the robot may come back where it was just refused', async () => {
    book.announced(robot.id, [THERE]);
    network.places.set(THERE, { kind: 'silent' });
    const looking = dialer();
    const rounds: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const began = clock.now();
      let endMs = 0;
      const lost = dial(looking, 'lost').finally(() => {
        endMs = clock.now();
      });
      await expect(settled(lost)).rejects.toThrow('[dial-failed]');
      rounds.push(endMs - began);
    }
    expect(rounds).toEqual([3000, 5000, 10_000]);
  });

  test('where the page came from counts too, once it is known who the robot is', async () => {
    const page = { protocol: 'http:', host: 'robot.local:8080', origin: 'http://robot.local:8080', isChromium: true };
    network.places.set('ws://robot.local:8080/robot/link', at(robot));
    expect((await settled(dial(dialer({ page })))).address).toBe('robot.local:8080');
    const unknown = dialer({ page, agent: { shown: HERE, link: HERE, token: '' } });
    await expect(settled(dial(unknown))).rejects.toThrow('[dial-failed]');
  });

  test('a page that does not trust the certificate of a robot in its network dials it without TLS, last', async () => {
    const page = { protocol: 'https:', host: 'app.example', origin: 'https://app.example', isChromium: true };
    const link = HERE.replace('ws:', 'wss:');
    const own = 'wss://app.example/robot/link';
    network.places.set(HERE, at(robot));
    expect(await settled(dial(dialer({ page }, link)))).toMatchObject({ address: '10.0.0.1:8080', isSealed: true });
    expect(network.dialled.map(([url]) => url)).toEqual([link, own, HERE]);
    const named = 'wss://robot.example/robot/link';
    for (const [changes, given] of [
      [{ page: { ...page, isChromium: false } }, link],
      [{}, link],
      [{ page, agent: { shown: link, link, token: '' } }, link],
      [{ page }, named],
    ] as const) {
      network.visits.length = 0;
      const fresh = new AddressBook({ clock, today: () => clock.now() });
      await expect(settled(dial(dialer({ ...changes, book: fresh }, given)))).rejects.toThrow('[dial-failed]');
      expect(network.dialled.every(([url]) => url.startsWith('wss:'))).toBe(true);
    }
  });

  test('what the user of the page has not allowed yet comes after the ways that need no leave; what is denied not at all', async () => {
    const link = 'wss://robot.example/robot/link';
    const own = 'wss://app.example/robot/link';
    for (const [said, expected] of [
      ['granted', [HERE, link, own]],
      ['prompt', [link, own, HERE]],
      ['denied', [link, own]],
    ] as const) {
      const permissions = { local: said, loopback: said };
      const readPermissions = () => Promise.resolve(permissions);
      const page = { protocol: 'https:', host: 'app.example', origin: 'https://app.example', isChromium: true };
      const fresh = new AddressBook({ clock, today: () => clock.now() });
      fresh.announced(robot.id, [link]);
      network.visits.length = 0;
      const failed = settled(dial(dialer({ page: { ...page, readPermissions }, book: fresh })));
      await expect(failed).rejects.toMatchObject({
        data: { why: said === 'denied' ? 'permission-denied' : 'unreachable' },
      });
      expect(network.dialled.map(([url]) => url)).toEqual(expected);
    }
  });

  test.each([
    ['prompt', 'none'],
    ['granted', 'newer'],
  ] as const)('a way that is only better is taken where nobody has to be asked: %s', async (said, expected) => {
    const readPermissions = () => Promise.resolve({ local: said, loopback: said });
    const page = { protocol: 'https:', host: 'app.example', origin: 'https://app.example', isChromium: true };
    const link = 'wss://robot.example/robot/link';
    const from = dialer({ page: { ...page, readPermissions } }, link);
    network.places.set(link, at(robot));
    await settled(dial(from));
    from.announced([link]);
    expect(from.announced([link, HERE])).toBe(expected);
  });

  test('a page of https is offered no plain address but those that its browser lets it dial', async () => {
    const page = { protocol: 'https:', host: 'app.example', origin: 'https://app.example', isChromium: false };
    const name = 'ws://robot.local:8080/robot/link';
    const link = 'wss://robot.example/robot/link';
    const known = () => {
      book.announced(robot.id, [HERE, name, 'ws://127.0.0.1:8080/robot/link']);
      network.visits.length = 0;
    };
    const dialled = async (isChromium: boolean): Promise<readonly string[]> => {
      known();
      await expect(settled(dial(dialer({ page: { ...page, isChromium } }, link)))).rejects.toThrow('[dial-failed]');
      return network.dialled.map(([url]) => url).sort();
    };
    const always = ['ws://127.0.0.1:8080/robot/link', 'wss://app.example/robot/link', link];
    expect(await dialled(false)).toEqual(always);
    expect(await dialled(true)).toEqual([HERE, 'ws://robot.local:8080/robot/link', ...always].sort());
  });
});

describe('an impostor', () => {
  test('gets a random key and nothing else, and costs only itself', async () => {
    book.announced(robot.id, [THERE]);
    network.places.set(THERE, at(stranger));
    network.places.set(HERE, at(robot));
    const { robot: found } = await settled(dial(dialer(), 'lost'));
    expect(found.id).toBe(robot.id);
    const [visit] = network.visits.filter(({ url }) => url === THERE);
    // One byte for the pattern, 32 of an ephemeral key (docs/link-protocol.md, section 2).
    expect(visit?.messages.map(({ length }) => length)).toEqual([33]);
    expect(visit?.isClosed).toBe(true);
    expect(hellos).toBe(1);
  });

  test('cannot read what the robot’s own static key opens, either', async () => {
    book.worked(robot.id, { url: HERE, staticKey: robot.staticKey.publicKey, route: 'direct' });
    network.places.set(HERE, at(stranger));
    await expect(settled(dial(dialer(), 'lost'))).rejects.toThrow(/robot-identity-mismatch/);
    expect(network.accepted).toHaveLength(0);
    for (const { messages } of network.visits)
      for (const message of messages) expect(Buffer.from(message).includes('secret')).toBe(false);
  });

  test('is named when the robot is nowhere, and forgotten as an address of it', async () => {
    book.announced(robot.id, [THERE]);
    network.places.set(THERE, at(stranger));
    const looking = dialer();
    const failure = settled(dial(looking, 'lost'));
    await expect(failure).rejects.toMatchObject({
      code: 'robot-identity-mismatch',
      data: { expected: robot.id, found: stranger.id },
    });
    expect((await book.recall(robot.id)).addresses).toEqual([]);
  });

  test('at the given URL is dialled last from then on', async () => {
    network.places.set(HERE, at(stranger));
    const looking = dialer();
    await expect(settled(dial(looking, 'lost'))).rejects.toThrow(/robot-identity-mismatch/);
    looking.announced([THERE]);
    network.visits.length = 0;
    network.places.set(THERE, at(robot));
    await settled(dial(looking, 'lost'));
    expect(network.dialled.map(([url]) => url)).toEqual([THERE]);
  });
});

describe('keys', () => {
  test('a URL without an id takes the first robot that answers, and no other after it', async () => {
    network.places.set(HERE, at(robot));
    const looking = dialer({ agent: { shown: HERE, link: HERE, token: '' } });
    await settled(dial(looking));
    expect(looking.robotId).toBe(robot.id);
    network.places.set(HERE, at(stranger));
    await expect(settled(dial(looking, 'lost'))).rejects.toMatchObject({ code: 'robot-identity-mismatch' });
  });

  test('the second link needs one message of the client, and after a change of key one socket more', async () => {
    network.places.set(HERE, at(robot));
    const looking = dialer();
    await settled(dial(looking));
    await settled(dial(looking, 'lost'));
    expect(network.visits.map(({ messages }) => messages.length)).toEqual([2, 1]);
    const changed = await being();
    network.places.set(HERE, at({ ...robot, staticKey: changed.staticKey }));
    await settled(dial(looking, 'lost'));
    expect(network.visits.map(({ messages }) => messages.length)).toEqual([2, 1, 1, 2]);
    await settled(dial(looking, 'lost'));
    expect(network.visits).toHaveLength(5);
  });

  test('records are sealed but on this machine itself', async () => {
    const loopback = 'ws://127.0.0.1:8080/robot/link';
    network.places.set(HERE, at(robot));
    network.places.set(loopback, at(robot));
    expect((await settled(dial(dialer()))).isSealed).toBe(true);
    book.forget(robot.id, HERE);
    expect((await settled(dial(dialer({}, loopback)))).isSealed).toBe(false);
  });
});

describe('what the agent announces', () => {
  async function connected(): Promise<Dialer> {
    network.places.set(HERE, at(robot));
    const looking = dialer();
    await settled(dial(looking));
    return looking;
  }

  test('means nothing new at first, nor when it is the same', async () => {
    const looking = await connected();
    expect(looking.announced([HERE, THERE])).toBe('none');
    expect(looking.announced([HERE, THERE])).toBe('none');
  });

  test('means a newer way when an address appears, which is then dialled without the old one', async () => {
    const looking = await connected();
    looking.announced([HERE]);
    expect(looking.announced([THERE, HERE])).toBe('newer');
    network.visits.length = 0;
    network.places.set(THERE, at(robot));
    expect((await settled(dial(looking, 'better'))).address).toBe('10.0.0.2:8080');
    expect(network.dialled).toEqual([[THERE, expect.any(Number)]]);
  });

  test('means the only way when the one in use is not in it any more', async () => {
    const looking = await connected();
    looking.announced([HERE, THERE]);
    expect(looking.announced([THERE])).toBe('only');
  });

  test('means nothing to who came through a name or a tunnel', async () => {
    const name = 'ws://proxy.example:80/robot/link';
    network.places.set(name, at(robot));
    const looking = dialer({}, name);
    await settled(dial(looking));
    looking.announced([HERE]);
    expect(looking.announced([THERE])).toBe('none');
  });

  test('a better way that is none leaves everything as it was', async () => {
    const looking = await connected();
    looking.announced([HERE]);
    await expect(settled(dial(looking, 'better'))).rejects.toThrow(/\[dial-failed\].*no other address/);
    expect(looking.current).toBe(HERE);
  });
});

describe('a search under way', () => {
  test('begins anew when the network may be another, and not for every event of a page', async () => {
    network.places.set(HERE, { kind: 'silent' });
    const looking = dialer();
    const found = dial(looking, 'lost');
    await clock.advance(500);
    looking.lookAgain();
    await clock.advance(1000);
    expect(network.dialled).toEqual([[HERE, 0]]);
    network.places.set(HERE, at(robot));
    looking.lookAgain();
    looking.lookAgain();
    expect((await settled(found)).address).toBe('10.0.0.1:8080');
    expect(network.dialled).toEqual([
      [HERE, 0],
      [HERE, 1500],
    ]);
    expect(network.visits[0]?.isClosed).toBe(true);
  });

  test('ends with the session, and leaves no socket', async () => {
    book.announced(robot.id, [THERE, ELSEWHERE]);
    for (const url of [HERE, THERE, ELSEWHERE]) network.places.set(url, { kind: 'silent' });
    const looking = dialer();
    const found = dial(looking, 'lost');
    found.catch(() => {});
    await clock.advance(150);
    looking.close();
    await expect(found).rejects.toThrow('[closed]');
    await clock.advance(20_000);
    expect(network.visits.map(({ isClosed }) => isClosed)).toEqual([true, true]);
    await expect(dial(looking, 'lost')).rejects.toThrow('[closed]');
  });
});

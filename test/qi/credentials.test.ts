// Credentials in files: who is let in, what is kept, and what is told to those who are not.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type AuthenticationProvider,
  type Authenticator,
  createObject,
  EmbeddedBus,
  fileAuthenticator,
  fileUsers,
  joinBus,
  type ListenBusOptions,
  listenBus,
  method,
  QiwayError,
  tokenAuthenticator,
} from '../../robot-agent/qi/index.ts';
import { Collected, callMethod, failureOf } from '../contract/calls.ts';

const endings: (() => Promise<unknown>)[] = [];
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path(tmpdir(), 'qiway-credentials-'));
});
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
  rmSync(folder, { recursive: true });
});

function file(name: string, content: unknown): string {
  const full = path(folder, name);
  writeFileSync(full, typeof content === 'string' ? content : JSON.stringify(content));
  return full;
}
const content = (full: string): unknown => JSON.parse(readFileSync(full, 'utf8'));
const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

async function directory(options: ListenBusOptions): Promise<string> {
  const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
  const handle = await listenBus(bus, 'tcp://127.0.0.1:0', options);
  endings.push(
    () => bus.close(),
    () => handle.close(),
  );
  return handle.url;
}

async function comesIn(url: string, authenticator: Authenticator): Promise<void> {
  const bus = await joinBus(url, { authenticator });
  await bus.close();
}
const refusal = (url: string, authenticator: Authenticator) => failureOf(comesIn(url, authenticator));

describe('users in a file', () => {
  test.each([
    ['plain', 'secret'],
    ['hashed', sha256('secret')],
  ])('come in with their token, kept %s', async (_, token) => {
    const url = await directory({ authenticate: fileUsers(file('users', { users: { nao: { token } } })) });
    await comesIn(url, tokenAuthenticator({ user: 'nao', token: 'secret' }));
  });

  test.each<[string, { user: string; token?: string }]>([
    ['a wrong token', { user: 'nao', token: 'Secret' }],
    ['the hash in place of the token', { user: 'nao', token: sha256('secret') }],
    ['no token', { user: 'nao' }],
    ['an empty token', { user: 'nao', token: '' }],
    ['an unknown user', { user: 'pepper', token: 'secret' }],
    ['no name', { user: '', token: 'secret' }],
    ['a name that every object has', { user: 'constructor', token: 'secret' }],
  ])('%s is refused, not saying which of the two is wrong', async (_, credentials) => {
    const users = file('users', { users: { nao: { token: sha256('secret') } } });
    const url = await directory({ authenticate: fileUsers(users) });
    const error = await refusal(url, tokenAuthenticator(credentials));
    expect(error.code).toBe('unauthorized');
    expect(error.message).toContain('Authentication failed: wrong user or token [1.0]');
  });

  test('a wrong password is answered within 500 ms', async () => {
    const users = file('users', { users: { nao: { token: 'secret' } } });
    const url = await directory({ authenticate: fileUsers(users) });
    const began = performance.now();
    for (const user of ['nao', 'stranger']) await refusal(url, tokenAuthenticator({ user, token: 'guess' }));
    expect((performance.now() - began) / 2).toBeLessThan(500);
  });

  test('a user without a token is paired with the first client, which alone comes in from then on', async () => {
    const users = file('users', { users: { nao: { token: 'secret' }, tablet: {} } });
    const url = await directory({ authenticate: fileUsers(users) });
    const tokens = new Collected<string>();
    const pairing = (): Authenticator =>
      tokenAuthenticator({ user: 'tablet', onNewToken: (token) => tokens.add(token) });
    await comesIn(url, pairing());
    const [token = ''] = tokens.all;
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(content(users)).toEqual({ users: { nao: { token: 'secret' }, tablet: { token: sha256(token) } } });
    expect(statSync(users).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['users']);
    expect((await refusal(url, pairing())).message).toContain('wrong user or token');
    await comesIn(url, tokenAuthenticator({ user: 'tablet', token }));
    // Another program of the same machine reads the same file.
    const again = await directory({ authenticate: fileUsers(users) });
    await comesIn(again, tokenAuthenticator({ user: 'tablet', token }));
  });

  test('of two that pair at once the first to repeat its token wins', async () => {
    const users = file('users', { users: { tablet: {} } });
    const provide = fileUsers(users);
    const offered = async (): Promise<string> => {
      const verdict = await provide({ user: 'tablet', token: '' });
      return verdict.state === 'continue' ? String(verdict.data['newToken']) : '';
    };
    const [one, two] = [await offered(), await offered()];
    expect(one).not.toBe(two);
    expect(await provide({ user: 'tablet', token: two })).toEqual({ state: 'done' });
    expect(await provide({ user: 'tablet', token: one })).toMatchObject({ state: 'refused' });
  });

  test('a client with a token that an unpaired user has not is offered another', async () => {
    const users = file('users', { users: { tablet: {} } });
    const own = file('own', { user: 'tablet', token: 'of a robot that was reset' });
    await comesIn(await directory({ authenticate: fileUsers(users) }), fileAuthenticator(own));
    const { token } = content(own) as { token: string };
    expect(content(users)).toEqual({ users: { tablet: { token: sha256(token) } } });
  });

  test('what changes in the file holds for the next client', async () => {
    const users = file('users', { users: { nao: { token: 'secret' } } });
    const url = await directory({ authenticate: fileUsers(users) });
    const nao = tokenAuthenticator({ user: 'nao', token: 'secret' });
    await comesIn(url, nao);
    file('users', { users: {} });
    expect((await refusal(url, nao)).code).toBe('unauthorized');
    file('users', 'half a file {');
    const error = await refusal(url, nao);
    expect(error.message).toContain('the users cannot be looked up at the moment');
    expect(error.message).not.toContain(folder);
  });

  test('a token that cannot be kept does not hold', async () => {
    // So long that the file beside it cannot be made.
    const users = file('u'.repeat(250), { users: { tablet: {} } });
    const url = await directory({ authenticate: fileUsers(users) });
    const error = await refusal(url, tokenAuthenticator({ user: 'tablet' }));
    expect(error.message).toContain('the new token could not be kept');
    expect(error.message).not.toContain(folder);
    expect(content(users)).toEqual({ users: { tablet: {} } });
  });
});

describe('a file of credentials', () => {
  const users = (token: unknown) => ({ users: { nao: { token } } });
  test.each<[string, unknown, string]>([
    ['is not JSON', '{ "secret-token', 'is not JSON'],
    ['has no users', {}, 'users'],
    ['has an unknown key', { users: {}, more: 1 }, 'more'],
    ['has an empty token', users(''), 'users.nao.token'],
    ['has a token that is no text', users(7), 'users.nao.token'],
    ['has a hash that is too short', users('sha256:12'), '64 hex digits'],
  ])('of users that %s is refused by name', async (_, given, words) => {
    const full = file('users', given);
    const error = await failureOf(Promise.resolve().then(() => fileUsers(full)));
    expect(error.code).toBe('config-invalid');
    expect(error.message).toContain(full);
    expect(error.message).toContain(words);
    expect(error.message).not.toContain('secret-token');
  });

  test.each<[string, unknown]>([
    ['is not JSON', 'nao:secret'],
    ['has no user', { token: 'x' }],
    ['has an empty user', { user: '' }],
    ['has an unknown key', { user: 'nao', password: 'x' }],
  ])('of a client that %s is refused by name', async (_, given) => {
    const full = file('own', given);
    const error = await failureOf(Promise.resolve().then(() => fileAuthenticator(full)));
    expect(error.code).toBe('config-invalid');
    expect(error.message).toContain(full);
  });

  test('that is not there is refused by name', async () => {
    for (const read of [fileUsers, fileAuthenticator]) {
      const error = await failureOf(Promise.resolve().then(() => read(path(folder, 'absent'))));
      expect(error).toMatchObject({ code: 'config-invalid' });
      expect(error.message).toContain('absent');
    }
  });
});

describe('a client with a file', () => {
  test('proves itself with what is in it, and leaves it as it is', async () => {
    const own = file('own', { user: 'nao', token: 'secret' });
    const users = file('users', { users: { nao: { token: 'secret' } } });
    const before = statSync(own).mtimeMs;
    await comesIn(await directory({ authenticate: fileUsers(users) }), fileAuthenticator(own));
    expect(statSync(own).mtimeMs).toBe(before);
  });

  test('keeps the token of a robot that pairs, for its owner only, behind a link too', async () => {
    const own = file('own', { user: 'tablet' });
    chmodSync(own, 0o644);
    const link = path(folder, 'link');
    symlinkSync(own, link);
    const users = file('users', { users: { tablet: {} } });
    const url = await directory({ authenticate: fileUsers(users) });
    await comesIn(url, fileAuthenticator(link));
    const { token } = content(own) as { token: string };
    expect(content(users)).toEqual({ users: { tablet: { token: sha256(token) } } });
    expect(statSync(own).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).sort()).toEqual(['link', 'own', 'users']);
    await comesIn(url, fileAuthenticator(own));
  });

  test('shows the same credentials to hosts of services', async () => {
    const own = file('own', { user: 'tablet' });
    const users = file('users', { users: { tablet: {} } });
    const authenticate = fileUsers(users);
    const url = await directory({ authenticate });
    const host = await joinBus(url, { authenticator: fileAuthenticator(own), authenticate });
    endings.push(() => host.close());
    await host.host('Guarded', createObject({ answer: method('()', 'i', () => 42) }));
    const client = await joinBus(url, { authenticator: fileAuthenticator(own) });
    endings.push(() => client.close());
    expect(await callMethod(await client.service('Guarded'), 'answer')).toBe(42);
  });

  test('that cannot be written fails, and does not go on without the token', async () => {
    const own = file('own', { user: 'tablet' });
    const authenticator = fileAuthenticator(own);
    rmSync(own);
    const users = file('users', { users: { tablet: {} } });
    const error = await refusal(await directory({ authenticate: fileUsers(users) }), authenticator);
    expect(error.code).toBe('config-invalid');
    expect(error.message).toContain('cannot be written');
    expect(content(users)).toEqual({ users: { tablet: {} } });
  });
});

describe('several rounds', () => {
  /** Asks for the digits one by one. */
  const digits: AuthenticationProvider = async ({ step = 0, digit }) => {
    const round = Number(step);
    if (round > 0 && digit !== round * 7) return { state: 'refused', reason: `digit ${round} is wrong` };
    return round === 3 ? { state: 'done', data: { welcome: 'nao' } } : { state: 'continue', data: { step: round + 1 } };
  };
  const answering = (factor: number, rounds: Collected<unknown>): Authenticator => ({
    begin: () => ({ user: 'nao' }),
    next: async (data) => {
      rounds.add(data['step']);
      return { step: data['step'], digit: Number(data['step']) * factor };
    },
  });

  test('are gone through by both sides; what was said in all of them is known at the door', async () => {
    const known = new Collected<unknown>();
    const url = await directory({ authenticate: digits, onOpen: (_, data) => known.add(data) });
    const rounds = new Collected<unknown>();
    await comesIn(url, answering(7, rounds));
    expect(rounds.all).toEqual([1, 2, 3]);
    expect(known.all).toEqual([
      { user: 'nao', step: 3, digit: 21, remoteEndpoint: expect.stringMatching(/^tcp:\/\/127\.0\.0\.1:\d+$/) },
    ]);
  });

  test('end with the reason at the first that is wrong', async () => {
    const url = await directory({ authenticate: digits });
    const error = await refusal(url, answering(8, new Collected()));
    expect(error.message).toContain('digit 1 is wrong');
  });
});

test('who is refused at the door is told why, and never was in', async () => {
  const ends = new Collected<string>();
  const url = await directory({
    onOpen: () => {
      throw new QiwayError('limit-exceeded', 'There are enough already.');
    },
    onClosed: (_, reason) => ends.add(reason.code),
  });
  const error = await failureOf(joinBus(url));
  expect(error.code).toBe('unauthorized');
  expect(error.message).toContain('There are enough already.');
  expect(await ends.count(1)).toEqual(['limit-exceeded']);
});

// Who is let in, and what is answered before: by the side that listens and by the side that dials.
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { errorText } from '../../protocol/bus/encode-error.ts';
import { decodeError } from '../../protocol/bus/error-payload.ts';
import { MessageFramer } from '../../protocol/wire/framer.ts';
import { encodeMessage, MessageType } from '../../protocol/wire/message.ts';
import { Dynamic, decodeValue, encodeValue } from '../../protocol/wire/value.ts';
import {
  type AuthenticationProvider,
  type Authenticator,
  createObject,
  EmbeddedBus,
  joinBus,
  type ListenBusOptions,
  listenBus,
  method,
  OWN_CAPABILITIES,
  QiwayError,
  tokenAuthenticator,
} from '../../robot-agent/qi/index.ts';
import { Collected, callMethod, failureOf } from '../contract/calls.ts';
import { handClock } from './hand-clock.ts';
import { type RawClient, type Received, rawClient } from './raw-client.ts';

const AUTHENTICATE = { type: MessageType.call, service: 0, object: 0, action: 8 } as const;
const SERVICES = { type: MessageType.call, service: 1, object: 1, action: 101 } as const;

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function directory(options: ListenBusOptions = {}): Promise<string> {
  const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
  const listener = await listenBus(bus, 'tcp://127.0.0.1:0', options);
  endings.push(
    () => bus.close(),
    () => listener.close(),
  );
  return listener.url;
}

async function client(url: string): Promise<RawClient> {
  const raw = await rawClient(url);
  endings.push(() => raw.close());
  return raw;
}

const map = (entries: Record<string, unknown>): Uint8Array => encodeValue('{sm}', entries);
const answerTo =
  (id: number) =>
  (received: Received): boolean =>
    received.header.id === id;
const textOf = ({ payload }: Received): string => errorText(decodeError(payload));
const stateOf = ({ payload }: Received): unknown =>
  (decodeValue('{sm}', payload, { dynamics: 'unwrapped' }) as Record<string, unknown>)['__qi_auth_state'];

const nao: AuthenticationProvider = ({ user, token }) => {
  if (user !== 'nao') return { state: 'refused', reason: 'no such user' };
  if (token === undefined) return { state: 'continue', data: { newToken: 'fresh' } };
  return token === 'fresh' ? { state: 'done' } : { state: 'refused' };
};

describe('a listening bus', () => {
  test('lets in whom the provider accepts, at once or later', async () => {
    const answers = [nao, async (data: Parameters<AuthenticationProvider>[0]) => nao(data)];
    for (const authenticate of answers) {
      const url = await directory({ authenticate });
      const bus = await joinBus(url, { authenticator: tokenAuthenticator({ user: 'nao', token: 'fresh' }) });
      expect(await bus.services()).toHaveLength(1);
      await bus.close();
    }
  });

  test('tells the provider where the client is', async () => {
    const seen = new Collected<unknown>();
    const url = await directory({
      authenticate: (data) => {
        seen.add(data['remoteEndpoint']);
        return { state: 'done' };
      },
    });
    const bus = await joinBus(url);
    expect(seen.all).toEqual([expect.stringMatching(/^tcp:\/\/127\.0\.0\.1:\d+$/)]);
    await bus.close();
  });

  test('refuses with the reason and closes', async () => {
    const raw = await client(await directory({ authenticate: nao }));
    raw.send({ id: 2, ...AUTHENTICATE }, map({ auth_user: 'pepper' }));
    expect(textOf(await raw.take(answerTo(2)))).toBe('Authentication failed: no such user [1.0]');
    await raw.closed;
  });

  test('refuses without a reason when the provider gives none, and when it throws', async () => {
    const raw = await client(await directory({ authenticate: nao }));
    raw.send({ id: 2, ...AUTHENTICATE }, map({ auth_user: 'nao', auth_token: 'old' }));
    expect(textOf(await raw.take(answerTo(2)))).toBe('Authentication failed');
    const url = await directory({ authenticate: () => Promise.reject(new Error('the user store is away')) });
    const other = await client(url);
    other.send({ id: 2, ...AUTHENTICATE }, map({}));
    expect(textOf(await other.take(answerTo(2)))).toContain('Authentication failed');
    await other.closed;
  });

  test('with a provider, answers anything but authentication with an error and closes', async () => {
    const raw = await client(await directory({ authenticate: nao }));
    raw.send({ id: 2, ...SERVICES });
    expect(textOf(await raw.take(answerTo(2)))).toBe(
      'Expected authentication (service #0, type #1, action #8), received service #1, type #1, action #101',
    );
    await raw.closed;
  });

  test('a client that does not wait for the verdict is not let in', async () => {
    let decide: () => void = () => {};
    const decided = new Promise<void>((resolve) => {
      decide = resolve;
    });
    const url = await directory({ authenticate: () => decided.then(() => ({ state: 'done' })) });
    const raw = await client(url);
    raw.send({ id: 2, ...AUTHENTICATE }, map({}));
    raw.send({ id: 3, ...SERVICES });
    expect(textOf(await raw.take(answerTo(3)))).toContain('Expected authentication');
    decide();
    await raw.closed;
    expect(raw.received).toEqual([]);
  });

  test('answers an authentication after the first with state 3, without capabilities', async () => {
    const raw = await client(await directory());
    raw.send({ id: 2, ...AUTHENTICATE }, map({}));
    const first = await raw.take(answerTo(2));
    expect(stateOf(first)).toBe(3);
    raw.send({ id: 3, ...AUTHENTICATE }, map({}));
    const again = await raw.take(answerTo(3));
    expect(decodeValue('{sm}', again.payload, { dynamics: 'unwrapped' })).toEqual({ __qi_auth_state: 3 });
  });

  test('takes what a client sends behind its authentication in one piece', async () => {
    const raw = await client(await directory());
    raw.socket.write(
      Buffer.concat([
        encodeMessage({ id: 2, ...AUTHENTICATE }, map({})),
        encodeMessage({ id: 3, ...SERVICES }, new Uint8Array(0)),
      ]),
    );
    expect((await raw.take(answerTo(3))).header.type).toBe(MessageType.reply);
  });

  test('closes a socket on which nobody authenticates in time', async () => {
    const clock = handClock();
    const raw = await client(await directory({ clock, timeoutMs: 777 }));
    await clock.fire(777);
    await raw.closed;
  });

  test('writes objects as both sides announced', async () => {
    const raw = await client(await directory({ capabilities: { ...OWN_CAPABILITIES, ObjectPtrUID: false } }));
    raw.send({ id: 2, ...AUTHENTICATE }, map({ ObjectPtrUID: new Dynamic('b', true) }));
    const reply = decodeValue('{sm}', (await raw.take(answerTo(2))).payload, { dynamics: 'unwrapped' });
    expect(reply).toMatchObject({ ObjectPtrUID: false, MessageFlags: true });
  });
});

describe('a host of services', () => {
  test('asks its clients for credentials, and they send those they have for the bus', async () => {
    const url = await directory();
    const host = await joinBus(url, { authenticate: nao });
    endings.push(() => host.close());
    await host.host('Guarded', createObject({ answer: method('()', 'i', () => 42) }));
    const [known, stranger] = await Promise.all([
      joinBus(url, { authenticator: tokenAuthenticator({ user: 'nao', token: 'fresh' }) }),
      joinBus(url),
    ]);
    endings.push(
      () => known.close(),
      () => stranger.close(),
    );
    expect(await callMethod(await known.service('Guarded'), 'answer')).toBe(42);
    expect((await failureOf(stranger.service('Guarded'))).code).toBe('unauthorized');
  });
});

/** A server that answers each message as told; the answers go to the message's address. */
async function scripted(
  answer: (
    count: number,
    map: Record<string, unknown>,
    socket: Socket,
  ) => { readonly type: number; readonly payload: Uint8Array } | undefined,
): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let count = 0;
    const framer = new MessageFramer({
      onMessage: (header, payload) => {
        const told =
          header.action === AUTHENTICATE.action
            ? (decodeValue('{sm}', payload, { dynamics: 'unwrapped' }) as Record<string, unknown>)
            : {};
        const given = answer(count++, told, socket);
        if (given !== undefined) socket.write(encodeMessage({ ...header, type: given.type }, given.payload));
      },
    });
    socket.on('error', () => {}).on('data', (chunk) => framer.push(new Uint8Array(chunk)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endings.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return `tcp://127.0.0.1:${(server.address() as { port: number }).port}`;
}

const reply = (entries: Record<string, unknown>) => ({ type: MessageType.reply, payload: map(entries) });
const refusal = (text: string) => ({ type: MessageType.error, payload: encodeValue('m', new Dynamic('s', text)) });

describe('a joining program', () => {
  test('goes on as the server wants, and keeps the new token', async () => {
    const tokens = new Collected<string>();
    const url = await directory({ authenticate: nao });
    const bus = await joinBus(url, {
      authenticator: tokenAuthenticator({ user: 'nao', onNewToken: (token) => tokens.add(token) }),
    });
    expect(tokens.all).toEqual(['fresh']);
    await bus.close();
  });

  test('reports a refusal with the reason', async () => {
    const url = await directory({ authenticate: nao });
    const error = await failureOf(joinBus(url, { authenticator: tokenAuthenticator({ user: 'pepper' }) }));
    expect(error.code).toBe('unauthorized');
    expect(error.message).toContain('no such user');
  });

  test('reports a refusal also when it has nothing to prove', async () => {
    expect((await failureOf(joinBus(await directory({ authenticate: nao })))).code).toBe('unauthorized');
  });

  test.each([
    [
      'state 1',
      reply({ __qi_auth_state: new Dynamic('I', 1), __qi_auth_err_reason: 'go away' }),
      'unauthorized',
      'go away',
    ],
    [
      'state 1 as old robots write it',
      reply({ __qi_auth_state: new Dynamic('i', 1) }),
      'unauthorized',
      'no reason given',
    ],
    ['a state that is none', reply({ __qi_auth_state: new Dynamic('I', 9) }), 'protocol-mismatch', 'unknown state 9'],
    ['no state', reply({}), 'protocol-mismatch', 'unknown state undefined'],
    [
      'state 2 for a program with nothing more to tell',
      reply({ __qi_auth_state: new Dynamic('I', 2) }),
      'unauthorized',
      'more than this client can tell',
    ],
  ])('%s is a failure', async (_, answer, code, words) => {
    const error = await failureOf(joinBus(await scripted(() => answer)));
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
  });

  test('does not go round for ever', async () => {
    const rounds = new Collected<unknown>();
    const url = await scripted((_count, told) => {
      rounds.add(told);
      return reply({ __qi_auth_state: new Dynamic('I', 2), auth_newToken: 'again' });
    });
    const error = await failureOf(joinBus(url, { authenticator: tokenAuthenticator({ user: 'nao' }) }));
    expect(error.code).toBe('unauthorized');
    expect(rounds.all.length).toBeLessThan(20);
  });

  test('what its authenticator throws ends it', async () => {
    const authenticator: Authenticator = {
      begin: () => ({}),
      next: () => Promise.reject(new QiwayError('unauthorized', 'The user did not agree.')),
    };
    const url = await scripted(() => reply({ __qi_auth_state: new Dynamic('I', 2) }));
    expect((await failureOf(joinBus(url, { authenticator }))).message).toContain('did not agree');
  });

  test('announces its capabilities once, then only data', async () => {
    const told = new Collected<Record<string, unknown>>();
    const url = await scripted((count, entries) => {
      told.add(entries);
      return count === 0
        ? reply({ __qi_auth_state: new Dynamic('I', 2), auth_newToken: 'n' })
        : refusal('Authentication failed');
    });
    await failureOf(joinBus(url, { authenticator: tokenAuthenticator({ user: 'nao' }) }));
    expect(told.all).toEqual([
      { ...OWN_CAPABILITIES, auth_user: 'nao' },
      { auth_token: 'n', auth_user: 'nao' },
    ]);
  });

  test('goes on without authentication with an old server that does not know it', async () => {
    const types = new Collected<number>();
    const url = await scripted((count, _entries, socket) => {
      types.add(count);
      if (count === 0) return refusal('No such method {0.0.8, id:2}');
      // The second is the capability message, the third asks for the directory.
      if (count === 2) socket.destroy();
      return undefined;
    });
    expect((await failureOf(joinBus(url))).code).toBe('bus-down');
    expect(types.all).toEqual([0, 1, 2]);
  });

  test('with something to prove, does not go on with such a server', async () => {
    const url = await scripted(() => refusal('No such method {0.0.8, id:2}'));
    expect((await failureOf(joinBus(url, { authenticator: tokenAuthenticator({ user: 'nao' }) }))).code).toBe(
      'unauthorized',
    );
  });
});

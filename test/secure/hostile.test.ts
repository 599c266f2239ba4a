// Strangers and liars at the handshake: typed errors, the transport closed, nothing left behind, and the next one is let in.
import { concat } from '@qiway/protocol/secure/crypto';
import { walk } from '@qiway/protocol/secure/later';
import { NoiseHandshake } from '@qiway/protocol/secure/noise';
import { introduce, PROLOGUE } from '@qiway/protocol/secure/payload';
import type { Transport } from '@qiway/protocol/session/transport';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { type VirtualClock, virtualClock } from '../support/virtual-clock.ts';
import { fromHex, onNode } from './cryptos.ts';
import { client, HELLO, listenTo, meet, party, robot, startAccept, startInitiate, type Told, wire } from './lab.ts';

const known = { id: robot.id, staticKey: robot.staticKey.publicKey };
let pending = 0;
/** Counts the timers that are set. */
function countedClock(): VirtualClock {
  const clock = virtualClock();
  return {
    ...clock,
    after: (delayMs, run) => {
      pending++;
      let isSet = true;
      const end = (): void => {
        if (isSet) pending--;
        isSet = false;
      };
      const stop = clock.after(delayMs, () => {
        end();
        run();
      });
      return () => {
        end();
        stop();
      };
    },
  };
}
afterEach(() => {
  expect(pending).toBe(0);
});

interface Refusal {
  readonly error: { readonly code: string; readonly data: { readonly reason?: string } };
  readonly stranger: Told;
}

/** What an agent makes of a stranger that says these things, and then nothing. */
async function say(...messages: readonly Uint8Array[]): Promise<Refusal> {
  const { left, right } = wire();
  const clock = countedClock();
  const stranger = listenTo(left);
  const accepting = startAccept(right, { clock }).then(
    () => undefined,
    (error: unknown) => error,
  );
  for (const message of messages) left.send(message);
  await clock.advance(20_000);
  const error = (await accepting) as Refusal['error'];
  await stranger.until(({ closes }) => closes.length === 1);
  return { error, stranger };
}

/** The messages of a whole handshake of the honest client, as somebody on the way could record them. */
async function recorded(pattern: 'XX' | 'IK'): Promise<Uint8Array[]> {
  const met = await meet({ initiating: { robot: pattern === 'IK' ? known : undefined } });
  return met.wire.fromLeft;
}

describe('an agent refuses', () => {
  test.each([
    ['nothing at all', new Uint8Array(0)],
    ['a pattern that there is not', new Uint8Array(33)],
    ['text', new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')],
    ['an XX message cut short', Uint8Array.of(1, ...new Uint8Array(31).fill(9))],
    ['an IK message cut short', Uint8Array.of(2, ...new Uint8Array(79).fill(9))],
    ['an XX message with more in it', Uint8Array.of(1, ...new Uint8Array(33).fill(9))],
  ])('%s', async (_name, message) => {
    const { error, stranger } = await say(message);
    expect(error).toMatchObject({ code: 'handshake-failed', data: { reason: 'malformed' } });
    expect(stranger.closes).toEqual([{ reason: 'handshake-failed', code: 4400 }]);
    expect(stranger.messages).toEqual([]);
  });

  test('keys with which everybody knows the secret', async () => {
    for (const point of [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31))]) {
      for (const message of [concat(Uint8Array.of(1), point), concat(Uint8Array.of(2), point, new Uint8Array(200))]) {
        const { error, stranger } = await say(message);
        expect(error).toMatchObject({ code: 'handshake-failed', data: { reason: 'malformed' } });
        expect(stranger.closes[0]?.code).toBe(4400);
      }
    }
  });

  test('a message that is too long, before it looks at it', async () => {
    const { error, stranger } = await say(new Uint8Array(4097).fill(1));
    expect(error).toMatchObject({ code: 'limit-exceeded' });
    expect(stranger.closes).toEqual([{ reason: 'limit-exceeded', code: 4413 }]);
  });

  test('IK for another static key with a code of its own', async () => {
    const other = await party();
    const { left, right } = wire();
    const clock = countedClock();
    const stranger = startInitiate(left, { clock, robot: { staticKey: other.staticKey.publicKey } });
    const [accepted] = await Promise.allSettled([startAccept(right, { clock }), stranger]);
    expect(accepted).toMatchObject({ reason: { data: { reason: 'static-key-unknown' } } });
  });

  test.each(['XX', 'IK'] as const)('every message of %s with any bit changed', async (pattern) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), async (message, byte, change) => {
        const count = pattern === 'XX' ? 2 : 1;
        const target = message % count;
        const { left, right } = wire({
          left: (bytes, index) => {
            if (index !== target) return [bytes];
            const changed = bytes.slice();
            // The first byte says which pattern; the ephemeral key of XX is held by the answer, which the client then cannot read.
            changed[byte % bytes.length]! ^= change;
            return [changed];
          },
        });
        const clock = countedClock();
        const both = Promise.allSettled([
          startAccept(right, { clock }),
          startInitiate(left, { clock, robot: pattern === 'IK' ? known : undefined }),
        ]);
        await clock.advance(20_000);
        const [accepted, initiated] = await both;
        expect(accepted.status).toBe('rejected');
        expect((accepted as PromiseRejectedResult).reason).toMatchObject({
          code: expect.stringMatching(/^(handshake-failed|timeout)$/),
        });
        // A client of XX is done with its second message; it learns of the refusal by the close.
        if (initiated.status === 'fulfilled') {
          const told = listenTo(initiated.value.transport);
          await told.until(({ closes }) => closes.length === 1);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('whatever else strangers say', async () => {
    const [xx, ik] = [await recorded('XX'), await recorded('IK')];
    const parts = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom(...xx, ...ik),
      fc
        .tuple(fc.constantFrom(1, 2), fc.uint8Array({ minLength: 32, maxLength: 400 }))
        .map(([kind, rest]) => Uint8Array.of(kind, ...rest)),
      fc.tuple(fc.constantFrom(...xx, ...ik), fc.nat(400)).map(([message, end]) => message.subarray(0, end)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(parts, { maxLength: 5 }), async (messages) => {
        // Recorded IK is taken again: see below. Everything else is refused.
        fc.pre(messages[0] === undefined || !Buffer.from(ik[0]!).equals(messages[0]));
        const { error } = await say(...messages);
        expect(error).toMatchObject({
          name: 'QiwayError',
          code: expect.stringMatching(/^(handshake-failed|timeout|limit-exceeded)$/),
        });
      }),
      { numRuns: 300 },
    );
  });
});

describe('who recorded a handshake', () => {
  test('gets nowhere with XX: the agent answers with a key of this time', async () => {
    const [first, last] = await recorded('XX');
    const { error } = await say(first!, last!);
    expect(error).toMatchObject({ code: 'handshake-failed', data: { reason: 'unreadable' } });
  });

  test('can repeat the hello of IK, and can neither read the answer nor say anything more', async () => {
    const [first] = await recorded('IK');
    const { left, right } = wire();
    const clock = countedClock();
    const stranger = listenTo(left);
    const accepting = startAccept(right, { clock });
    left.send(first!);
    const accepted = await accepting;
    expect([accepted.clientId, accepted.hello]).toEqual([client.id, HELLO]);
    const agent = listenTo(accepted.transport);
    accepted.transport.send(new TextEncoder().encode('welcome'));
    for (const guess of [new Uint8Array(0), new Uint8Array(40), first!]) left.send(guess);
    await agent.until(({ closes }) => closes.length === 1);
    expect([agent.messages, agent.closes[0]?.code]).toEqual([[], 4400]);
    expect(stranger.messages.some((message) => Buffer.from(message).includes('welcome'))).toBe(false);
  });
});

describe('a client refuses', () => {
  /** An agent that answers the first message with these. */
  async function answered(...answers: readonly Uint8Array[]): Promise<unknown> {
    const { left, right } = wire();
    right.listen({
      message: () => {
        for (const answer of answers) right.send(answer);
      },
      drain: () => {},
      close: () => {},
    });
    const clock = countedClock();
    const initiating = startInitiate(left, { clock }).catch((error: unknown) => error);
    await clock.advance(10_000);
    return initiating;
  }

  test.each([
    ['an empty answer', new Uint8Array(0), 'malformed'],
    ['half a key', new Uint8Array(16), 'malformed'],
    ['a key of low order', new Uint8Array(300), 'malformed'],
    ['noise', Uint8Array.from({ length: 300 }, (_, index) => (index * 7 + 9) & 0xff), 'unreadable'],
  ])('%s', async (_name, answer, reason) => {
    expect(await answered(answer)).toMatchObject({ code: 'handshake-failed', data: { reason } });
  });

  test('its own message, sent back', async () => {
    const { left, right } = wire();
    right.listen({ message: (bytes) => void right.send(bytes.slice(1)), drain: () => {}, close: () => {} });
    await expect(startInitiate(left, { clock: countedClock() })).rejects.toMatchObject({ code: 'handshake-failed' });
  });

  test('an answer that is too long', async () => {
    expect(await answered(new Uint8Array(4097))).toMatchObject({ code: 'limit-exceeded' });
  });

  test('a robot that proves nothing', async () => {
    const { left, right } = wire();
    const liar = lyingAgent(right, new Uint8Array(10));
    await expect(startInitiate(left, { clock: countedClock() })).rejects.toMatchObject({
      code: 'handshake-failed',
      data: { reason: 'proof' },
    });
    await liar;
  });

  test('a robot that shows the identity of another, with a signature of its own', async () => {
    const thief = await party();
    const own = await thief.identity.sign(
      concat(new TextEncoder().encode('qiway static key'), robot.staticKey.publicKey),
    );
    const { left, right } = wire();
    const proof = concat(robot.identity.publicKey, own);
    const liar = lyingAgent(right, introduce({ proof, wantsSeal: true }));
    await expect(startInitiate(left, { clock: countedClock() })).rejects.toMatchObject({ data: { reason: 'proof' } });
    await liar;
  });

  /** The responder of XX with a payload of the test's choice. */
  async function lyingAgent(transport: Transport, payload: Uint8Array): Promise<void> {
    const first = await new Promise<Uint8Array>((resolve) => {
      transport.listen({ message: resolve, drain: () => {}, close: () => {} });
    });
    const { staticKey } = robot;
    const noise = await walk(
      NoiseHandshake.begin({ crypto: onNode, pattern: 'XX', isInitiator: false, prologue: PROLOGUE, staticKey }),
    );
    await walk(noise.read(first.subarray(1)));
    transport.send(await walk(noise.write(payload)));
  }
});

test('a flood before the handshake is through has a bound', async () => {
  const { left, right } = wire();
  const clock = countedClock();
  const initiating = startInitiate(left, {
    clock,
    crypto: { ...onNode, makeAgreementKey: () => new Promise(() => {}) },
  });
  const refused = expect(initiating).rejects.toMatchObject({ code: 'timeout' });
  const told = listenTo(right);
  for (let count = 0; count < 5; count++) right.send(new Uint8Array(1024 * 1024));
  await told.until(({ closes }) => closes.length === 1);
  expect(told.closes).toEqual([{ reason: 'more messages than a handshake has', code: 4413 }]);
  // The computation that never ends does not keep the client waiting either.
  await clock.advance(3000);
  await refused;
});

test('another protocol over the same keys is no handshake of this one', async () => {
  const noise = await walk(
    NoiseHandshake.begin({
      crypto: onNode,
      pattern: 'IK',
      isInitiator: true,
      prologue: fromHex('00'),
      staticKey: client.staticKey,
      remoteStatic: robot.staticKey.publicKey,
    }),
  );
  const { error } = await say(concat(Uint8Array.of(2), await walk(noise.write(HELLO))));
  expect(error).toMatchObject({ code: 'handshake-failed', data: { reason: 'static-key-unknown' } });
});

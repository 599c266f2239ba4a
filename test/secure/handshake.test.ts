// Both ends of the handshake over transports in memory: who is who, and what is refused.

import * as node from 'node:crypto';
import { concat } from '@qiway/protocol/secure/crypto';
import { isStaticKeyUnknown } from '@qiway/protocol/secure/initiate';
import { nodeCrypto } from '@qiway/protocol/secure/node-crypto';
import { describe, expect, test } from 'vitest';
import { virtualClock } from '../support/virtual-clock.ts';
import { cryptos } from './cryptos.ts';
import { client, HELLO, listenTo, meet, party, robot, startAccept, startInitiate, wire } from './lab.ts';

const known = { id: robot.id, staticKey: robot.staticKey.publicKey };

describe.each(cryptos)('with $name in the client', ({ crypto }) => {
  test.each([
    { pattern: 'XX, anybody', robot: undefined, sent: 2 },
    { pattern: 'XX, a certain robot', robot: { id: robot.id }, sent: 2 },
    { pattern: 'IK', robot: known, sent: 1 },
  ])('$pattern: each knows the other, and hello is there', async ({ robot: expected, sent }) => {
    const me = await party(crypto);
    let hellos = 0;
    const hello = (): Uint8Array => {
      hellos++;
      return HELLO;
    };
    const {
      initiated,
      accepted,
      wire: between,
    } = await meet({ initiating: { ...me, crypto, robot: expected, hello } });
    expect(initiated.robot).toEqual({ id: robot.id, staticKey: robot.staticKey.publicKey });
    expect(accepted.clientId).toBe(me.id);
    expect([new TextDecoder().decode(accepted.hello), hellos]).toEqual(['{"protocol":2}', 1]);
    expect([between.fromLeft.length, between.fromRight.length]).toEqual([sent, 1]);
    const [atClient, atAgent] = [listenTo(initiated.transport), listenTo(accepted.transport)];
    accepted.transport.send(Uint8Array.of(1), [Uint8Array.of(2, 3)]);
    initiated.transport.send(Uint8Array.of(4));
    initiated.transport.send(Uint8Array.of(5));
    await atClient.until(({ messages }) => messages.length === 1);
    await atAgent.until(({ messages }) => messages.length === 2);
    expect([atClient.messages, atAgent.messages]).toEqual([
      [Uint8Array.of(1, 2, 3)],
      [Uint8Array.of(4), Uint8Array.of(5)],
    ]);
    expect(between.fromLeft.concat(between.fromRight).some((bytes) => Buffer.from(bytes).includes('protocol'))).toBe(
      false,
    );
  });
});

describe('sealing', () => {
  test.each([
    { wantsSeal: false, mustSeal: false, isSealed: false },
    { wantsSeal: true, mustSeal: false, isSealed: true },
    { wantsSeal: false, mustSeal: true, isSealed: true },
    { wantsSeal: true, mustSeal: true, isSealed: true },
  ])(
    'client asks $wantsSeal, agent asks $mustSeal: $isSealed, either way',
    async ({ wantsSeal, mustSeal, isSealed }) => {
      for (const expected of [undefined, known]) {
        const met = await meet({ initiating: { wantsSeal, robot: expected }, accepting: { mustSeal } });
        expect([met.initiated.isSealed, met.accepted.isSealed]).toEqual([isSealed, isSealed]);
        const told = listenTo(met.accepted.transport);
        const text = new TextEncoder().encode('plain as day');
        met.initiated.transport.send(text);
        await told.until(({ messages }) => messages.length === 1);
        expect(told.messages).toEqual([text]);
        const [record] = met.wire.fromLeft.slice(-1);
        expect(Buffer.from(record ?? []).includes('plain as day')).toBe(!isSealed);
        expect(record?.length).toBe(text.length + (isSealed ? 16 : 0));
      }
    },
  );
});

describe('a client refuses', () => {
  test.each([
    { pattern: 'XX', staticKey: undefined },
    { pattern: 'IK', staticKey: robot.staticKey.publicKey },
  ])('another robot than the expected, before it says more: $pattern', async ({ staticKey }) => {
    const between = wire();
    const clock = virtualClock();
    const expected = (await party()).id;
    let hellos = 0;
    const accepting = startAccept(between.right, { clock }).then(listenOn, (error: unknown) => error);
    const initiating = startInitiate(between.left, {
      clock,
      robot: { id: expected, staticKey },
      hello: () => {
        hellos++;
        return HELLO;
      },
    });
    await expect(initiating).rejects.toMatchObject({
      code: 'robot-identity-mismatch',
      data: { expected, found: robot.id },
    });
    if (staticKey === undefined) {
      expect(between.fromLeft.map((message) => message.length)).toEqual([1 + 32]);
      expect(hellos).toBe(0);
      expect(await accepting).toMatchObject({ code: 'handshake-failed', data: { reason: 'closed' } });
    } else {
      const told = (await accepting) as ReturnType<typeof listenTo>;
      await told.until(({ closes }) => closes.length === 1);
      expect(told.closes).toEqual([{ reason: 'robot-identity-mismatch', code: 4401 }]);
    }
  });

  test('an agent that knows the static key of a robot it was not given: what it said can be read by that robot alone', async () => {
    const impostor = await party();
    const between = wire();
    const clock = virtualClock();
    const accepting = startAccept(between.right, { clock, ...impostor });
    const initiating = startInitiate(between.left, { clock, robot: known });
    const [accepted, initiated] = await Promise.allSettled([accepting, initiating]);
    expect(accepted).toMatchObject({ reason: { code: 'handshake-failed', data: { reason: 'static-key-unknown' } } });
    expect(initiated.status).toBe('rejected');
    expect(isStaticKeyUnknown((initiated as PromiseRejectedResult).reason)).toBe(true);
    // So it begins anew with XX, and finds out.
    const anew = wire();
    startAccept(anew.right, { clock, ...impostor }).catch(() => undefined);
    await expect(startInitiate(anew.left, { clock, robot: { id: robot.id } })).rejects.toMatchObject({
      code: 'robot-identity-mismatch',
      data: { expected: robot.id, found: impostor.id },
    });
  });

  test('a robot with another static key is met again by its identity', async () => {
    const crypto = nodeCrypto(node);
    const renewed = { identity: robot.identity, staticKey: crypto.agreementKey(crypto.random(32)) };
    const clock = virtualClock();
    const first = wire();
    startAccept(first.right, { clock, ...renewed }).catch(() => undefined);
    const failure = await startInitiate(first.left, { clock, robot: known }).catch((error: unknown) => error);
    expect(isStaticKeyUnknown(failure)).toBe(true);
    const met = await meet({ initiating: { robot: { id: robot.id } }, accepting: renewed });
    expect(met.initiated.robot).toEqual({ id: robot.id, staticKey: renewed.staticKey.publicKey });
  });
});

describe('a proof', () => {
  test('of another static key is refused by the client', async () => {
    const thief = await party();
    const stolen = (await meetProof()).robotProof;
    const between = wire();
    const clock = virtualClock();
    const accepting = startAccept(between.right, { clock, ...thief, proof: stolen }).catch((error: unknown) => error);
    await expect(startInitiate(between.left, { clock, robot: { id: robot.id } })).rejects.toMatchObject({
      code: 'handshake-failed',
      data: { reason: 'proof' },
    });
    expect(await accepting).toMatchObject({ code: 'handshake-failed', data: { reason: 'closed' } });
    expect(between.fromLeft.length).toBe(1);
  });

  test.each([undefined, known])('of another static key is refused by the agent', async (expected) => {
    const thief = await party();
    const stolen = (await meetProof()).clientProof;
    const between = wire();
    const clock = virtualClock();
    const initiating = startInitiate(between.left, { clock, ...thief, proof: stolen, robot: expected });
    const told = initiating.then(
      ({ transport }) => listenTo(transport),
      (error: unknown) => error,
    );
    await expect(startAccept(between.right, { clock })).rejects.toMatchObject({
      code: 'handshake-failed',
      data: { reason: 'proof' },
    });
    expect(await told).toBeDefined();
  });

  /** Proofs are no secrets: whoever was talked to has them. */
  async function meetProof(): Promise<{ robotProof: Uint8Array; clientProof: Uint8Array }> {
    const sign = async ({ identity, staticKey }: typeof robot): Promise<Uint8Array> => {
      const text = concat(new TextEncoder().encode('qiway static key'), staticKey.publicKey);
      return concat(identity.publicKey, await identity.sign(text));
    };
    return { robotProof: await sign(robot), clientProof: await sign(client) };
  }
});

describe('waiting has an end', () => {
  test('for an agent that says nothing', async () => {
    const { left, right } = wire();
    const clock = virtualClock();
    const agent = listenTo(right);
    const refused = expect(startInitiate(left, { clock, timeoutMs: 3000 })).rejects.toMatchObject({
      code: 'timeout',
      data: { timeoutMs: 3000 },
    });
    await clock.advance(2999);
    expect(agent.closes).toEqual([]);
    await clock.advance(1);
    await refused;
    expect(agent.closes).toEqual([{ reason: 'timeout', code: 4408 }]);
  });

  test('for a client that says nothing, or nothing more', async () => {
    for (const first of [undefined, concat(Uint8Array.of(1), (await party()).staticKey.publicKey)]) {
      const { left, right } = wire();
      const clock = virtualClock();
      const stranger = listenTo(left);
      const refused = expect(startAccept(right, { clock })).rejects.toMatchObject({ code: 'timeout' });
      await clock.advance(4000);
      if (first !== undefined) left.send(first);
      await clock.advance(999);
      expect(stranger.closes).toEqual([]);
      await clock.advance(first === undefined ? 1 : 4001);
      await refused;
      expect(stranger.closes).toEqual([{ reason: 'timeout', code: 4408 }]);
    }
  });

  test('ends with the transport', async () => {
    const clock = virtualClock();
    const ours = wire();
    ours.right.listen({ message: () => ours.right.close(1000, 'no'), drain: () => {}, close: () => {} });
    await expect(startInitiate(ours.left, { clock })).rejects.toMatchObject({
      code: 'handshake-failed',
      message: expect.stringContaining('no'),
      data: { reason: 'closed' },
    });
    const theirs = wire();
    const accepting = startAccept(theirs.right, { clock });
    theirs.left.close(1000, 'gone');
    await expect(accepting).rejects.toMatchObject({ code: 'handshake-failed', data: { reason: 'closed' } });
  });
});

test('a hello that does not fit is refused where it is made', async () => {
  for (const expected of [undefined, known]) {
    const { left, right } = wire();
    const clock = virtualClock();
    const accepting = startAccept(right, { clock }).catch((error: unknown) => error);
    await expect(
      startInitiate(left, { clock, robot: expected, hello: () => new Uint8Array(4096) }),
    ).rejects.toMatchObject({ code: 'limit-exceeded', data: { limit: 'handshakeBytes', maximum: 4096 } });
    expect(await accepting).toMatchObject({ code: 'handshake-failed', data: { reason: 'closed' } });
  }
});

test('what arrives before anybody listens is kept, with the end of it', async () => {
  const met = await meet({ initiating: { robot: known } });
  met.accepted.transport.send(Uint8Array.of(1));
  met.accepted.transport.send(Uint8Array.of(2));
  met.accepted.transport.close(1000, 'done');
  await met.clock.advance(0);
  const told = listenTo(met.initiated.transport);
  expect(told.messages).toEqual([]);
  await told.until(({ closes }) => closes.length === 1);
  expect(told.messages).toEqual([Uint8Array.of(1), Uint8Array.of(2)]);
  expect(told.closes).toEqual([{ reason: 'done', code: 1000 }]);
});

/** Listens to what an accept gave. */
function listenOn({ transport }: { readonly transport: Parameters<typeof listenTo>[0] }): ReturnType<typeof listenTo> {
  return listenTo(transport);
}

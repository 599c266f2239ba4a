// Both ends of the handshake over transports in memory: who is who, what is refused, and what arrives afterwards.
import * as node from 'node:crypto';
import { accept } from '@qiway/protocol/secure/accept';
import { idOf } from '@qiway/protocol/secure/identity';
import { initiate } from '@qiway/protocol/secure/initiate';
import { nodeCrypto } from '@qiway/protocol/secure/node-crypto';
import { memoryTransports } from '@qiway/protocol/transport/memory';
import { expect, test } from 'vitest';
import { virtualClock } from '../support/virtual-clock.ts';

const crypto = nodeCrypto(node);
test('both ends know each other, and what one sends the other reads', async () => {
  const [left, right] = memoryTransports();
  const clock = virtualClock();
  const me = { identity: crypto.identity(crypto.random(32)), staticKey: crypto.agreementKey(crypto.random(32)) };
  const robot = { identity: crypto.identity(crypto.random(32)), staticKey: crypto.agreementKey(crypto.random(32)) };
  const hello = Uint8Array.of(1, 2, 3);
  const accepting = accept(right, { crypto, ...robot, mustSeal: true, clock, timeoutMs: 1000 });
  const a = await initiate(left, { crypto, ...me, hello: () => hello, wantsSeal: false, clock, timeoutMs: 1000 });
  const b = await accepting;
  expect(b.hello).toEqual(hello);
  expect(b.clientId).toBe(await idOf(crypto, me.identity.publicKey));
  const got: Uint8Array[] = [];
  a.transport.listen({ message: (m) => got.push(m), drain() {}, close() {} });
  b.transport.send(Uint8Array.of(9), [Uint8Array.of(8, 7)]);
  await clock.advance(0);
  expect(got).toEqual([Uint8Array.of(9, 8, 7)]);
});

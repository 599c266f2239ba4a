// Sealed records: the contract of transports on every Crypto, and what happens to records that were tampered with.
import type { SealingKey } from '@qiway/protocol/secure/crypto';
import { type SecureKeys, SecureTransport } from '@qiway/protocol/secure/secure-transport';
import type { Transport, TransportListener } from '@qiway/protocol/session/transport';
import { memoryTransports } from '@qiway/protocol/transport/memory';
import { describe, expect, test } from 'vitest';
import { transportContract } from '../contract/transport-contract.ts';
import { settled } from '../support/virtual-clock.ts';
import { webSocketDoor } from '../support/web-socket-door.ts';
import { cryptos, onNode } from './cryptos.ts';
import { listenTo, type Told } from './lab.ts';

/** The same keys on both sides, each way another. */
async function keyPair({ crypto }: (typeof cryptos)[number]): Promise<{ left: SecureKeys; right: SecureKeys }> {
  const [there, back] = [
    await crypto.sealingKey(new Uint8Array(32).fill(1)),
    await crypto.sealingKey(new Uint8Array(32).fill(2)),
  ];
  return { left: { send: there, receive: back }, right: { send: back, receive: there } };
}

/** A secure transport over `below`, listened to. */
function secured(
  below: Transport,
  { keys, listener }: { keys: SecureKeys | undefined; listener: TransportListener },
): SecureTransport {
  const transport = new SecureTransport(below, { keys });
  below.listen(transport.below);
  transport.listen(listener);
  return transport;
}

// noble computes at once, as Node does, but its floods take seconds.
for (const tested of cryptos.slice(0, 2))
  transportContract(`sealed in memory with ${tested.name}`, async (listeners) => {
    const keys = await keyPair(tested);
    const [below, above] = memoryTransports();
    const left = secured(below, { keys: keys.left, listener: listeners.left });
    const right = secured(above, { keys: keys.right, listener: listeners.right });
    return { left, right, close: async () => left.close(1000, 'the test is over') };
  });

transportContract('not sealed, in memory', async (listeners) => {
  const [below, above] = memoryTransports();
  const left = secured(below, { keys: undefined, listener: listeners.left });
  const right = secured(above, { keys: undefined, listener: listeners.right });
  return { left, right, close: async () => left.close(1000, 'the test is over') };
});

transportContract('sealed on a WebSocket, WebCrypto on the left', async (listeners) => {
  const [onNodeKeys, onWebKeys] = [await keyPair(cryptos[0]!), await keyPair(cryptos[1]!)];
  let right: Transport | undefined;
  const door = await webSocketDoor((transport) => {
    right = secured(transport, { keys: onNodeKeys.right, listener: listeners.right });
  });
  const left = secured(await door.dial(), { keys: onWebKeys.left, listener: listeners.left });
  if (right === undefined) throw new Error('the socket opened before it was accepted');
  let closing: Promise<void> | undefined;
  return { left, right, close: () => (closing ??= door.close()) };
});

/** The transport below, in the hands of the test. */
class Below implements Transport {
  readonly route = 'relay';
  bufferedBytes = 0;
  isFull = false;
  readonly sent: Uint8Array[] = [];
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  above: TransportListener | undefined;

  send(message: Uint8Array, rest: readonly Uint8Array[] = []): boolean {
    this.sent.push(Uint8Array.from([message, ...rest].flatMap((part) => [...part])));
    return !this.isFull;
  }

  close(code: number, reason: string): void {
    this.closes.push({ code, reason });
    queueMicrotask(() => this.above?.close(reason, code));
  }

  listen(listener: TransportListener): void {
    this.above = listener;
  }
}

interface Bench {
  readonly below: Below;
  readonly transport: SecureTransport;
  readonly told: Told;
}

function bench(keys: SecureKeys | undefined, maxMessageBytes?: number): Bench {
  const below = new Below();
  const transport = new SecureTransport(below, { keys, maxMessageBytes });
  below.listen(transport.below);
  return { below, transport, told: listenTo(transport) };
}

describe.each(cryptos)('a record that is not the next one of the other side ends the link: $name', (tested) => {
  const faults: Record<string, (first: Uint8Array, second: Uint8Array, third: Uint8Array) => Uint8Array[]> = {
    'one bit changed': (first, second) => [first, flipped(second, 3)],
    'one bit of the tag changed': (first, second) => [first, flipped(second, second.length - 1)],
    'cut short': (first, second) => [first, second.subarray(0, -1)],
    'shorter than a tag': (first) => [first, new Uint8Array(15)],
    empty: (first) => [first, new Uint8Array(0)],
    longer: (first, second) => [first, Uint8Array.of(...second, 0)],
    repeated: (first) => [first, first],
    'left out': (first, _second, third) => [first, third],
    'in another order': (first, second, third) => [first, third, second],
    'not sealed': (first) => [first, Uint8Array.of(1, 2, 3)],
    'our own, sent back': (first) => [first, first.slice()],
  };
  test.each(Object.keys(faults))('%s', async (name) => {
    const keys = await keyPair(tested);
    const [near, far] = [bench(keys.left), bench(keys.right)];
    for (const byte of [1, 2, 3]) near.transport.send(new Uint8Array(20).fill(byte));
    near.transport.close(1000, 'the last');
    await near.told.until(({ closes }) => closes.length === 1);
    const [first, second, third] = near.below.sent;
    for (const record of faults[name]!(first!, second!, third!)) far.below.above!.message(record);
    far.below.above!.message(second!);
    await far.told.until(({ closes }) => closes.length === 1);
    expect(far.told.messages).toEqual([new Uint8Array(20).fill(1)]);
    expect(far.below.closes).toEqual([{ code: 4400, reason: 'a record does not open' }]);
    // Nothing more goes out either way once it is closed.
    far.transport.send(Uint8Array.of(1));
    far.below.above!.message(second!);
    await settled();
    expect([far.told.messages.length, far.told.closes.length, far.below.sent.length]).toEqual([1, 1, 0]);
  });

  test('a record beyond the bound is not even opened', async () => {
    const keys = await keyPair(tested);
    const [near, far] = [bench(keys.left), bench(keys.right, 100)];
    for (const size of [100, 101]) near.transport.send(new Uint8Array(size));
    near.transport.close(1000, 'the last');
    await near.told.until(({ closes }) => closes.length === 1);
    for (const record of near.below.sent) far.below.above!.message(record);
    await far.told.until(({ closes }) => closes.length === 1);
    expect(far.below.closes).toEqual([{ code: 4413, reason: 'a record is too long' }]);
  });
});

/** A Crypto whose work ends when, and in the order in which, the test says. */
function slowKey(): { key: SealingKey; work: { done(): void; fail(): void }[] } {
  const work: { done(): void; fail(): void }[] = [];
  const later = <T>(value: T): Promise<T> =>
    new Promise((resolve, reject) => {
      work.push({ done: () => resolve(value), fail: () => reject(new Error('no memory')) });
    });
  const key: SealingKey = {
    seal: (nonce, parts) => later([Uint8Array.of(nonce[11]!, ...parts.flatMap((part) => [...part]))] as const),
    open: (_nonce, sealed) => later(sealed.length === 0 ? undefined : sealed.subarray(1)),
  };
  return { key, work };
}

describe('work that ends in another order than it began', () => {
  test('is sent in order, a close behind it', async () => {
    const { key, work } = slowKey();
    const { below, transport, told } = bench({ send: key, receive: key });
    for (const byte of [7, 8, 9]) transport.send(Uint8Array.of(byte));
    transport.close(1000, 'enough');
    transport.send(Uint8Array.of(10));
    expect(transport.bufferedBytes).toBe(3);
    for (const index of [2, 1]) work[index]!.done();
    await settled();
    expect([below.sent, below.closes]).toEqual([[], []]);
    work[0]!.done();
    await settled();
    expect(below.sent).toEqual([Uint8Array.of(0, 7), Uint8Array.of(1, 8), Uint8Array.of(2, 9)]);
    expect([below.closes, transport.bufferedBytes, work.length]).toEqual([[{ code: 1000, reason: 'enough' }], 0, 3]);
    await settled();
    expect(told.closes).toEqual([{ reason: 'enough', code: 1000 }]);
  });

  test('is delivered in order, the end behind it', async () => {
    const { key, work } = slowKey();
    const { below, told } = bench({ send: key, receive: key });
    for (const byte of [7, 8]) below.above!.message(Uint8Array.of(0, byte));
    below.above!.close('gone', 1006);
    work[1]!.done();
    await settled();
    expect([told.messages, told.closes]).toEqual([[], []]);
    work[0]!.done();
    await settled();
    expect(told.messages).toEqual([Uint8Array.of(7), Uint8Array.of(8)]);
    expect(told.closes).toEqual([{ reason: 'gone', code: 1006 }]);
  });

  test('that fails ends the link, and nothing is unhandled', async () => {
    for (const way of ['send', 'receive'] as const) {
      const { key, work } = slowKey();
      const { below, transport, told } = bench({ send: key, receive: key });
      if (way === 'send') transport.send(Uint8Array.of(1));
      else below.above!.message(Uint8Array.of(0, 1));
      work[0]!.fail();
      await told.until(({ closes }) => closes.length === 1);
      expect(below.closes).toEqual([{ code: 4400, reason: expect.stringContaining('could not be') }]);
      expect(told.messages).toEqual([]);
    }
  });

  test('holds bulk back while much waits, and says when to go on', async () => {
    const { key, work } = slowKey();
    const { transport, told } = bench({ send: key, receive: key });
    const mebibyte = new Uint8Array(1024 * 1024);
    const fast: SealingKey = { ...key, seal: (nonce, parts) => key.seal(nonce, [parts[0]!.subarray(0, 1)]) };
    const quick = bench({ send: fast, receive: fast });
    expect(Array.from({ length: 6 }, () => quick.transport.send(mebibyte))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(quick.transport.bufferedBytes).toBe(6 * 1024 * 1024);
    for (const { done } of work.slice(0, 3)) done();
    await settled();
    expect(quick.told.drains).toBe(0);
    work[3]!.done();
    await settled();
    expect(quick.told.drains).toBe(1);
    expect([transport.bufferedBytes, told.drains]).toEqual([0, 0]);
  });

  test('from a flood that is not opened as fast as it comes has a bound', async () => {
    const { key } = slowKey();
    const { below, told } = bench({ send: key, receive: { ...key, open: () => new Promise(() => {}) } });
    const mebibyte = new Uint8Array(1024 * 1024);
    for (let count = 0; count < 65; count++) below.above!.message(mebibyte);
    expect(below.closes).toEqual([{ code: 4413, reason: 'more records than can be opened' }]);
    await told.until(({ closes }) => closes.length === 1);
    expect(told.messages).toEqual([]);
  });
});

test('a full transport below holds bulk back until it drains', async () => {
  const { below, transport, told } = bench((await keyPair(cryptos[0]!)).left);
  await settled();
  expect(transport.send(Uint8Array.of(1))).toBe(true);
  below.above!.drain();
  below.isFull = true;
  expect(transport.send(Uint8Array.of(1))).toBe(false);
  below.isFull = false;
  expect(transport.send(Uint8Array.of(1))).toBe(false);
  expect(told.drains).toBe(0);
  below.above!.drain();
  expect([told.drains, transport.send(Uint8Array.of(1)), transport.route]).toEqual([1, true, 'relay']);
});

test('what nobody listens to is kept up to a bound', async () => {
  const below = new Below();
  const transport = new SecureTransport(below, {});
  below.listen(transport.below);
  const mebibyte = new Uint8Array(1024 * 1024);
  for (let count = 0; count < 65; count++) below.above!.message(mebibyte);
  expect(below.closes).toEqual([{ code: 4413, reason: 'nobody takes what arrives' }]);
  await settled();
  const told = listenTo(transport);
  await told.until(({ closes }) => closes.length === 1);
  expect(told.messages.length).toBe(64);
});

test('large messages are sealed where they lie: no part of them is joined to another', () => {
  const pieces: number[] = [];
  const below = new Below();
  below.send = (message, rest = []) => {
    pieces.push(message.length, ...rest.map((part) => part.length));
    return true;
  };
  const key = onNode.sealingKey(new Uint8Array(32)) as SealingKey;
  const transport = new SecureTransport(below, { keys: { send: key, receive: key } });
  transport.send(new Uint8Array(24), [new Uint8Array(100_000), new Uint8Array(5)]);
  transport.send(new Uint8Array(24), [new Uint8Array(100)]);
  expect(pieces).toEqual([24, 100_000, 5, 16, 140]);
});

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const changed = bytes.slice();
  changed[at]! ^= 1;
  return changed;
}

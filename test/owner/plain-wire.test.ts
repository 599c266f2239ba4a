// Messages over a port between a tab and its owner: in batches, whole, in order; bounded; nothing after the end.
import { PlainWire } from '@qiway/protocol/session/plain-wire';
import type { Transport, TransportListener } from '@qiway/protocol/session/transport';
import { memoryTransports } from '@qiway/protocol/transport/memory';
import { emptyMessageHeader, type MessageHeader, MessageType } from '@qiway/protocol/wire/message';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../contract/calls.ts';
import { settled, virtualClock } from '../support/virtual-clock.ts';

interface End {
  readonly wire: PlainWire;
  readonly got: { readonly header: MessageHeader; readonly payload: Uint8Array }[];
  readonly ends: string[];
  heard: number;
}

const clock = virtualClock();

function endOf(transport: Transport, onMessage: (end: End) => void = () => {}): End {
  const end: End = {
    wire: new PlainWire(transport, {
      clock,
      onMessage: (header, payload) => {
        end.got.push({ header: { ...header }, payload: payload.slice() });
        onMessage(end);
      },
      onClosed: ({ code, message }) => end.ends.push(`${code} ${message}`),
      onHeard: () => {
        end.heard += 1;
      },
    }),
    got: [],
    ends: [],
    heard: 0,
  };
  return end;
}

interface Slow {
  readonly transport: Transport;
  readonly sent: Uint8Array[];
  drain(): void;
  waits: number;
}

/** Keeps what goes, and takes it only when told to. */
function slowTransport(): Slow {
  let listener: TransportListener | undefined;
  const slow: Slow = {
    sent: [],
    waits: 0,
    drain: () => listener?.drain(),
    transport: {
      route: 'direct',
      get bufferedBytes(): number {
        return slow.waits;
      },
      send: (part, rest = []) => {
        slow.sent.push(part.slice());
        slow.waits += rest.reduce((sum, each) => sum + each.length, part.length);
        return false;
      },
      close: () => {},
      listen: (given) => {
        listener = given;
      },
    },
  };
  return slow;
}

const call = (id: number, flags = 0): MessageHeader => ({
  ...emptyMessageHeader(),
  type: MessageType.call,
  id,
  service: 7,
  object: 1,
  action: 100 + id,
  flags,
});
const bytes = (count: number, first = 1): Uint8Array => new Uint8Array(count).fill(first);
const pair = (): [End, End] => {
  const [left, right] = memoryTransports();
  return [endOf(left), endOf(right)];
};

describe('a plain wire', () => {
  it('sends what is sent in one turn as one message, and gives it out one by one', async () => {
    const slow = slowTransport();
    const sender = endOf(slow.transport);
    for (let id = 0; id < 100; id += 1) sender.wire.send(call(id), bytes(10, id));
    expect(slow.sent).toEqual([]);
    await settled();
    expect(slow.sent).toHaveLength(1);
    const [left, right] = memoryTransports();
    const taker = endOf(right);
    left.send(slow.sent[0] as Uint8Array);
    await settled();
    expect(taker.got.map(({ header: { id, service, action }, payload }) => [id, service, action, payload[0]])).toEqual(
      Array.from({ length: 100 }, (_, id) => [id, 7, 100 + id, id]),
    );
  });

  it('keeps the order of small and large bodies', async () => {
    const [left, right] = pair();
    const sizes = [3, 16 * 1024, 0, 2 * 1024 * 1024, 16 * 1024 - 1, 1];
    sizes.forEach((size, id) => {
      left.wire.send(call(id), bytes(size, id + 1));
    });
    await settled();
    expect(right.got.map(({ header: { id }, payload }) => [id, payload.length])).toEqual(
      sizes.map((size, id) => [id, size]),
    );
    expect(right.got.every(({ header: { id }, payload }) => payload.every((byte) => byte === id + 1))).toBe(true);
  });

  it('answers a ping, and tells when it was heard', async () => {
    const [left, right] = pair();
    await clock.advance(1000);
    right.wire.ping();
    await settled();
    expect([left.heard, right.heard]).toEqual([1, 1]);
    expect([left.got, right.got]).toEqual([[], []]);
    expect(right.wire.lastHeardMs).toBe(clock.now());
  });

  it('leaves lossy messages out while the other side does not read, and sends the others', async () => {
    const slow = slowTransport();
    const { wire } = endOf(slow.transport);
    wire.send(call(1), bytes(200 * 1024));
    await settled();
    wire.sendLossy(call(2), bytes(10));
    wire.send(call(3), bytes(10));
    await settled();
    expect(slow.sent).toHaveLength(2);
    slow.waits = 0;
    wire.sendLossy(call(4), bytes(10));
    await settled();
    expect(slow.sent).toHaveLength(3);
  });

  it('refuses what would be too much, and one message however large goes', async () => {
    const slow = slowTransport();
    const { wire } = endOf(slow.transport);
    wire.send(call(1), bytes(0));
    await settled();
    slow.waits = 160 * 1024 * 1024 - 100;
    expect((await failureOf((async () => wire.send(call(2), bytes(101)))())).code).toBe('limit-exceeded');
    slow.waits = 0;
    wire.send(call(3), bytes(100));
    expect(wire.isAttached).toBe(true);
  });

  it('tells of room when what waits has been taken, once', async () => {
    const slow = slowTransport();
    const { wire } = endOf(slow.transport);
    wire.send(call(1), bytes(300_000));
    let told = 0;
    wire.whenBelow(100_000, () => {
      told += 1;
    });
    const stop = wire.whenBelow(100_000, () => {
      told += 100;
    });
    stop();
    slow.waits = 150_000;
    slow.drain();
    expect(told).toBe(0);
    slow.waits = 50_000;
    slow.drain();
    slow.drain();
    expect(told).toBe(1);
    wire.whenBelow(100_000, () => {
      told += 1;
    });
    expect(told).toBe(2);
  });

  it('sends what was sent before it closes, and nothing after; both ends are told once', async () => {
    const [left, right] = pair();
    left.wire.send(call(1), bytes(1));
    left.wire.close('enough');
    left.wire.send(call(2), bytes(1));
    left.wire.close('again');
    await settled();
    expect(right.got.map(({ header }) => header.id)).toEqual([1]);
    expect([left.ends, right.ends]).toEqual([
      ['link-lost [link-lost] The port was closed here: enough.'],
      ['link-lost [link-lost] The port was closed: enough.'],
    ]);
    right.wire.send(call(3), bytes(1));
    await settled();
    expect(left.got).toEqual([]);
  });

  it('gives out nothing of a batch after a message on which it was closed', async () => {
    const [left, right] = memoryTransports();
    const sender = endOf(left);
    const taker = endOf(right, ({ wire }) => wire.close('that was enough'));
    for (const id of [1, 2, 3]) sender.wire.send(call(id), bytes(1));
    await settled();
    expect(taker.got.map(({ header }) => header.id)).toEqual([1]);
  });

  it.each([
    ['half a header', new Uint8Array(5)],
    ['a frame longer than what came', bytes(28, 0xff)],
    ['noise', Uint8Array.from({ length: 1000 }, (_, at) => (at * 7919) & 0xff)],
  ])('closes on %s', async (_what, garbage) => {
    const [left, right] = memoryTransports();
    const taker = endOf(right);
    left.send(garbage);
    await settled();
    expect(taker.ends).toEqual(['link-lost [link-lost] The port was closed here: unreadable.']);
    expect(taker.got).toEqual([]);
  });

  it('closes when who takes the messages fails', async () => {
    const [left, right] = memoryTransports();
    const sender = endOf(left);
    const taker = endOf(right, () => {
      throw new Error('no');
    });
    sender.wire.send(call(1), bytes(1));
    await settled();
    expect([taker.ends.length, sender.ends.length]).toEqual([1, 1]);
  });
});

// The link itself: batches, fragments, order per object, bounds, and what comes of bytes that nobody should send.
import type { QiwayError } from '@qiway/protocol/errors';
import { Conduit } from '@qiway/protocol/session/conduit';
import { DEFAULT_LINK_LIMITS, Link, type LinkLimits } from '@qiway/protocol/session/link';
import type { Transport, TransportListener } from '@qiway/protocol/session/transport';
import { ControlType } from '@qiway/protocol/wire/link-frame';
import type { MessageHeader } from '@qiway/protocol/wire/message';
import { MessageType } from '@qiway/protocol/wire/message';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settled, virtualClock } from '../support/virtual-clock.ts';

interface Seen {
  readonly type: number;
  readonly id: number;
  readonly object: number;
  readonly length: number;
  readonly first: number | undefined;
}

/** Two links; batches wait in `wire` until `deliver` moves some on: a network of any speed. */
function linkPair(limits: LinkLimits = DEFAULT_LINK_LIMITS) {
  const wire: Uint8Array[] = [];
  const seen: Seen[] = [];
  const closed: { left?: QiwayError | undefined; right?: QiwayError | undefined } = {};
  let toLeft: TransportListener | undefined;
  let toRight: TransportListener | undefined;
  const buffered = (): number => wire.reduce((sum, batch) => sum + batch.length, 0);
  const left: Transport = {
    route: 'direct',
    get bufferedBytes() {
      return buffered();
    },
    send: (part, rest = []) => {
      wire.push(rest.reduce(concat, part));
      return buffered() <= 256 * 1024;
    },
    close: () => {},
    listen: (listener) => {
      toLeft = listener;
    },
  };
  const right: Transport = {
    route: 'direct',
    bufferedBytes: 0,
    // What the receiver confirms arrives at once.
    send: (batch) => {
      toLeft?.message(batch);
      return true;
    },
    close: () => {},
    listen: (listener) => {
      toRight = listener;
    },
  };
  const clock = virtualClock();
  const end = (transport: Transport, side: 'left' | 'right', schedule: (flush: () => void) => void): Conduit => {
    const conduit = new Conduit({
      clock,
      schedule,
      limits,
      onMessage: ({ type, id, object }, payload) => {
        if (side === 'right') seen.push({ type, id, object, length: payload.length, first: payload[0] });
      },
      onControl: () => {},
      onRtt: () => {},
      onLost: (error) => Object.assign(closed, { [side]: error }),
    });
    const link = new Link({ transport, clock, owner: conduit, maxBufferedBytes: limits.maxQueuedBytes });
    conduit.attach(link, { otherHas: 0, heartbeatMs: 1000, probes: false });
    return conduit;
  };
  const sender = end(left, 'left', queueMicrotask);
  const receiver = end(right, 'right', (flush) => flush());
  // What the left side said first.
  receiver.control(ControlType.attached, 0, new Uint8Array(0));
  wire.length = 0;
  const deliver = (batches = Number.POSITIVE_INFINITY): void => {
    for (let count = 0; count < batches; count += 1) {
      const batch = wire.shift();
      if (batch === undefined) return;
      toRight?.message(batch);
      if (buffered() <= 128 * 1024) toLeft?.drain();
    }
  };
  const send = (type: number, id: number, object: number, payload: Uint8Array): void =>
    sender.outbox.send(header(type, id, object), payload);
  return {
    sender,
    receiver,
    wire,
    seen,
    closed,
    deliver,
    send,
    receive: (bytes: Uint8Array) => toRight?.message(bytes),
  };
}

function header(type: number, id: number, object: number): MessageHeader {
  return { id, size: 0, version: 0, type, flags: 0, service: 2, object, action: 100 };
}

describe('a link', () => {
  it('puts all messages of one turn into one batch', async () => {
    const { send, wire, deliver, seen } = linkPair();
    for (let id = 1; id <= 100; id += 1) send(MessageType.call, id, 1, new Uint8Array([id]));
    await settled();
    expect(wire).toHaveLength(1);
    deliver();
    expect(seen.map((message) => message.id)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  });

  it('lets a small message overtake a large one of another object', async () => {
    const { send, deliver, seen } = linkPair();
    send(MessageType.event, 1, 5, new Uint8Array(8 * 1024 * 1024));
    await settled();
    deliver(2);
    send(MessageType.call, 2, 1, new Uint8Array(4));
    await settled();
    deliver();
    expect(seen.map((message) => message.id)).toEqual([2, 1]);
  });

  it('keeps the order of one object: what follows a large message of its waits', async () => {
    const { send, deliver, seen } = linkPair();
    send(MessageType.event, 1, 5, new Uint8Array(1024 * 1024));
    send(MessageType.event, 2, 5, new Uint8Array(1));
    send(MessageType.reply, 3, 5, new Uint8Array(1));
    send(MessageType.event, 4, 5, new Uint8Array(200_000));
    send(MessageType.event, 5, 5, new Uint8Array(1));
    send(MessageType.event, 6, 6, new Uint8Array(1));
    await settled();
    deliver();
    await settled();
    deliver();
    expect(seen.map((message) => message.id)).toEqual([6, 1, 2, 3, 4, 5]);
  });

  it('keeps a gap in its place behind a large event of its object', async () => {
    const { send, deliver, seen } = linkPair();
    send(MessageType.event, 1, 1, new Uint8Array(1_000_000));
    send(MessageType.gap, 2, 1, new Uint8Array(4));
    send(MessageType.gap, 3, 2, new Uint8Array(4));
    for (let round = 0; round < 20; round += 1) {
      await settled();
      deliver();
    }
    expect(seen.map(({ id }) => id)).toEqual([3, 1, 2]);
  });

  it('lets replies pass a large reply', async () => {
    const { send, deliver, seen } = linkPair();
    send(MessageType.reply, 1, 5, new Uint8Array(1024 * 1024));
    send(MessageType.reply, 2, 5, new Uint8Array(1));
    await settled();
    deliver();
    expect(seen.map((message) => message.id)).toEqual([2, 1]);
  });

  it('delivers every message whole and once, and each object’s in order, whatever sizes and speed', async () => {
    const message = fc.record({
      object: fc.integer({ min: 1, max: 3 }),
      size: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 60_000, max: 400_000 })),
      deliver: fc.integer({ min: 0, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 40 }), async (messages) => {
        const { send, deliver, seen, closed } = linkPair();
        for (const [index, { object, size, deliver: batches }] of messages.entries()) {
          send(MessageType.event, index + 1, object, new Uint8Array(size).fill(index + 1));
          await settled();
          deliver(batches);
        }
        for (let round = 0; round < 4; round += 1) {
          await settled();
          deliver();
        }
        expect(closed).toEqual({});
        expect(seen.map(({ id }) => id).sort((a, b) => a - b)).toEqual(messages.map((_, index) => index + 1));
        for (const { id, length, first, object } of seen) {
          expect({ length, object }).toEqual({ length: messages[id - 1]?.size, object: messages[id - 1]?.object });
          if (length > 0) expect(first).toBe(id & 0xff);
        }
        for (const object of [1, 2, 3]) {
          const ids = seen.filter((one) => one.object === object).map(({ id }) => id);
          expect(ids).toEqual([...ids].sort((a, b) => a - b));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('refuses to queue without end for a side that does not read', async () => {
    const { send } = linkPair({ maxMessageBytes: 10_000_000, maxQueuedBytes: 2_000_000 });
    send(MessageType.event, 1, 1, new Uint8Array(1_500_000));
    await settled();
    expect(() => send(MessageType.event, 2, 2, new Uint8Array(1_500_000))).toThrow(
      expect.objectContaining({ code: 'limit-exceeded' }),
    );
    const flood = async (): Promise<void> => {
      for (let id = 3; id < 100; id += 1) {
        send(MessageType.event, id, 1, new Uint8Array(60_000));
        await settled();
      }
    };
    await expect(flood()).rejects.toMatchObject({ code: 'limit-exceeded' });
  });

  it('sends more large messages at once than the receiver holds unfinished, all of them whole', async () => {
    const { send, deliver, seen, closed } = linkPair();
    for (let id = 1; id <= 200; id += 1) send(MessageType.reply, id, 1, new Uint8Array(300_000).fill(id));
    for (let round = 0; round < 10; round += 1) {
      await settled();
      deliver();
    }
    expect(closed).toEqual({});
    expect(new Set(seen.map(({ id }) => id)).size).toBe(200);
  });

  it('ends with who asks without end and never reads the answers', async () => {
    let hear: TransportListener | undefined;
    let unread = 0;
    const stuck: Transport = {
      route: 'direct',
      get bufferedBytes() {
        return unread;
      },
      send: (part) => {
        unread += part.length;
        return false;
      },
      close: () => {},
      listen: (listener) => {
        hear = listener;
      },
    };
    let closedWith: QiwayError | undefined;
    const nothing = (): void => {};
    const owner = {
      frame: nothing,
      control: nothing,
      batchTaken: nothing,
      drained: nothing,
      rttMeasured: nothing,
      closed: (error: QiwayError) => {
        closedWith = error;
      },
    };
    new Link({ transport: stuck, clock: virtualClock(), owner, maxBufferedBytes: 100_000 });
    const ping = new Uint8Array(24);
    ping[4] = 35;
    for (let count = 0; count < 100_000; count += 1) hear?.message(ping);
    expect(closedWith).toMatchObject({ code: 'limit-exceeded' });
    expect(unread).toBeLessThan(101_000);
  });

  it('takes one message larger than the bound for what waits', async () => {
    const { send, deliver, seen } = linkPair({ maxMessageBytes: 10_000_000, maxQueuedBytes: 1_000_000 });
    send(MessageType.event, 1, 1, new Uint8Array(5_000_000));
    await settled();
    deliver();
    expect(seen[0]?.length).toBe(5_000_000);
  });

  it('closes on whatever bytes are not frames, and never throws at the transport', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
        const { receive, closed, seen } = linkPair({ maxMessageBytes: 1000, maxQueuedBytes: 1000 });
        receive(bytes);
        if (seen.length === 0 && 'right' in closed)
          expect(['wire-invalid', 'limit-exceeded']).toContain(closed.right?.code);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses fragments beyond the declared length, too small, of another message, or of too many messages', () => {
    const first = (stream: number, id: number, total: number, size: number): Uint8Array =>
      rawFrame({ flags: 0x80, stream, id }, concat(uint32(total), new Uint8Array(size)));
    const cases: Uint8Array[][] = [
      [first(1, 1, 70_000, 70_001)],
      [first(1, 1, 140_000, 70_000), rawFrame({ flags: 0, stream: 1, id: 2 }, new Uint8Array(70_000))],
      [first(1, 1, 140_000, 70_000), rawFrame({ flags: 0, stream: 1, id: 1 }, new Uint8Array(5))],
      [first(1, 1, 70_000, 10)],
      [first(1, 1, 70_000, 65_536), rawFrame({ flags: 0x80, stream: 1, id: 1 }, new Uint8Array(0))],
      [first(1, 1, 2_000_000_000, 70_000)],
      [rawFrame({ flags: 0x80, stream: 0, id: 1 }, new Uint8Array(5))],
      Array.from({ length: 9 }, (_, index) => first(index + 1, index + 1, 100_000, 65_536)),
    ];
    const codes = cases.map((frames) => {
      const { receive, closed } = linkPair();
      for (const bytes of frames) {
        expect(closed.right).toBeUndefined();
        receive(bytes);
      }
      return closed.right?.code;
    });
    const [invalid, exceeded] = ['wire-invalid', 'limit-exceeded'];
    expect(codes).toEqual([invalid, invalid, invalid, invalid, invalid, exceeded, invalid, exceeded]);
  });
});

function rawFrame({ flags, stream, id }: { flags: number; stream: number; id: number }, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(24 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length, true);
  view.setUint8(4, MessageType.event);
  view.setUint8(5, flags);
  view.setUint16(6, stream, true);
  view.setUint32(8, id, true);
  bytes.set(body, 24);
  return bytes;
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function concat(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

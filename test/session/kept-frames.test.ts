// What both halves of a session keep, against simple models: nothing is lost, doubled or counted wrong, whatever is
// acknowledged, cut and replayed. And bounds that hold whatever the other side says.
import type { Refuse } from '@qiway/protocol/session/fragments';
import { Inbox } from '@qiway/protocol/session/inbox';
import { KeptFrames } from '@qiway/protocol/session/kept-frames';
import { Outbox } from '@qiway/protocol/session/outbox';
import type { Transport } from '@qiway/protocol/session/transport';
import {
  ControlType,
  emptyFrameHeader,
  FIRST_CONTROL,
  FRAME_HEADER_BYTES,
  readFrameHeader,
  writeFrameHeader,
} from '@qiway/protocol/wire/link-frame';
import { emptyMessageHeader, type MessageHeader, MessageType } from '@qiway/protocol/wire/message';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { settled, virtualClock } from '../support/virtual-clock.ts';

const KIB = 1024;
const MEBIBYTE = KIB * KIB;

function batchOf(ids: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(ids.length * FRAME_HEADER_BYTES);
  ids.forEach((id, index) => {
    writeFrameHeader(bytes, index * FRAME_HEADER_BYTES, { ...emptyFrameHeader(), type: MessageType.post, id });
  });
  return bytes;
}

function idsOf(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 0; at < bytes.length; at += FRAME_HEADER_BYTES)
    ids.push(readFrameHeader(bytes, at, emptyFrameHeader()).id);
  return ids;
}

test('kept frames: what is replayed is what was not acknowledged, whatever was', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), frames: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant('confirm' as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
    fc.record({ kind: fc.constant('replay' as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
    fc.record({ kind: fc.constant('lie' as const), beyond: fc.integer({ min: 1, max: 0x7000_0000 }) }),
    fc.record({ kind: fc.constant('old' as const), back: fc.integer({ min: 0, max: 0x7000_0000 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const kept = new KeptFrames();
      let last = 0;
      let told = 0;
      for (const one of steps) {
        if (one.kind === 'add') {
          const ids = Array.from({ length: one.frames }, (_, index) => last + index + 1);
          last += one.frames;
          kept.add({
            frames: ids.length,
            bytes: batchOf(ids),
            body: undefined,
            memoryBytes: 100,
            bulkBytes: 0,
            sentMs: 0,
          });
        } else if (one.kind === 'confirm') {
          told += Math.floor((last - told) * one.part);
          kept.confirm(told >>> 0);
        } else if (one.kind === 'lie') expect(() => kept.confirm((last + one.beyond) >>> 0)).toThrow(/was not sent/);
        else if (one.kind === 'old') kept.confirm((kept.first - one.back) >>> 0);
        else {
          const has = told + Math.floor((last - told) * one.part);
          const start = kept.startAfter(has >>> 0);
          told = Math.max(told, has);
          expect(start).toBe(has);
          const ids = [...kept.replay(start, 0)].flatMap(({ parts: [bytes] }) => idsOf(bytes));
          expect(ids).toEqual(Array.from({ length: last - start }, (_, index) => start + index + 1));
        }
        expect(kept.last).toBe(last);
        expect(kept.first).toBeLessThanOrEqual(told);
      }
      kept.confirm(last >>> 0);
      expect([kept.bytes, kept.batchBytes]).toEqual([0, 0]);
    }),
    { numRuns: 500 },
  );
});

/** A link that carries what an outbox sends to an inbox until it is cut after so many messages. */
function join(outbox: Outbox, inbox: Inbox, carries: number): void {
  let left = carries;
  const transport: Transport = {
    route: 'direct',
    bufferedBytes: 0,
    send: (first, rest = []) => {
      if (left <= 0) return true;
      left -= 1;
      const bytes = Buffer.concat([first, ...rest]);
      for (let at = 0; at < bytes.length; ) {
        const frame = readFrameHeader(bytes, at, emptyFrameHeader());
        const start = at + FRAME_HEADER_BYTES;
        at = start + frame.size;
        if (frame.type < FIRST_CONTROL) inbox.take(frame, bytes.subarray(start, at));
        else expect(frame.type).toBe(ControlType.received);
      }
      return true;
    },
    close: () => {},
    listen: () => {},
  };
  const start = outbox.startAfter(inbox.received >>> 0);
  inbox.attach();
  inbox.begin(start >>> 0);
  outbox.attach(transport, start);
}

function message(id: number, changes: Partial<MessageHeader> = {}): MessageHeader {
  return { ...emptyMessageHeader(), type: MessageType.event, service: 7, object: 1, action: 100, id, ...changes };
}

function newOutbox(maxQueuedBytes: number, refuse?: Refuse): Outbox {
  const limits = { maxQueuedBytes, maxMessageBytes: 64 * MEBIBYTE };
  return new Outbox({ clock: virtualClock(), schedule: queueMicrotask, ...limits, refuse });
}

test('outbox to inbox: each message once, whole, and those of one object in order, over links that carry little', async () => {
  const size = fc.constantFrom(0, 4, 100, 3000, 64 * KIB, 65 * KIB, 200 * KIB, 1500 * KIB);
  const step = fc.oneof(
    fc.record({ kind: fc.constant('send' as const), size, object: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constant('link' as const), carries: fc.integer({ min: 0, max: 12 }) }),
    fc.record({ kind: fc.constant('told' as const) }),
    fc.record({ kind: fc.constant('turn' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const came: { id: number; object: number; size: number; mark: number | undefined }[] = [];
      const outbox = newOutbox(512 * MEBIBYTE);
      const inbox = new Inbox({
        maxMessageBytes: 64 * MEBIBYTE,
        onMessage: ({ id, object }, payload) =>
          came.push({ id, object, size: payload.length, mark: payload[payload.length - 1] }),
      });
      const sent: typeof came = [];
      const tell = (): void => outbox.confirmed(inbox.received >>> 0);
      for (const one of steps) {
        if (one.kind === 'send') {
          const id = sent.length + 1;
          const payload = new Uint8Array(one.size).fill(id);
          sent.push({ id, object: one.object, size: one.size, mark: payload[payload.length - 1] });
          outbox.send(message(id, { object: one.object }), payload);
        } else if (one.kind === 'link') join(outbox, inbox, one.carries);
        else if (one.kind === 'told' && outbox.isAttached) tell();
        else await settled();
      }
      join(outbox, inbox, Number.POSITIVE_INFINITY);
      for (let round = 0; round < 400 && came.length < sent.length; round += 1) {
        await settled();
        tell();
      }
      await settled();
      tell();
      expect([...came].sort((one, other) => one.id - other.id)).toEqual(sent);
      for (const object of [1, 2, 3]) {
        const of = (list: typeof came): number[] => list.filter((each) => each.object === object).map(({ id }) => id);
        expect(of(came)).toEqual(of(sent));
      }
      expect([outbox.queuedBytes, outbox.flow.queuedBytes, inbox.heldBytes]).toEqual([0, 0, 0]);
    }),
    { numRuns: 60 },
  );
}, 60_000);

describe('an outbox', () => {
  test('counts small messages that wait for a large one, empty ones too', () => {
    const outbox = newOutbox(8 * MEBIBYTE);
    outbox.send(message(1), new Uint8Array(MEBIBYTE));
    const before = outbox.flow.queuedBytes;
    for (let id = 2; id < 1002; id += 1) outbox.send(message(id), new Uint8Array(0));
    expect(outbox.flow.queuedBytes - before).toBeGreaterThanOrEqual(100_000);
    const flood = (): void => {
      for (let id = 0; id < 100_000; id += 1) outbox.send(message(id), new Uint8Array(0));
    };
    expect(flood).toThrow(/limit-exceeded/);
  });

  test('counts a large message until its last piece is acknowledged: it is in memory as long', async () => {
    const outbox = newOutbox(64 * MEBIBYTE);
    let came = 0;
    const onMessage = (): void => {
      came += 1;
    };
    const inbox = new Inbox({ maxMessageBytes: 64 * MEBIBYTE, onMessage });
    join(outbox, inbox, Number.POSITIVE_INFINITY);
    outbox.send(message(1), new Uint8Array(8 * MEBIBYTE));
    for (let round = 0; round < 200 && came === 0; round += 1) {
      outbox.confirmed(inbox.received);
      await settled();
      expect(outbox.queuedBytes).toBeGreaterThanOrEqual(8 * MEBIBYTE);
    }
    expect(came).toBe(1);
    expect(inbox.received).toBeGreaterThan(8);
    outbox.confirmed(inbox.received);
    expect(outbox.queuedBytes).toBe(0);
  });

  test('sends what it took, although nothing more may wait by then', async () => {
    let isFull = false;
    const full = new Error('full') as unknown as ReturnType<Refuse>;
    const outbox = newOutbox(8 * MEBIBYTE, () => (isFull ? full : undefined));
    const came: number[] = [];
    const inbox = new Inbox({ maxMessageBytes: 8 * MEBIBYTE, onMessage: ({ id }) => came.push(id) });
    outbox.send(message(1), new Uint8Array(100 * KIB));
    outbox.send(message(2), new Uint8Array(10));
    outbox.send(message(3), new Uint8Array(100 * KIB));
    isFull = true;
    expect(() => outbox.send(message(4), new Uint8Array(100 * KIB))).toThrow('full');
    join(outbox, inbox, Number.POSITIVE_INFINITY);
    for (let round = 0; round < 5; round += 1) {
      await settled();
      outbox.confirmed(inbox.received);
    }
    expect(came).toEqual([1, 2, 3]);
  });

  test('has room for a cancel and a small answer when calls have filled it', () => {
    const outbox = newOutbox(MEBIBYTE);
    outbox.send(message(1), new Uint8Array(800 * KIB));
    const fill = (): void => {
      for (let id = 2; id < 10_000; id += 1) outbox.send(message(id, { type: MessageType.call }), new Uint8Array(500));
    };
    expect(fill).toThrow(/limit-exceeded/);
    outbox.send(message(1, { type: MessageType.cancel }), new Uint8Array(4));
    outbox.send(message(2, { type: MessageType.reply, object: 2 }), new Uint8Array(4));
  });
});

test('a lossy frame is of now, whatever was replayed before it', () => {
  const began: number[] = [];
  const inbox: Inbox = new Inbox({ maxMessageBytes: KIB, onMessage: () => began.push(inbox.began) });
  inbox.attach();
  inbox.begin(0);
  const post = { ...emptyFrameHeader(), type: MessageType.post, service: 1, object: 1, action: 100 };
  inbox.take(post, new Uint8Array(0));
  inbox.take({ ...post, flags: 0x40 }, new Uint8Array(0));
  inbox.take(post, new Uint8Array(0));
  expect(began).toEqual([1, Number.POSITIVE_INFINITY, 2]);
});

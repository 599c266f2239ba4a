// The sending half of a session by itself: what is taken back, and what goes on all the same.
import { Inbox } from '@qiway/protocol/session/inbox';
import { DEFAULT_LINK_LIMITS } from '@qiway/protocol/session/link';
import { Outbox } from '@qiway/protocol/session/outbox';
import type { Transport } from '@qiway/protocol/session/transport';
import {
  ControlType,
  emptyFrameHeader,
  FIRST_CONTROL,
  FRAME_HEADER_BYTES,
  readFrameHeader,
} from '@qiway/protocol/wire/link-frame';
import { type MessageHeader, MessageType } from '@qiway/protocol/wire/message';
import { describe, expect, it } from 'vitest';
import { settled, virtualClock } from '../support/virtual-clock.ts';

const MOTION = 100;
const OTHER = 101;
const LARGE = 100 * 1024;
/** Goes in pieces, all of which may be on their way at once. */
const PIECES = 48 * 1024;

function call(id: number, action: number): MessageHeader {
  return { id, size: 0, version: 0, type: MessageType.call, flags: 0, service: 5, object: 1, action };
}

interface LabOptions {
  readonly maxMessageBytes?: number;
  /** Confirms nothing by itself. */
  readonly isSilent?: boolean;
}

function lab({ maxMessageBytes = DEFAULT_LINK_LIMITS.maxMessageBytes, isSilent = false }: LabOptions = {}) {
  const clock = virtualClock();
  const { maxQueuedBytes } = DEFAULT_LINK_LIMITS;
  const outbox = new Outbox({ clock, schedule: queueMicrotask, maxQueuedBytes, maxMessageBytes });
  /** Ids of whole messages, and types of control frames, in order. */
  const got: (number | string)[] = [];
  const inbox = new Inbox({ maxMessageBytes, onMessage: ({ id }) => got.push(id) });
  /** How many messages of the transport still arrive. */
  const path = { arrive: Number.POSITIVE_INFINITY };
  const confirm = (): void => outbox.confirmed(inbox.received);
  const transport: Transport = {
    route: 'direct',
    bufferedBytes: 0,
    send: (first, rest = []) => {
      path.arrive -= 1;
      if (path.arrive < 0) return true;
      const bytes = Buffer.concat([first, ...rest]);
      const header = emptyFrameHeader();
      for (let at = 0; at < bytes.length; ) {
        readFrameHeader(bytes, at, header);
        at += FRAME_HEADER_BYTES;
        if (header.type < FIRST_CONTROL) inbox.take(header, bytes.subarray(at, at + header.size));
        else got.push(`${header.type}:${header.id}`);
        at += header.size;
      }
      if (!isSilent) confirm();
      return true;
    },
    close: () => {},
    listen: () => {},
  };
  return {
    clock,
    outbox,
    inbox,
    got,
    path,
    confirm,
    attach: async (start = 0) => {
      inbox.attach();
      inbox.begin(start);
      outbox.attach(transport, start);
      await settled();
    },
  };
}

describe('an outbox', () => {
  it('begins on a new link in the middle of a batch, without what spoke of the old one', async () => {
    const { outbox, got, attach } = lab({ isSilent: true });
    await attach();
    for (const id of [1, 2, 3]) outbox.send(call(id, OTHER), new Uint8Array(id));
    outbox.acknowledge(77, false);
    await settled();
    expect(got.splice(0)).toEqual([1, 2, 3, `${ControlType.received}:77`]);
    outbox.detach();
    await attach(outbox.startAfter(1));
    outbox.send(call(4, OTHER), new Uint8Array(0));
    await settled();
    expect(got).toEqual([4]);
    expect(outbox.sentNumber).toBe(4);
    outbox.confirmed(4);
    expect(outbox.queuedBytes).toBe(0);
  });

  it('refuses to believe that the other side has what was not sent, and ignores what it said before', async () => {
    const { outbox, attach } = lab({ isSilent: true });
    await attach();
    for (const id of [1, 2]) {
      outbox.send(call(id, OTHER), new Uint8Array(0));
      await settled();
    }
    expect(() => outbox.confirmed(3)).toThrow('was not sent');
    outbox.confirmed(2);
    outbox.confirmed(1);
    expect(outbox.startAfter(1)).toBe(2);
    expect(outbox.queuedBytes).toBe(0);
  });

  it('tells what was received with the heartbeat at the latest', async () => {
    const { outbox, got, attach } = lab();
    await attach();
    outbox.acknowledge(5, false);
    await settled();
    expect(got).toEqual([]);
    expect(outbox.beat()).toBe(false);
    await settled();
    expect(got).toEqual([`${ControlType.received}:5`]);
    expect(outbox.beat()).toBe(true);
  });

  it('keeps an answer behind a large event of its object', async () => {
    const { outbox, got, attach } = lab({ isSilent: true });
    await attach();
    const of = (type: number, id: number): MessageHeader => ({ ...call(id, OTHER), type });
    outbox.send(of(MessageType.event, 1), new Uint8Array(4 * LARGE));
    outbox.send(of(MessageType.reply, 2), new Uint8Array(8));
    outbox.send({ ...of(MessageType.reply, 3), object: 2 }, new Uint8Array(8));
    await settled();
    expect(got).toEqual([3]);
  });

  it('has no more unfinished at the other side than that holds, and goes on as they end', async () => {
    const { outbox, got, attach, confirm } = lab({ maxMessageBytes: 5 * LARGE, isSilent: true });
    await attach();
    const ids = [1, 2, 3, 4];
    for (const id of ids) outbox.send({ ...call(id, OTHER), object: id }, new Uint8Array(4 * LARGE));
    for (let round = 0; got.length < ids.length && round < 100; round += 1) {
      await settled();
      confirm(); // the inbox would have refused a second one beside
    }
    expect(got).toEqual(ids);
  });

  it('breaks off a large call of which a part is sent; the other side keeps nothing of it', async () => {
    const { outbox, got, attach, inbox } = lab({ isSilent: true });
    await attach();
    outbox.send(call(1, MOTION), new Uint8Array(10 * LARGE));
    outbox.send(call(2, OTHER), new Uint8Array(8));
    await settled();
    expect(inbox.heldBytes).toBeGreaterThan(0);
    outbox.detach();
    expect(outbox.withdraw(({ action }) => action === MOTION).map(({ id }) => id)).toEqual([1]);
    await attach(outbox.startAfter(inbox.received));
    expect(inbox.heldBytes).toBe(0);
    outbox.send(call(3, OTHER), new Uint8Array(0));
    await settled();
    expect(got).toEqual([2, 3]);
    outbox.confirmed(inbox.received);
    expect(outbox.queuedBytes).toBe(0);
  });

  it.each([0, 1, 2])('takes back a large call that has gone whole, of which %d pieces arrived', async (arrive) => {
    const { outbox, got, attach, inbox, path, confirm } = lab({ isSilent: true });
    await attach();
    path.arrive = arrive;
    outbox.send(call(1, MOTION), new Uint8Array(PIECES));
    await settled();
    expect(path.arrive).toBeLessThan(0); // all pieces went, and of the last nobody knows
    outbox.detach();
    expect(outbox.withdraw(({ action }) => action === MOTION).map(({ id }) => id)).toEqual([1]);
    path.arrive = Number.POSITIVE_INFINITY;
    await attach(outbox.startAfter(inbox.received));
    expect(inbox.heldBytes).toBe(0);
    confirm();
    outbox.send(call(2, MOTION), new Uint8Array(PIECES));
    await settled();
    expect(got).toEqual([2]);
    outbox.confirmed(inbox.received);
    expect(outbox.queuedBytes).toBe(0);
  });

  it('gives up a lossy message when something else is asked of its object', async () => {
    const { outbox, got, attach } = lab();
    await attach();
    outbox.sendLossy({ ...call(1, MOTION), type: MessageType.post }, new Uint8Array(8));
    outbox.sendLossy({ ...call(2, MOTION), type: MessageType.post, object: 2 }, new Uint8Array(8));
    outbox.send(call(3, OTHER), new Uint8Array(8));
    await settled();
    expect(got).toEqual([3, 2]);
  });

  it('keeps the newest lossy message of 64 members, and gives up those of the others', async () => {
    const { outbox, got, attach } = lab();
    await attach();
    for (let id = 1; id <= 70; id += 1)
      outbox.sendLossy({ ...call(id, 100 + id), type: MessageType.post }, new Uint8Array(8));
    outbox.sendLossy({ ...call(71, 170), type: MessageType.post }, new Uint8Array(8));
    await settled();
    expect(got).toEqual([...Array.from({ length: 63 }, (_, index) => index + 7), 71]);
  });

  it('knows which calls were given to no link', async () => {
    const { outbox, attach } = lab({ isSilent: true });
    await attach();
    outbox.send(call(1, OTHER), new Uint8Array(8));
    await settled();
    outbox.detach();
    outbox.send(call(2, OTHER), new Uint8Array(8));
    outbox.send(call(3, OTHER), new Uint8Array(LARGE));
    outbox.send(call(4, OTHER), new Uint8Array(8));
    expect([...outbox.neverSent()].sort()).toEqual([2, 3, 4]);
    await attach(outbox.startAfter(1));
    outbox.detach();
    expect([...outbox.neverSent()]).toEqual([4]); // waits for the end of 3, of which a part went
  });

  it('takes back what was given to a link before a time, and nothing newer', async () => {
    const { outbox, got, attach, clock } = lab({ isSilent: true });
    await attach();
    for (const [id, action] of [
      [1, MOTION],
      [2, OTHER],
    ] as const)
      outbox.send(call(id, action), new Uint8Array(8));
    await clock.advance(100);
    outbox.send(call(3, MOTION), new Uint8Array(8));
    await settled();
    expect(got.splice(0)).toEqual([1, 2, 3]);
    const withdrawn = outbox.withdraw(({ action }) => action === MOTION, clock.now());
    expect(withdrawn.map(({ id }) => id)).toEqual([1]);
  });

  it('takes back large calls asked for before a time, and what waits behind them from then, and nothing newer', async () => {
    const { outbox, got, attach, clock, inbox, confirm } = lab({ isSilent: true });
    const of = (id: number, object: number): MessageHeader => ({ ...call(id, MOTION), object });
    await attach();
    for (const [id, bytes] of [
      [1, PIECES],
      [2, 10 * LARGE],
      [3, LARGE],
    ] as const)
      outbox.send(of(id, id), new Uint8Array(bytes));
    outbox.send(of(4, 3), new Uint8Array(8));
    await clock.advance(100);
    outbox.send(of(5, 3), new Uint8Array(8));
    outbox.send(of(6, 6), new Uint8Array(LARGE));
    const withdrawn = outbox.withdraw(({ action }) => action === MOTION, clock.now()).map(({ id }) => id);
    expect(withdrawn.sort()).toEqual([1, 2, 3, 4]);
    outbox.detach();
    await attach(outbox.startAfter(inbox.received));
    for (let round = 0; outbox.queuedBytes > 0 && round < 100; round += 1) {
      confirm();
      await settled();
    }
    expect(got).toEqual([5, 6]);
    expect(inbox.heldBytes).toBe(0);
  });
});

describe('an outbox that takes back', () => {
  it('sends what waited behind a large call that was taken back, large messages too', async () => {
    const { outbox, got, attach } = lab();
    outbox.send(call(1, MOTION), new Uint8Array(LARGE));
    outbox.send(call(2, OTHER), new Uint8Array(LARGE));
    outbox.send(call(3, OTHER), new Uint8Array(8));
    outbox.send(call(4, MOTION), new Uint8Array(LARGE));
    outbox.send(call(5, OTHER), new Uint8Array(LARGE));
    const withdrawn = outbox.withdraw(({ action }) => action === MOTION).map(({ id }) => id);
    expect(withdrawn.sort()).toEqual([1, 4]);
    await attach();
    expect(got).toEqual([2, 3, 5]);
    expect(outbox.queuedBytes).toBe(0);
  });
});

import { Inbox } from '@qiway/protocol/session/inbox';
import { DEFAULT_LINK_LIMITS } from '@qiway/protocol/session/link';
import { Outbox } from '@qiway/protocol/session/outbox';
import type { Transport } from '@qiway/protocol/session/transport';
import { emptyFrameHeader, FIRST_CONTROL, FRAME_HEADER_BYTES, readFrameHeader } from '@qiway/protocol/wire/link-frame';
import { type MessageHeader, MessageType } from '@qiway/protocol/wire/message';
import { describe, expect, it } from 'vitest';
import { settled, virtualClock } from '../support/virtual-clock.ts';

const MOTION = 100;
const OTHER = 101;
const LARGE = 100 * 1024;

function call(id: number, action: number): MessageHeader {
  return { id, size: 0, version: 0, type: MessageType.call, flags: 0, service: 5, object: 1, action };
}

function lab() {
  const outbox = new Outbox({
    clock: virtualClock(),
    schedule: queueMicrotask,
    maxQueuedBytes: DEFAULT_LINK_LIMITS.maxQueuedBytes,
    maxMessageBytes: DEFAULT_LINK_LIMITS.maxMessageBytes,
  });
  const got: number[] = [];
  const inbox = new Inbox({
    maxMessageBytes: DEFAULT_LINK_LIMITS.maxMessageBytes,
    onMessage: ({ id }) => got.push(id),
  });
  const transport: Transport = {
    route: 'direct',
    bufferedBytes: 0,
    send: (first, rest = []) => {
      const bytes = Buffer.concat([first, ...rest]);
      const header = emptyFrameHeader();
      for (let at = 0; at < bytes.length; ) {
        readFrameHeader(bytes, at, header);
        at += FRAME_HEADER_BYTES;
        if (header.type < FIRST_CONTROL) inbox.take(header, bytes.subarray(at, at + header.size));
        at += header.size;
      }
      outbox.confirmed(inbox.received);
      return true;
    },
    close: () => {},
    listen: () => {},
  };
  return {
    outbox,
    got,
    attach: async () => {
      inbox.begin(0);
      outbox.attach(transport, 0);
      await settled();
    },
  };
}

describe('an outbox without a link', () => {
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

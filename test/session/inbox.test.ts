// The receiving half of a session by itself: what it counts, what it refuses, what it has to tell.
import { isQiwayError } from '@qiway/protocol/errors';
import { Inbox } from '@qiway/protocol/session/inbox';
import { emptyFrameHeader, FrameFlags, type FrameHeader, NOTHING } from '@qiway/protocol/wire/link-frame';
import { MessageType } from '@qiway/protocol/wire/message';
import { describe, expect, it } from 'vitest';

const PIECE = 64 * 1024;

function frame(changes: Partial<FrameHeader> = {}): FrameHeader {
  return { ...emptyFrameHeader(), type: MessageType.post, service: 5, object: 1, action: 100, ...changes };
}

/** A fragment of a message of `total` bytes; the first when `total` is given. */
function fragment(id: number, { total, isLast = false }: { readonly total?: number; readonly isLast?: boolean }) {
  const body = new Uint8Array(PIECE + (total === undefined ? 0 : 4));
  if (total !== undefined) new DataView(body.buffer).setUint32(0, total, true);
  return { header: frame({ id, stream: id, flags: isLast ? 0 : FrameFlags.fragment }), body };
}

function lab() {
  const got: { readonly id: number; readonly began: number }[] = [];
  const inbox = new Inbox({
    maxMessageBytes: 1024 * 1024,
    onMessage: ({ id }) => got.push({ id, began: inbox.began }),
  });
  return { inbox, got };
}

function codeOf(run: () => void): string | undefined {
  try {
    run();
  } catch (error) {
    return isQiwayError(error) ? error.code : String(error);
  }
  return undefined;
}

const EMPTY = new Uint8Array(0);

describe('an inbox', () => {
  it('takes nothing that is numbered before it knows where the link begins, and is told that once', () => {
    const { inbox, got } = lab();
    expect(codeOf(() => inbox.take(frame(), EMPTY))).toBe('wire-invalid');
    inbox.begin(0);
    expect(codeOf(() => inbox.begin(0))).toBe('wire-invalid');
    inbox.take(frame({ id: 7 }), EMPTY);
    inbox.attach();
    expect(codeOf(() => inbox.take(frame(), EMPTY))).toBe('wire-invalid');
    expect(got).toEqual([{ id: 7, began: 1 }]);
  });

  it('refuses a link on which frames would be missing', () => {
    const { inbox } = lab();
    inbox.begin(0);
    inbox.take(frame(), EMPTY);
    inbox.attach();
    expect(codeOf(() => inbox.begin(2))).toBe('wire-invalid');
    expect(codeOf(() => inbox.begin(1))).toBeUndefined();
  });

  it('counts what comes a second time, and passes it on once', () => {
    const { inbox, got } = lab();
    inbox.begin(0);
    for (const id of [1, 2, 3]) inbox.take(frame({ id }), EMPTY);
    inbox.attach();
    inbox.begin(1);
    for (const id of [2, 3, 4]) inbox.take(frame({ id }), EMPTY);
    expect(got.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
    expect(inbox.received).toBe(4);
  });

  it('knows with which frame a message began, over links, too; a lossy one is of this link', () => {
    const { inbox, got } = lab();
    inbox.begin(0);
    const first = fragment(9, { total: 2 * PIECE });
    inbox.take(first.header, first.body);
    inbox.take(frame({ id: 1 }), EMPTY);
    inbox.attach();
    inbox.begin(2);
    const last = fragment(9, { isLast: true });
    inbox.take(last.header, last.body);
    inbox.take(frame({ id: 2, flags: FrameFlags.lossy }), EMPTY);
    expect(got).toEqual([
      { id: 1, began: 2 },
      { id: 9, began: 1 },
      { id: 2, began: Number.POSITIVE_INFINITY },
    ]);
    expect(inbox.received).toBe(3);
  });

  it('refuses types and flags that nobody sends, and lossy frames of what must not get lost', () => {
    const refused: Partial<FrameHeader>[] = [
      { type: 0 },
      { type: NOTHING + 1 },
      { flags: 4 },
      { flags: FrameFlags.fragment },
      { type: MessageType.call, flags: FrameFlags.lossy },
      { flags: FrameFlags.lossy, stream: 1 },
      { flags: FrameFlags.lossy | FrameFlags.fragment },
    ];
    for (const changes of refused) {
      const { inbox, got } = lab();
      inbox.begin(0);
      expect([changes, codeOf(() => inbox.take(frame(changes), EMPTY))]).toEqual([changes, 'wire-invalid']);
      expect(got).toEqual([]);
    }
  });

  it('counts a frame of nothing and passes on none', () => {
    const { inbox, got } = lab();
    inbox.begin(0);
    inbox.take(frame({ type: NOTHING }), new Uint8Array(8));
    expect([inbox.received, got]).toEqual([1, []]);
  });

  it('has small things to tell later, bulk and many small ones now, and nothing when nothing came', () => {
    const { inbox } = lab();
    inbox.begin(0);
    expect(inbox.toTell()).toBeUndefined();
    inbox.take(frame(), EMPTY);
    expect(inbox.toTell()).toBe('later');
    for (let count = 0; count < 1024; count += 1) inbox.take(frame(), EMPTY);
    expect(inbox.toTell()).toBe('now');
    expect(inbox.toTell()).toBeUndefined();
    inbox.take(frame(), new Uint8Array(PIECE + 1));
    expect(inbox.toTell()).toBe('now');
    const { header, body } = fragment(3, { total: 2 * PIECE });
    inbox.take(header, body);
    expect(inbox.toTell()).toBe('now');
  });
});

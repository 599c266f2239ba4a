// When a link counts as lost: what is silence, what is this side's own lateness, what is a side that takes nothing.
import type { Clock } from '@qiway/protocol/clock';
import type { QiwayError } from '@qiway/protocol/errors';
import { Conduit } from '@qiway/protocol/session/conduit';
import { DEFAULT_LINK_LIMITS, Link } from '@qiway/protocol/session/link';
import type { Transport, TransportListener } from '@qiway/protocol/session/transport';
import { ControlType, emptyFrameHeader, FRAME_HEADER_BYTES, writeFrameHeader } from '@qiway/protocol/wire/link-frame';
import { emptyMessageHeader, MessageType } from '@qiway/protocol/wire/message';
import { describe, expect, it } from 'vitest';

/** Timers run when a test says so, however late that is. */
function lateClock() {
  let nowMs = 0;
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
  const clock: Clock = {
    now: () => nowMs,
    after: (delayMs, run) => {
      const timer = { atMs: nowMs + delayMs, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  const jumpTo = (ms: number): void => {
    nowMs = ms;
    for (const timer of [...timers]) if (timer.atMs <= nowMs && timers.delete(timer)) timer.run();
  };
  return { clock, jumpTo };
}

function lab({ hasSent = false }: { readonly hasSent?: boolean } = {}) {
  const { clock, jumpTo } = lateClock();
  const sent: number[] = [];
  const ends: QiwayError[] = [];
  let listener: TransportListener | undefined;
  const transport: Transport = {
    route: 'direct',
    bufferedBytes: 0,
    send: (bytes) => sent.push(bytes[4] as number) > 0,
    close: () => {},
    listen: (given) => {
      listener = given;
    },
  };
  const owner = {
    frame: () => {},
    control: () => {},
    batchTaken: () => {},
    drained: () => {},
    rttMeasured: () => {},
    closed: (error: QiwayError) => ends.push(error),
  };
  const make = (): Link => new Link({ transport, clock, owner, maxBufferedBytes: 1e6 });
  return {
    clock,
    jumpTo,
    sent,
    ends,
    make,
    begin: () => make().startHeartbeat({ everyMs: 1_000, probes: false, hasSent: () => hasSent }),
    hear: (type: number) => {
      const bytes = new Uint8Array(FRAME_HEADER_BYTES);
      writeFrameHeader(bytes, 0, { ...emptyFrameHeader(), type });
      listener?.message(bytes);
    },
  };
}

describe('a link', () => {
  it('is lost with the third beat in which nothing was heard', () => {
    const { begin, jumpTo, ends } = lab();
    begin();
    for (const ms of [1_000, 2_000]) jumpTo(ms);
    expect(ends).toEqual([]);
    jumpTo(3_000);
    expect(ends).toMatchObject([{ code: 'link-lost', data: { reason: 'silence' } }]);
  });

  it('is not lost because this side slept: what came meanwhile is not read yet', () => {
    const { begin, jumpTo, ends, hear } = lab();
    begin();
    jumpTo(60_000);
    expect(ends).toEqual([]);
    hear(ControlType.pong);
    for (const ms of [61_000, 62_000]) jumpTo(ms);
    expect(ends).toEqual([]);
    jumpTo(63_000);
    expect(ends.length).toBe(1);
  });

  it('is lost after that, too, when nothing came', () => {
    const { begin, jumpTo, ends } = lab();
    begin();
    jumpTo(60_000);
    for (const ms of [61_000, 62_000]) jumpTo(ms);
    expect(ends.length).toBe(1);
  });

  it('asks a side that is sent to and says nothing: its timers may be slowed down', () => {
    const { begin, jumpTo, sent, hear } = lab({ hasSent: true });
    begin();
    jumpTo(500);
    hear(ControlType.pong);
    jumpTo(1_000);
    expect(sent).toEqual([]);
    jumpTo(2_000);
    expect(sent).toEqual([ControlType.ping]);
  });
});

describe('a conduit', () => {
  it('gives up a link whose other side lives and takes nothing', () => {
    const { clock, make, jumpTo, hear } = lab();
    const lost: QiwayError[] = [];
    const conduit = new Conduit({
      clock,
      schedule: (flush) => flush(),
      limits: DEFAULT_LINK_LIMITS,
      onMessage: () => {},
      onControl: () => {},
      onRtt: () => {},
      onLost: (error) => lost.push(error),
    });
    conduit.attach(make(), { otherHas: 0, heartbeatMs: 1_000, probes: false });
    for (let ms = 1_000; ms <= 60_000; ms += 1_000) {
      hear(ControlType.pong);
      jumpTo(ms);
    }
    expect(lost).toEqual([]); // nothing was to be taken
    conduit.outbox.send({ ...emptyMessageHeader(), type: MessageType.post }, new Uint8Array(8));
    for (let ms = 61_000; ms <= 70_000; ms += 1_000) {
      hear(ControlType.pong);
      jumpTo(ms);
    }
    expect(lost).toEqual([]);
    hear(ControlType.pong);
    jumpTo(71_000);
    expect(lost).toMatchObject([{ code: 'link-lost', data: { reason: 'stalled' } }]);
  });
});

// The window of bulk on simulated paths: it fills them, keeps queues short, and is not starved by a receiver that waits for
// its core. All numbers are exact: the paths are reckoned, chance has a seed.
import { BestRate, LeastOf } from '@qiway/protocol/session/best-rate';
import { BulkWindow } from '@qiway/protocol/session/bulk-window';
import { describe, expect, it } from 'vitest';
import { chance, type Path, Pipe, percentile } from './pipe.ts';

const MB_PER_S = 1000;
/** Two of the smallest pieces are under way whatever the path, and the window feels its way by such pieces: on a slow path they are the queue. */
const FLOOR_BYTES = 7 * 16 * 1024;
const KIB = 1024;

describe('on a steady path the window', () => {
  it.each([
    [1, 0.05],
    [1, 10],
    [5, 1],
    [5, 50],
    [20, 0.05],
    [20, 10],
    [20, 50],
    [100, 0.05],
    [100, 10],
    [100, 50],
    [500, 0.05],
    [500, 1],
    [500, 10],
  ])('fills %d MB/s with %d ms each way, and what is sent in between hardly waits', (megabytes, delayMs) => {
    const bytesPerMs = megabytes * MB_PER_S;
    const pipe = new Pipe({ bytesPerMs, delayMs });
    pipe.run(8000);
    const { bytesPerMs: measured, queuedMs } = pipe.run(20_000);
    const isSlowAndLong = bytesPerMs * 2 * delayMs < 128 * KIB && delayMs >= 10;
    expect(measured / bytesPerMs).toBeGreaterThan(isSlowAndLong ? 0.85 : 0.94);
    expect(percentile(queuedMs, 0.5)).toBeLessThan(Math.max(14, FLOOR_BYTES / bytesPerMs));
    expect(percentile(queuedMs, 0.99)).toBeLessThan(Math.max(21, FLOOR_BYTES / bytesPerMs));
  });

  it('is filled within a second where the round trip is short', () => {
    const pipe = new Pipe({ bytesPerMs: 100 * MB_PER_S, delayMs: 1 });
    expect(pipe.run(1000).bytesPerMs).toBeGreaterThan(95 * MB_PER_S);
  });
});

describe('with a receiver that stands still for 1 to 20 ms again and again, the window', () => {
  it.each([
    [5, 1],
    [20, 0.05],
    [20, 10],
    [100, 0.05],
    [100, 10],
    [500, 0.05],
    [500, 1],
  ])('does not collapse on %d MB/s with %d ms each way', (megabytes, delayMs) => {
    const random = chance(7);
    const stalls = (): { readonly runMs: number; readonly stallMs: number } => ({
      runMs: 1 + random() * 20,
      stallMs: 1 + random() * 19,
    });
    const bytesPerMs = megabytes * MB_PER_S;
    const pipe = new Pipe({ bytesPerMs, delayMs, stalls });
    pipe.run(8000);
    const { bytesPerMs: measured, queuedMs } = pipe.run(20_000);
    expect(measured / bytesPerMs).toBeGreaterThan(0.85);
    expect(percentile(queuedMs, 0.99)).toBeLessThan(Math.max(30, FLOOR_BYTES / bytesPerMs));
  });
});

it.each([1, 12.5, 50])(
  'on %d MB/s that come in bursts the window is what the path carries, not what a burst says',
  (megabytes) => {
    const bytesPerMs = megabytes * MB_PER_S;
    const pipe = new Pipe({ bytesPerMs, delayMs: 0.1, stalls: () => ({ runMs: 0.5, stallMs: 4.5 }) });
    for (const forMs of [300, 20_000]) {
      const { bytesPerMs: measured, queuedMs } = pipe.run(forMs);
      expect(measured / bytesPerMs).toBeGreaterThan(0.9);
      expect(percentile(queuedMs, 0.5)).toBeLessThan(Math.max(16, FLOOR_BYTES / bytesPerMs));
      expect(percentile(queuedMs, 0.99)).toBeLessThan(Math.max(25, FLOOR_BYTES / bytesPerMs));
    }
  },
);

describe('on a path that small frames share with bulk, the window', () => {
  /** Small frames are sent all the time: with every look at whether there is bulk to send. */
  const shares = (pipe: Pipe) => (): boolean => {
    pipe.shared();
    return true;
  };
  const briefStalls = (): NonNullable<Path['stalls']> => {
    const random = chance(7);
    return () => ({ runMs: 1 + random() * 4, stallMs: random() * 4 });
  };

  it.each([
    [1, 0.1],
    [5, 10],
    [12.5, 0.1],
    [12.5, 2],
    [50, 0.1],
    [100, 0.05],
    [20, 50],
  ])(
    'fills %d MB/s with %d ms each way too, and they wait for two or three of the smallest pieces',
    (megabytes, delayMs) => {
      const bytesPerMs = megabytes * MB_PER_S;
      const pipe = new Pipe({ bytesPerMs, delayMs });
      pipe.run(8000, shares(pipe));
      const { bytesPerMs: measured, queuedMs } = pipe.run(20_000, shares(pipe));
      expect(measured / bytesPerMs).toBeGreaterThan(0.94);
      expect(percentile(queuedMs, 0.5)).toBeLessThan(Math.max(5, (2 * 16 * KIB) / bytesPerMs));
      expect(percentile(queuedMs, 0.99)).toBeLessThan(Math.max(8, (3 * 16 * KIB) / bytesPerMs));
    },
  );

  it.each([12.5, 50, 100])(
    'leaves a part of %d MB/s unused for a receiver that stands still now and then',
    (megabytes) => {
      const bytesPerMs = megabytes * MB_PER_S;
      const pipe = new Pipe({ bytesPerMs, delayMs: 0.1, stalls: briefStalls() });
      pipe.run(8000, shares(pipe));
      const { bytesPerMs: measured, queuedMs } = pipe.run(20_000, shares(pipe));
      expect(measured / bytesPerMs).toBeGreaterThan(0.85);
      expect(percentile(queuedMs, 0.99)).toBeLessThan(6);
    },
  );

  it('finds that it became faster', () => {
    const pipe = new Pipe({ bytesPerMs: 5 * MB_PER_S, delayMs: 5 });
    pipe.run(5000, shares(pipe));
    pipe.change({ bytesPerMs: 100 * MB_PER_S, delayMs: 5 });
    pipe.run(5000, shares(pipe));
    expect(pipe.run(5000, shares(pipe)).bytesPerMs).toBeGreaterThan(85 * MB_PER_S);
  });

  it('grows again half a second after the last of them', () => {
    const pipe = new Pipe({ bytesPerMs: 12.5 * MB_PER_S, delayMs: 0.1 });
    pipe.run(5000, shares(pipe));
    const shared = pipe.windowBytes;
    pipe.run(400);
    expect(pipe.windowBytes).toBeLessThan(shared + 16 * KIB);
    pipe.run(600);
    expect(pipe.windowBytes).toBeGreaterThan(1.5 * shared);
  });

  it('does not take the burst after a pause for what the path carries', () => {
    const bytesPerMs = 12.5 * MB_PER_S;
    const pipe = new Pipe({ bytesPerMs, delayMs: 0.1, burstMs: 5 });
    // A tenth of a second of bulk, then a pause of 20 ms, again and again.
    const sends = (nowMs: number): boolean => shares(pipe)() && nowMs % 120 < 100;
    pipe.run(5000, sends);
    expect(percentile(pipe.run(20_000, sends).queuedMs, 0.99)).toBeLessThan(6);
  });
});

it('a receiver that has the core for a fraction of the time only does not starve the path', () => {
  const random = chance(3);
  const stalls = (): { readonly runMs: number; readonly stallMs: number } => ({
    runMs: 2 + random() * 10,
    stallMs: 5 + random() * 55,
  });
  const pipe = new Pipe({ bytesPerMs: 100 * MB_PER_S, delayMs: 0.05, stalls });
  pipe.run(8000);
  expect(pipe.run(20_000).bytesPerMs).toBeGreaterThan(25 * MB_PER_S);
});

describe('on a slow path the window', () => {
  it.each([20, 50, 200])('fills %d kB/s with small pieces, and little waits', (kilobytes) => {
    const pipe = new Pipe({ bytesPerMs: kilobytes, delayMs: 20 });
    pipe.run(20_000);
    const { bytesPerMs, queuedMs } = pipe.run(40_000);
    expect(bytesPerMs / kilobytes).toBeGreaterThan(0.94);
    // A second, or three of the smallest pieces.
    expect(percentile(queuedMs, 0.99)).toBeLessThan(Math.max(1500, (3 * 16 * KIB) / kilobytes));
  });
});

describe('when the path changes, the window', () => {
  it('leaves a slower path within three seconds with no more than it carries', () => {
    const pipe = new Pipe({ bytesPerMs: 100 * MB_PER_S, delayMs: 5 });
    pipe.run(5000);
    pipe.change({ bytesPerMs: 5 * MB_PER_S, delayMs: 5 });
    pipe.run(3000);
    const { bytesPerMs, queuedMs } = pipe.run(5000);
    expect(bytesPerMs).toBeGreaterThan(4.8 * MB_PER_S);
    expect(percentile(queuedMs, 0.99)).toBeLessThan(FLOOR_BYTES / (5 * MB_PER_S));
  });

  it('finds that it became faster', () => {
    const pipe = new Pipe({ bytesPerMs: 5 * MB_PER_S, delayMs: 5 });
    pipe.run(5000);
    pipe.change({ bytesPerMs: 100 * MB_PER_S, delayMs: 5 });
    pipe.run(3000);
    expect(pipe.run(5000).bytesPerMs).toBeGreaterThan(90 * MB_PER_S);
  });

  it('finds that it became longer', () => {
    const pipe = new Pipe({ bytesPerMs: 20 * MB_PER_S, delayMs: 2 });
    pipe.run(5000);
    pipe.change({ bytesPerMs: 20 * MB_PER_S, delayMs: 40 });
    pipe.run(8000);
    expect(pipe.run(5000).bytesPerMs).toBeGreaterThan(18 * MB_PER_S);
  });
});

describe('a window', () => {
  it('does not shrink for a sender that sends little for a while', () => {
    const pipe = new Pipe({ bytesPerMs: 100 * MB_PER_S, delayMs: 10 });
    pipe.run(8000);
    pipe.run(8000, (now) => Math.floor(now) % 100 === 0); // a piece or two in a tenth of a second
    expect(pipe.run(500).bytesPerMs).toBeGreaterThan(85 * MB_PER_S);
  });

  it('counts what is under way, and begins anew on another link', () => {
    let now = 0;
    const window = new BulkWindow({ now: () => now, after: () => () => {} });
    expect([window.inFlightBytes, window.roomBytes, window.hasRoom]).toEqual([0, 16 * KIB, true]);
    for (let round = 0; round < 20; round += 1) {
      while (window.hasRoom) window.sent(window.roomBytes);
      now += 1;
      window.confirmed(window.inFlightBytes);
    }
    while (window.hasRoom) window.sent(window.roomBytes);
    expect(window.inFlightBytes).toBeGreaterThan(1024 * KIB);
    expect(window.inFlightBytes).toBeLessThanOrEqual(16 * 1024 * KIB);
    window.confirmed(window.inFlightBytes + 1); // never more than was sent
    expect(window.inFlightBytes).toBe(0);
    window.sent(1000);
    window.reset();
    expect([window.inFlightBytes, window.roomBytes]).toEqual([0, 16 * KIB]);
    for (let piece = 0; piece < 4; piece += 1) window.sent(16 * KIB);
    expect([window.inFlightBytes, window.hasRoom]).toEqual([64 * KIB, false]);
  });
});

describe('the best rate', () => {
  it('is remembered for one to two seconds of rates that are the path its own', () => {
    const rate = new BestRate();
    rate.add(1000, { elapsedMs: 1, now: 0, isOfPath: true });
    rate.add(10, { elapsedMs: 1, now: 900, isOfPath: true });
    expect(rate.bytesPerMs).toBe(1000);
    rate.add(10, { elapsedMs: 1, now: 1000, isOfPath: true });
    expect(rate.bytesPerMs).toBe(1000);
    rate.add(10, { elapsedMs: 1, now: 2000, isOfPath: true });
    expect(rate.bytesPerMs).toBe(10);
  });

  it('is not forgotten for lower ones of a sender that had little to send', () => {
    const rate = new BestRate();
    rate.add(1000, { elapsedMs: 1, now: 0, isOfPath: true });
    for (let now = 0; now < 100_000; now += 500) rate.add(10, { elapsedMs: 1, now, isOfPath: false });
    expect(rate.bytesPerMs).toBe(1000);
    rate.forget();
    expect(rate.bytesPerMs).toBe(0);
  });
});

it('the least of a time is forgotten after twice that time', () => {
  const least = new LeastOf(50);
  expect([least.add(1, 0), least.add(9, 49), least.add(8, 50), least.add(7, 99), least.add(9, 100)]).toEqual([
    1, 1, 1, 1, 7,
  ]);
  least.forget();
  expect(least.add(20, 101)).toBe(20);
});

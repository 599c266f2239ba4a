// What the bench prints of its samples, and the frames of its peers; no measuring here.
import { describe, expect, it } from 'vitest';
import { short, spread } from '../../bench/figures.ts';
import { readOptions } from '../../bench/options.ts';
import { makePartRow, makePartTable } from '../../bench/parts/part.ts';
import { frameReader, frameWriter, makeFrame } from '../../bench/peers/frame.ts';
import { makeRows, makeTable, type Sample } from '../../bench/report.ts';

const kinds = [{ name: 'rpc-64', title: '64 calls in flight', unit: 'calls/s' }];

function samples(side: Sample['side'], values: readonly number[]): Sample[] {
  return values.map((value, round) => ({ client: 'node', measure: 'rpc-64', side, round, value }));
}

describe('the report of the bench', () => {
  it('gives medians with quartiles', () => {
    expect(spread([5, 1, 4, 2, 3])).toEqual({ median: 3, low: 2, high: 4, count: 5 });
    expect(spread([1, 2])).toMatchObject({ median: 1.5, low: 1.25, high: 1.75 });
  });

  it('takes ratios within a round, so that a slow round does not count as a slow side', () => {
    const [row] = makeRows([...samples('raw-2hop', [10, 100, 1000]), ...samples('qiway', [40, 500, 3000])], kinds);
    expect(row?.sides.qiway?.ratio?.median).toBe(4);
    expect(row?.goals).toContainEqual({ side: 'qiway', text: '≥ 3 ×', isReached: true });
  });

  it('says which goals are not reached', () => {
    const rows = makeRows([...samples('raw-2hop', [10]), ...samples('qiway', [29])], kinds);
    expect(makeTable(rows)).toContain('| 29.0 = 2.90 × | qiway ≥ 3 ×: **no** |');
  });

  it('holds each side to a goal of its own', () => {
    const rows = makeRows(
      [...samples('raw-2hop', [10]), ...samples('qiway', [29]), ...samples('qi-door', [20])],
      kinds,
    );
    expect(rows[0]?.goals).toEqual([
      { side: 'qiway', text: '≥ 3 ×', isReached: false },
      { side: 'qi-door', text: '≥ 2 ×', isReached: true },
    ]);
  });

  it('holds figures that are no ratios to their bound, also when there is nothing to compare them with', () => {
    const both = [{ name: 'cpu-both', title: 'gateway and service CPU', unit: 's' }];
    const goalOf = (value: number) =>
      makeRows([{ client: 'node', measure: 'cpu-both', side: 'qi-door', round: 0, value }], both)[0]?.goals;
    expect(goalOf(0.22)).toEqual([{ side: 'qi-door', text: '≤ 0.22', isReached: true }]);
    expect(goalOf(0.23)).toEqual([{ side: 'qi-door', text: '≤ 0.22', isReached: false }]);
    expect(makeRows(samples('qiway', [5]), kinds)[0]?.goals[0]?.isReached).toBeUndefined();
  });

  it('holds what is sealed against what is not, within a round', () => {
    const rows = makeRows([...samples('qiway', [100, 10, 50]), ...samples('qiway-sealed', [70, 7, 20])], kinds);
    expect(rows[0]?.goals).toContainEqual({
      side: 'qiway-sealed',
      text: '≥ 0.6 × qiway',
      ratio: 0.7,
      isReached: true,
    });
    expect(makeTable(rows)).toContain('qiway-sealed ≥ 0.6 × qiway: yes (0.700)');
    const [alone] = makeRows(samples('qiway-sealed', [70]), kinds);
    expect(alone?.goals).toEqual([{ side: 'qiway-sealed', text: '≥ 0.6 × qiway', isReached: undefined }]);
  });

  it('holds a part to a ratio of each round, or to its own figure', () => {
    const base = { name: 'quiet', samples: [1, 10, 2] };
    const near = makePartRow('beside bodies', { unit: 'ms', samples: [2, 40, 4], base, atMost: 3 });
    expect(near).toMatchObject({ figure: { median: 4 }, ratio: { median: 2 }, goal: '≤ 3 ×', isReached: true });
    const far = makePartRow('per session', { unit: 'KiB', samples: [65], atMost: 64 });
    expect(far).toMatchObject({ goal: '≤ 64', isReached: false });
    expect(makePartTable([near, far]).split('\n').at(-1)).toMatch(/65\.0 .*\| ≤ 64 +\| \*\*no\*\*/);
  });

  it('says nothing of what was not measured', () => {
    expect(makeRows([], kinds)).toEqual([]);
    expect(makeTable(makeRows(samples('capnweb', [5]), kinds))).not.toContain('qiway');
  });

  it('shortens figures to three digits', () => {
    expect([0.1234, 1.5, 123.4, 12_345, 2_345_678, Number.NaN].map(short)).toEqual([
      '0.123',
      '1.50',
      '123',
      '12.3k',
      '2.35M',
      '–',
    ]);
  });

  it('refuses options that are none with a sentence', () => {
    expect(() => readOptions(['--rounds', '0'])).toThrow('--rounds takes a whole number from 1, not 0');
    expect(() => readOptions(['--sides', 'socket.io'])).toThrow(/--sides knows raw-2hop/);
    expect(readOptions(['--quick', '--only', 'rpc,node'])).toMatchObject({
      rounds: 2,
      runMs: 200,
      measures: ['rpc'],
      client: 'node',
    });
    expect(readOptions(['--only', 'down,up'])).toMatchObject({ measures: ['down', 'up'], client: undefined });
  });
});

describe('the frames of the plain peers', () => {
  const frames = [makeFrame(1, 2, 0), makeFrame(3, 4, 5), makeFrame(6, 7, 300)];
  const stream = Buffer.concat(frames);

  it.each([1, 3, 16, 17, 64, 1000])('come whole out of a stream cut every %i bytes', (step) => {
    const got: Buffer[] = [];
    const read = frameReader((frame) => got.push(Buffer.from(frame)));
    for (let at = 0; at < stream.length; at += step) read(stream.subarray(at, at + step));
    expect(got).toEqual(frames.map((frame) => Buffer.from(frame)));
  });

  it('go out one by one, or all of a turn in one message', async () => {
    const single: Uint8Array[] = [];
    const batched: Uint8Array[] = [];
    const writeSingle = frameWriter(false, (message) => single.push(message));
    const writeBatched = frameWriter(true, (message) => batched.push(message));
    for (const frame of frames) {
      writeSingle(frame);
      writeBatched(frame);
    }
    expect(single).toEqual(frames);
    expect(batched).toEqual([]);
    await Promise.resolve();
    expect(batched.map((message) => Buffer.from(message))).toEqual([stream]);
  });
});

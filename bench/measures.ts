// What is measured. Runs in Node and in Chromium alike, on any side; every answer is checked. Knows no sockets.
import type { Dial, EchoClient } from './echo-client.ts';

export interface Job {
  readonly measure: string;
  readonly url: string;
  readonly warmUpMs: number;
  readonly runMs: number;
}

export interface Outcome {
  /** In the unit of the measure. */
  readonly value: number;
  /** Calls and events in all, warm-up included: for CPU per call. */
  readonly operations: number;
}

type Run = (client: EchoClient, ms: number, job: Job, dial: Dial) => Promise<Outcome>;

export interface Measure {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** Sessions beside the main one, opened before the warm-up. */
  readonly sessions?: number;
  /** Longer than others by this factor: where a percentile needs samples. */
  readonly longer?: number;
  readonly run: Run;
}

const KIB = 1024;
const MIB = 1024 * KIB;
/** Events of one burst. */
const BURST = 100;

/** Calls `one` with `width` calls in flight until the time is over; returns calls per second. */
async function keepInFlight(width: number, ms: number, one: (index: number) => Promise<void>): Promise<Outcome> {
  const start = performance.now();
  const deadline = start + ms;
  let operations = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < deadline) {
      operations += 1;
      await one(operations);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return { value: (operations * 1000) / (performance.now() - start), operations };
}

function check(got: number, expected: number): void {
  if (got !== expected) throw new Error(`wrong answer: ${got} instead of ${expected}`);
}

const echo = (client: EchoClient) => async (number: number) => check(await client.echo(number), number);

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Round trips one after the other, in milliseconds, sorted. */
async function roundTrips(client: EchoClient, ms: number): Promise<number[]> {
  const times: number[] = [];
  const deadline = performance.now() + ms;
  let before = performance.now();
  while (before < deadline) {
    check(await client.echo(times.length), times.length);
    const after = performance.now();
    times.push(after - before);
    before = after;
  }
  return times.sort((a, b) => a - b);
}

function inFlight(width: number): Run {
  return (client, ms) => keepInFlight(width, ms, echo(client));
}

function down(size: number, width: number): Run {
  return async (client, ms) => {
    const { value, operations } = await keepInFlight(width, ms, async () =>
      check((await client.down(size)).length, size),
    );
    return { value: (value * size) / 1e6, operations };
  };
}

function up(size: number, width: number): Run {
  const body = new Uint8Array(size).fill(7);
  return async (client, ms) => {
    const { value, operations } = await keepInFlight(width, ms, async () => check(await client.up(body), size));
    return { value: (value * size) / 1e6, operations };
  };
}

/** One signal to many sessions: bursts, each waited for until every session has all of it. */
const fanOut: Run = async (client, ms, job, dial) => {
  const sessions = measureNamed(job.measure).sessions ?? 1;
  let events = 0;
  let missing = 0;
  let done = (): void => {};
  const listener = (): void => {
    events += 1;
    missing -= 1;
    if (missing === 0) done();
  };
  const others = await Promise.all(Array.from({ length: sessions }, () => dial(job.url)));
  try {
    await Promise.all(others.map((other) => other.subscribe(listener)));
    const burst = async (): Promise<void> => {
      missing = BURST * sessions;
      const all = new Promise<void>((resolve) => {
        done = resolve;
      });
      await client.emit(BURST);
      await all;
    };
    const until = async (deadline: number): Promise<void> => {
      while (performance.now() < deadline) await burst();
    };
    await until(performance.now() + job.warmUpMs);
    const before = events;
    const start = performance.now();
    await until(start + ms);
    return { value: ((events - before) * 1000) / (performance.now() - start), operations: events };
  } finally {
    await Promise.all(others.map((other) => other.close()));
  }
};

/** Small calls one after the other while two 1 MiB bodies are always on their way on the same link. */
const beside: Run = async (client, ms) => {
  let over = false;
  let bodies = 0;
  const stream = async (): Promise<void> => {
    while (!over) {
      check((await client.down(MIB)).length, MIB);
      bodies += 1;
    }
  };
  const streams = [stream(), stream()];
  const times = await roundTrips(client, ms);
  over = true;
  await Promise.all(streams);
  return { value: percentile(times, 0.99), operations: times.length + bodies };
};

export const MEASURES: readonly Measure[] = [
  {
    name: 'rpc-1',
    title: 'calls one after the other, p50',
    unit: 'ms',
    better: 'lower',
    run: async (client, ms) => {
      const times = await roundTrips(client, ms);
      return { value: percentile(times, 0.5), operations: times.length };
    },
  },
  { name: 'rpc-64', title: '64 calls in flight', unit: 'calls/s', better: 'higher', run: inFlight(64) },
  { name: 'rpc-256', title: '256 calls in flight', unit: 'calls/s', better: 'higher', run: inFlight(256) },
  { name: 'down-1k', title: '1 KiB raw down, 64 in flight', unit: 'MB/s', better: 'higher', run: down(KIB, 64) },
  { name: 'up-1k', title: '1 KiB raw up, 64 in flight', unit: 'MB/s', better: 'higher', run: up(KIB, 64) },
  { name: 'down-1m', title: '1 MiB raw down, 4 in flight', unit: 'MB/s', better: 'higher', run: down(MIB, 4) },
  { name: 'up-1m', title: '1 MiB raw up, 4 in flight', unit: 'MB/s', better: 'higher', run: up(MIB, 4) },
  { name: 'signal-1', title: 'one signal to 1 session', unit: 'events/s', better: 'higher', sessions: 1, run: fanOut },
  {
    name: 'signal-10',
    title: 'one signal to 10 sessions',
    unit: 'events/s',
    better: 'higher',
    sessions: 10,
    run: fanOut,
  },
  {
    name: 'signal-100',
    title: 'one signal to 100 sessions',
    unit: 'events/s',
    better: 'higher',
    sessions: 100,
    run: fanOut,
  },
  { name: 'beside', title: 'small call beside 1 MiB bodies, p99', unit: 'ms', better: 'lower', longer: 3, run: beside },
];

function measureNamed(name: string): Measure {
  const measure = MEASURES.find((candidate) => candidate.name === name);
  if (measure === undefined) throw new Error(`no measure named ${name}`);
  return measure;
}

/** Runs one job on a client that is kept from job to job, warm-up first. */
export async function runJob(job: Job, client: EchoClient, dial: Dial): Promise<Outcome> {
  const { run, sessions, longer = 1 } = measureNamed(job.measure);
  const warm = sessions === undefined ? await run(client, job.warmUpMs, job, dial) : { operations: 0 };
  const outcome = await run(client, job.runMs * longer, job, dial);
  return { value: outcome.value, operations: outcome.operations + warm.operations };
}

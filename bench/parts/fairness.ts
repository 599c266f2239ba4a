// What others cost a client that makes small calls: 1 MiB bodies on its own link, or clients beside it that stopped reading.
// How late a timer is meanwhile in a process that does nothing else says what of that is the machine's. And whether the agent's memory
// stays as it is over all that.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isRecord, type Process, startProcess } from '../processes.ts';
import { type Agent, startAgent } from '../qiway-side.ts';
import type { Calls, FairRequest } from './fairness-client.ts';
import { makePartRow, type Part, type PartOptions, type PartRow } from './part.ts';
import { untilSessions } from './session-count.ts';

const STALLED_CLIENTS = 20;
/** Bodies on their way at any time. */
const BODIES = 2;
/** Of a link that is slower than the machine: 100 Mbit/s. */
const SLOW_BYTES_PER_SECOND = 12_500_000;
/** A percentile needs samples. */
const LONGER = 3;
/** The frozen clients are not to be taken for lost while they are measured beside. */
const HEARTBEAT_MS = 20_000;
const KEEP_SECONDS = 1;

export const fairness: Part = { name: 'fairness', run };

async function run({ rounds, runMs }: PartOptions): Promise<readonly PartRow[]> {
  const agent = await startAgent(['--heartbeat', String(HEARTBEAT_MS), '--keep-session', String(KEEP_SECONDS)]);
  const services = [
    await startProcess('./echo-service.ts', [agent.bus, 'Echo']),
    await startProcess('./echo-service.ts', [agent.bus, 'Bulk']),
  ];
  const client = await startProcess('./parts/fairness-client.ts', [agent.url]);
  const proxy = await startProcess('./parts/slow-proxy.ts', [new URL(agent.url).port, String(SLOW_BYTES_PER_SECOND)]);
  const slowClient = await startProcess('./parts/fairness-client.ts', [agent.url, proxy.url]);
  const p99 = { quiet: [] as number[], bodies: [] as number[], stalled: [] as number[] };
  const slowP99 = { quiet: [] as number[], bodies: [] as number[] };
  const timers: number[] = [];
  const rates: number[] = [];
  const slowRates: number[] = [];
  const memory = { rss: [] as number[], heap: [] as number[] };
  const measureOf = async (of: Process, bodies: number, hasEvents: boolean): Promise<Calls> =>
    (await ask(of, { calls: { runMs: runMs * LONGER, bodies, hasEvents } })) as Calls;
  const measure = (bodies: number, hasEvents: boolean): Promise<Calls> => measureOf(client, bodies, hasEvents);
  try {
    // What is compiled once is not measured.
    await measure(BODIES, false);
    await measureOf(slowClient, BODIES, false);
    for (let round = 0; round < rounds; round += 1) {
      p99.quiet.push((await measure(0, false)).p99Ms);
      const { outcome: streaming, timerMs } = await withTimer(() => measure(BODIES, false));
      timers.push(timerMs);
      p99.bodies.push(streaming.p99Ms);
      rates.push((streaming.bodies * 1000) / (runMs * LONGER));
      slowP99.quiet.push((await measureOf(slowClient, 0, false)).p99Ms);
      const slow = await measureOf(slowClient, BODIES, false);
      slowP99.bodies.push(slow.p99Ms);
      slowRates.push((slow.bodies * 1000) / (runMs * LONGER));
      p99.stalled.push(await besideStalled(agent, async () => (await measure(0, true)).p99Ms));
      const { rssKib, heapKib } = await agent.process.memory();
      memory.rss.push(rssKib / 1024);
      memory.heap.push(heapKib / 1024);
    }
  } finally {
    for (const each of [client, slowClient, proxy]) await each.stop();
    for (const service of services) await service.stop();
    await agent.process.stop();
  }
  const quiet = { name: 'quiet', samples: p99.quiet };
  const first = (samples: readonly number[]) => ({ name: 'after the first round', samples: samples.slice(0, 1) });
  return [
    makePartRow('small calls, quiet, p99', { unit: 'ms', samples: p99.quiet }),
    makePartRow('beside 1 MiB bodies on the same link, p99', {
      unit: 'ms',
      samples: p99.bodies,
      base: quiet,
      atMost: 3,
    }),
    makePartRow('a timer of 1 ms meanwhile, in a process that does nothing else, p99', { unit: 'ms', samples: timers }),
    makePartRow('bodies meanwhile', { unit: 'MiB/s', samples: rates }),
    makePartRow('small calls over 100 Mbit/s, quiet, p99', { unit: 'ms', samples: slowP99.quiet }),
    makePartRow('beside 1 MiB bodies over it, p99', {
      unit: 'ms',
      samples: slowP99.bodies,
      base: { name: 'quiet over it', samples: slowP99.quiet },
      atMost: 3,
    }),
    makePartRow('bodies over it meanwhile', { unit: 'MiB/s', samples: slowRates }),
    makePartRow(`beside ${STALLED_CLIENTS} clients that stopped reading, p99`, {
      unit: 'ms',
      samples: p99.stalled,
      base: quiet,
      atMost: 3,
    }),
    makePartRow('resident memory of the agent after the last round', {
      unit: 'MiB',
      samples: memory.rss.slice(-1),
      base: first(memory.rss),
      atMost: 1.1,
    }),
    makePartRow('its heap, collected', {
      unit: 'MiB',
      samples: memory.heap.slice(-1),
      base: first(memory.heap),
      atMost: 1.1,
    }),
  ];
}

/** Clients that have events and bodies to read are frozen meanwhile, and then gone. */
async function besideStalled<T>(agent: Agent, measure: () => Promise<T>): Promise<T> {
  const readers = await startProcess('./parts/fairness-client.ts', [agent.url]);
  try {
    await ask(readers, { readers: STALLED_CLIENTS });
    readers.signal('SIGSTOP');
    return await measure();
  } finally {
    readers.signal('SIGKILL');
    await readers.stop();
    await untilSessions(agent.url, 2);
  }
}

/** When a timer of 1 ms runs in this process, which only waits, while others work: ms, the 99th percentile. */
async function withTimer<T>(work: () => Promise<T>): Promise<{ readonly outcome: T; readonly timerMs: number }> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const outcome = await work();
  delays.disable();
  return { outcome, timerMs: delays.percentile(99) / 1e6 };
}

async function ask(client: Process, request: FairRequest): Promise<unknown> {
  const answer = await client.ask(request);
  if (isRecord(answer) && 'outcome' in answer) return answer['outcome'];
  throw new Error(`fairness: ${isRecord(answer) ? String(answer['failure']) : 'no answer'}`);
}

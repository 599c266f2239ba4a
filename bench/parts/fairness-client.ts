// Process: clients of the fairness part (arguments: the agent's URL, and the port of a proxy if there is one). Told over IPC what to do: measure small calls, maybe
// beside large bodies on the same link or while events go to others; or be many clients that have much to read.
import { connect } from '@qiway/sdk';
import { ready } from '../probe.ts';
import type { Services } from '../typed-client.ts';
import { dialThrough } from './through-proxy.ts';

/** The echo service twice: what is large has a socket of its own between agent and service, where messages are whole. */
interface FairServices extends Services {
  Bulk: Services['Echo'];
}

/** Small calls one after the other, so many bodies on their way meanwhile. */
interface Measurement {
  readonly runMs: number;
  readonly bodies: number;
  /** Events go to whoever listens. */
  readonly hasEvents: boolean;
}

export type FairRequest = { readonly calls: Measurement } | { readonly readers: number };

export interface Calls {
  readonly p99Ms: number;
  readonly bodies: number;
}

const MIB = 1024 * 1024;
const BODIES_PER_READER = 4;
const EVENTS = { everyMs: 10, count: 20 };
const [url = '', proxyPort] = process.argv.slice(2);
if (proxyPort !== undefined) dialThrough(proxyPort);
const robot = await connect<FairServices>(url);
const [echo, bulk] = [await robot.service('Echo'), await robot.service('Bulk')];

async function calls({ runMs, bodies, hasEvents }: Measurement): Promise<Calls> {
  let isOver = false;
  let taken = 0;
  const stream = async (): Promise<void> => {
    while (!isOver) {
      const { length } = await bulk.down(MIB);
      if (length !== MIB) throw new Error(`a body of ${length} bytes`);
      taken += 1;
    }
  };
  const streams = Promise.all(Array.from({ length: bodies }, stream));
  const timer = hasEvents ? setInterval(() => void bulk.emit(EVENTS.count), EVENTS.everyMs) : undefined;
  const times: number[] = [];
  const deadline = performance.now() + runMs;
  for (let before = performance.now(); before < deadline; ) {
    const number = times.length;
    if ((await echo.echo(number)) !== number) throw new Error('a wrong answer');
    const after = performance.now();
    times.push(after - before);
    before = after;
  }
  isOver = true;
  clearInterval(timer);
  await streams;
  times.sort((a, b) => a - b);
  return { p99Ms: times[Math.floor(times.length * 0.99)] ?? Number.NaN, bodies: taken };
}

/** Opens sessions that listen to events and have asked for bodies, which are on their way now. */
async function read(count: number): Promise<null> {
  for (let index = 0; index < count; index += 1) {
    const reader = await connect<FairServices>(url);
    const service = await reader.service('Bulk');
    await service.tick.connect(() => {});
    for (let body = 0; body < BODIES_PER_READER; body += 1) service.down(MIB).catch(() => {});
  }
  await echo.echo(0);
  return null;
}

process.channel?.ref();
process.on('message', (message) => {
  if (typeof message !== 'object' || message === null) return;
  const request = message as FairRequest;
  ('calls' in request ? calls(request.calls) : read(request.readers)).then(
    (outcome) => process.send?.({ outcome }),
    (error: unknown) => process.send?.({ failure: error instanceof Error ? error.message : String(error) }),
  );
});
ready('fairness-client');

// Process: the client of one side (first argument) in Node. Takes jobs over IPC, answers with outcomes.
import { WebSocket as PlainWebSocket } from 'ws';
import { makeDials } from './dials.ts';
import { type Dials, type EchoClient, SIDES, type SideName } from './echo-client.ts';
import { type Job, runJob } from './measures.ts';
import { ready } from './probe.ts';

/** `hold`: open so many more idle sessions and keep them; 0 closes them all. */
export type NodeRequest = { readonly job: Job } | { readonly hold: number; readonly url: string };

const side = SIDES.find((name) => name === process.argv[2]);
if (side === undefined) throw new Error(`the first argument is a side: ${SIDES.join(', ')}`);
const dials: Dials<SideName> = {
  ...makeDials((url) => new PlainWebSocket(url, { perMessageDeflate: false })),
  'qi-door': async (url) => (await import('./qi-door-client.ts')).dialQiDoor(url),
};
const dial = dials[side];
let client: EchoClient | undefined;
let held: EchoClient[] = [];

async function hold(count: number, url: string): Promise<void> {
  if (count === 0) {
    const before = held;
    held = [];
    await Promise.all(before.map((session) => session.close()));
  }
  // One after the other: what is measured is how they rest, not how they arrive.
  for (let index = 0; index < count; index += 1) held.push(await dial(url));
}

async function take(request: NodeRequest): Promise<unknown> {
  if ('hold' in request) {
    await hold(request.hold, request.url);
    return { outcome: null };
  }
  client ??= await dial(request.job.url);
  return { outcome: await runJob(request.job, client, dial) };
}

// The channel has to keep this process alive: it is all it waits for.
process.channel?.ref();
process.on('message', (message) => {
  if (typeof message !== 'object' || message === null) return;
  take(message as NodeRequest).then(
    (answer) => process.send?.(answer as object),
    (error: unknown) => process.send?.({ failure: error instanceof Error ? error.message : String(error) }),
  );
});
ready(side);

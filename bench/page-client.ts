// The client of all sides in Chromium: fetches jobs, posts outcomes. Nothing watches the page meanwhile
// (a debugger would see, and slow down, every WebSocket frame).
import { makeDials } from './dials.ts';
import { type EchoClient, isWebSide, type SideName } from './echo-client.ts';
import { type Job, runJob } from './measures.ts';

const dials = makeDials((url) => new WebSocket(url));
const clients = new Map<SideName, EchoClient>();

async function take(side: SideName, job: Job): Promise<unknown> {
  try {
    if (!isWebSide(side)) throw new Error(`a page cannot dial ${side}`);
    let client = clients.get(side);
    if (client === undefined) {
      client = await dials[side](job.url);
      clients.set(side, client);
    }
    return { outcome: await runJob(job, client, dials[side]) };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

for (;;) {
  const response = await fetch('/job');
  if (response.status !== 200) break;
  const { side, job } = (await response.json()) as { side: SideName; job: Job };
  await fetch('/outcome', { method: 'POST', body: JSON.stringify(await take(side, job)) });
}

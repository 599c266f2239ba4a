// What a session costs the agent while nothing happens: with a link, and while it waits for its client to come back.
import { isRecord, type Process, startProcess } from '../processes.ts';
import { type Agent, startAgent } from '../qiway-side.ts';
import { makePartRow, type Part, type PartOptions, type PartRow } from './part.ts';

const MS_PER_SESSION = 2.5;
const GOAL_KIB = 64;
const POLL_MS = 50;
/** Until all links of a client that was killed are seen to be gone. */
const LONGEST_MS = 10_000;

export const sessions: Part = { name: 'sessions', run };

async function run({ rounds, runMs }: PartOptions): Promise<readonly PartRow[]> {
  const count = Math.max(10, Math.round(runMs / MS_PER_SESSION));
  const attached: number[] = [];
  const detached: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const agent = await startAgent([]);
    const service = await startProcess('./echo-service.ts', [agent.bus]);
    // The first ones pay for tables and pools that are made once; the next ones show what each costs.
    const first = await hold(agent, Math.ceil(count / 2));
    const { heapKib: before, sockets } = await agent.process.memory();
    const others = await hold(agent, count);
    attached.push(((await agent.process.memory()).heapKib - before) / count);
    others.signal('SIGKILL');
    await others.stop();
    detached.push(((await whenSockets(agent, sockets)) - before) / count);
    for (const process of [first, service, agent.process]) await process.stop();
  }
  return [
    makePartRow('memory of the agent per idle session', { unit: 'KiB', samples: attached, atMost: GOAL_KIB }),
    makePartRow('the same without a link', { unit: 'KiB', samples: detached, atMost: GOAL_KIB }),
  ];
}

/** A client with so many sessions. */
async function hold(agent: Agent, count: number): Promise<Process> {
  const client = await startProcess('./node-client.ts', ['qiway']);
  const answer = await client.ask({ hold: count, url: agent.url });
  if (isRecord(answer) && 'outcome' in answer) return client;
  throw new Error(`sessions: ${isRecord(answer) ? String(answer['failure']) : 'no answer'}`);
}

/** Heap of the agent once it has no more sockets than these, KiB. */
async function whenSockets(agent: Agent, most: number): Promise<number> {
  const deadline = performance.now() + LONGEST_MS;
  for (;;) {
    const { sockets, heapKib } = await agent.process.memory();
    if (sockets <= most) return heapKib;
    if (performance.now() > deadline) throw new Error(`the agent still has ${sockets} sockets, not ${most}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

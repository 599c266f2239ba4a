// The two kinds of client: a Node process per side, and one page in a bare Chromium.
import { openPage, type Page } from './chromium.ts';
import { isPageSide, isWebSide, type SideName } from './echo-client.ts';
import type { Job, Outcome } from './measures.ts';
import type { ClientName } from './options.ts';
import { isRecord, type Process, startProcess } from './processes.ts';
import { profileArguments } from './side.ts';

export interface Client {
  readonly name: ClientName;
  canDial(side: SideName): boolean;
  run(side: SideName, job: Job): Promise<Outcome>;
  /** Opens so many more idle sessions and keeps them; 0 closes them all. Only where memory is measured. */
  hold?(side: SideName, hold: number, url: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startNodeClient(sides: readonly SideName[], profile: string | undefined): Promise<Client> {
  const started = await Promise.all(
    sides.map(async (side) => {
      const nodeArguments = profileArguments(profile, `${side}-client`);
      return [side, await startProcess('./node-client.ts', [side], { nodeArguments })] as const;
    }),
  );
  const processes = new Map<SideName, Process>(started);
  const ask = async (side: SideName, request: object): Promise<unknown> => {
    const answer = await processes.get(side)?.ask(request);
    if (isRecord(answer) && 'outcome' in answer) return answer['outcome'];
    throw new Error(`${side} from Node: ${isRecord(answer) ? String(answer['failure']) : 'no client'}`);
  };
  return {
    name: 'node',
    canDial: (side) => !isPageSide(side),
    run: async (side, job) => (await ask(side, { job })) as Outcome,
    hold: async (side, hold, url) => {
      await ask(side, { hold, url });
    },
    stop: async () => {
      for (const process of processes.values()) await process.stop();
    },
  };
}

export function pageClient(page: Page): Client {
  return {
    name: 'chromium',
    canDial: isWebSide,
    run: async (side, job) => {
      const answer = await page.run(side, job);
      if (isRecord(answer) && 'outcome' in answer) return answer['outcome'] as Outcome;
      throw new Error(`${side} from Chromium: ${isRecord(answer) ? String(answer['failure']) : 'no answer'}`);
    },
    stop: () => page.stop(),
  };
}

export { openPage };

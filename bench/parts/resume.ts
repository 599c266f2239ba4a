// The link is cut by a TCP proxy: how long until a call is answered again, at the same address, beside what it takes to dial
// anew through the same proxy and get an answer. Kinds take turns.
import { spread } from '../figures.ts';
import { isRecord, type Process, startProcess } from '../processes.ts';
import { startSide, stopSide } from '../sides.ts';
import type { ProxyPorts } from './cutting-proxy.ts';
import { makePartRow, type Part, type PartOptions, type PartRow } from './part.ts';

const KINDS = ['plain', 'handshake', 'handshake-sealed', 'qiway', 'qiway-sealed'] as const;
type Kind = (typeof KINDS)[number];
type Times = Readonly<Record<Kind, number[]>>;

/** One cut for so many milliseconds of a measurement. */
const MS_PER_CUT = 25;

export const resume: Part = { name: 'resume', run };

async function run({ rounds, runMs }: PartOptions): Promise<readonly PartRow[]> {
  const options = { origin: undefined, profile: undefined };
  const sides = [
    await startSide('raw-2hop', options),
    await startSide('qiway', options),
    await startSide('qiway-sealed', options),
  ] as const;
  const gateways = [
    await startProcess('./parts/handshake-echo.ts'),
    await startProcess('./parts/handshake-echo.ts', ['--seal']),
  ] as const;
  const urls: Readonly<Record<Kind, string>> = {
    plain: sides[0].url,
    handshake: gateways[0].url,
    'handshake-sealed': gateways[1].url,
    qiway: sides[1].url,
    'qiway-sealed': sides[2].url,
  };
  const proxy = await startProcess(
    './parts/cutting-proxy.ts',
    KINDS.map((kind) => new URL(urls[kind]).port),
  );
  const ports = JSON.parse(proxy.url) as ProxyPorts[];
  const clients: (readonly [Kind, Process])[] = [];
  const medians: Times = { plain: [], handshake: [], 'handshake-sealed': [], qiway: [], 'qiway-sealed': [] };
  try {
    for (const [index, kind] of KINDS.entries()) {
      const { port, control } = ports[index] as ProxyPorts;
      const args = [kind.replace('-sealed', ''), urls[kind], String(port), String(control)];
      clients.push([kind, await startProcess('./parts/resume-client.ts', args)]);
    }
    for (const [, client] of clients) await cut(client, 2); // what is loaded and compiled once is not measured
    const cuts = Math.max(1, Math.round(runMs / MS_PER_CUT));
    for (let round = 0; round < rounds; round += 1) await oneRound(clients, medians, cuts);
  } finally {
    for (const [, client] of clients) await client.stop();
    await proxy.stop();
    for (const gateway of gateways) await gateway.stop();
    for (const side of sides) await stopSide(side);
  }
  return rowsOf(medians);
}

/** By turns, each cut beside the others. */
async function oneRound(clients: readonly (readonly [Kind, Process])[], medians: Times, cuts: number): Promise<void> {
  const times: Times = { plain: [], handshake: [], 'handshake-sealed': [], qiway: [], 'qiway-sealed': [] };
  for (let count = 0; count < cuts; count += 1)
    for (const [kind, client] of clients) times[kind].push(...(await cut(client, 1)));
  for (const kind of KINDS) medians[kind].push(spread(times[kind]).median);
}

async function cut(client: Process, cuts: number): Promise<number[]> {
  const answer = await client.ask({ cuts });
  if (isRecord(answer) && Array.isArray(answer['times'])) return answer['times'] as number[];
  throw new Error(`after a cut: ${isRecord(answer) ? String(answer['failure']) : 'no answer'}`);
}

function rowsOf(times: Times): PartRow[] {
  const row = (title: string, kind: Kind, base?: Kind, atMost?: number): PartRow =>
    makePartRow(title, {
      unit: 'ms',
      samples: times[kind],
      ...(base !== undefined && { base: { name: base, samples: times[base] } }),
      ...(atMost !== undefined && { atMost }),
    });
  return [
    row('plain: a bare WebSocket dialled again, one round trip through raw-2hop', 'plain'),
    row('handshake: a bare WebSocket, the handshake, one round trip', 'handshake', 'plain'),
    row('handshake-sealed: the same, sealed', 'handshake-sealed', 'plain'),
    row('link cut, first call answered', 'qiway', 'plain'),
    row('link cut, first call answered', 'qiway', 'handshake', 1.2),
    row('sealed link cut, first call answered', 'qiway-sealed', 'handshake-sealed', 1.2),
  ];
}

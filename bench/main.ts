// npm run bench: all sides beside each other, in interleaved rounds, from Node and from Chromium; then what needs processes
// of its own: cuts, fairness, idle sessions.
// Prints a table of medians with quartiles and ratios to raw-2hop, and writes every sample as JSON.
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { type Client, openPage, pageClient, startNodeClient } from './clients.ts';
import { isWebSide, type SideName } from './echo-client.ts';
import { MEASURES, type Measure } from './measures.ts';
import { type BenchOptions, HELP, isWanted, readOptions } from './options.ts';
import { makePartTable, type PartRow } from './parts/part.ts';
import { PARTS } from './parts/parts.ts';
import { makeRows, makeTable, type RowKind, type Sample } from './report.ts';
import type { Side } from './side.ts';
import { startSide, stopSide } from './sides.ts';

/** Idle sessions held for the memory figure. */
const IDLE_SESSIONS = 200;
/** What CPU time is given of, during which measure, and per how many operations. */
const CPU_ROWS: readonly {
  readonly name: string;
  readonly during: string;
  readonly per: number;
  readonly withService: boolean;
}[] = [
  { name: 'cpu', during: 'rpc-64', per: 10_000, withService: false },
  { name: 'cpu-both', during: 'rpc-64', per: 10_000, withService: true },
  { name: 'cpu-down', during: 'down-1m', per: 1000, withService: false },
];
const DERIVED: readonly RowKind[] = [
  { name: 'cpu', title: 'gateway CPU per 10,000 calls, 64 in flight', unit: 's' },
  { name: 'cpu-both', title: 'gateway and service CPU per 10,000 calls, 64 in flight', unit: 's' },
  { name: 'cpu-down', title: 'gateway CPU per 1,000 MiB down', unit: 's' },
  { name: 'memory', title: 'gateway memory per idle session', unit: 'KiB' },
];

async function measure(
  side: Side,
  client: Client,
  kind: Measure,
  { options, round }: { options: BenchOptions; round: number },
): Promise<Sample[]> {
  const before = await cpuSeconds(side);
  const job = { measure: kind.name, url: side.url, warmUpMs: options.runMs / 2, runMs: options.runMs };
  const { value, operations } = await client.run(side.name, job);
  const after = await cpuSeconds(side);
  const sample = (name: string, figure: number): Sample => ({
    client: client.name,
    measure: name,
    side: side.name,
    round,
    value: figure,
  });
  const cpu = CPU_ROWS.filter(({ during }) => during === kind.name).map(({ name, per, withService }) => {
    const seconds = after.gateway - before.gateway + (withService ? after.service - before.service : 0);
    return sample(name, (seconds * per) / operations);
  });
  return [sample(kind.name, value), ...cpu];
}

async function cpuSeconds({ gateway, service }: Side): Promise<{ gateway: number; service: number }> {
  const [one, other] = await Promise.all([gateway.usage(), service.usage()]);
  return { gateway: one.cpuMs / 1000, service: other.cpuMs / 1000 };
}

async function memory(side: Side, client: Client, round: number): Promise<Sample[]> {
  if (client.hold === undefined) return [];
  // The first ones pay for tables and pools that are made once; the next ones show what each costs.
  await client.hold(side.name, IDLE_SESSIONS / 2, side.url);
  const before = await side.gateway.memory();
  await client.hold(side.name, IDLE_SESSIONS, side.url);
  const after = await side.gateway.memory();
  await client.hold(side.name, 0, side.url);
  return [
    {
      client: client.name,
      measure: 'memory',
      side: side.name,
      round,
      value: (after.heapKib - before.heapKib) / IDLE_SESSIONS,
    },
  ];
}

/** Another order each round, so that nobody is always behind the same neighbour. */
function rotate<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

async function runRounds(sides: readonly Side[], clients: readonly Client[], options: BenchOptions): Promise<Sample[]> {
  const wanted = (name: string): boolean => isWanted(options, name);
  const samples: Sample[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const start = performance.now();
    for (const client of clients) {
      const mine = rotate(
        sides.filter(({ name }) => client.canDial(name)),
        round,
      );
      for (const kind of MEASURES.filter(({ name }) => wanted(name))) {
        for (const side of mine) samples.push(...(await measure(side, client, kind, { options, round })));
      }
      if (wanted('memory')) {
        for (const side of mine) samples.push(...(await memory(side, client, round)));
      }
    }
    process.stderr.write(
      `round ${round + 1} of ${options.rounds}: ${Math.round((performance.now() - start) / 1000)} s\n`,
    );
  }
  return samples;
}

async function startClients(
  names: readonly SideName[],
  options: BenchOptions,
): Promise<{ clients: Client[]; origin: string | undefined }> {
  const clients: Client[] = [];
  let origin: string | undefined;
  if (options.client !== 'chromium') clients.push(await startNodeClient(names, options.profile));
  if (options.client !== 'node' && names.some(isWebSide)) {
    const page = await openPage({ isIsolated: !names.includes('qiway-worker') });
    origin = page.origin;
    clients.push(pageClient(page));
  }
  return { clients, origin };
}

/** The sides beside each other, as far as anything of them is wanted. */
async function runSides(options: BenchOptions): Promise<Sample[]> {
  if (![...MEASURES, { name: 'memory' }].some(({ name }) => isWanted(options, name))) return [];
  const { clients, origin } = await startClients(options.sides, options);
  const sides: Side[] = [];
  try {
    for (const name of options.sides) sides.push(await startSide(name, { origin, profile: options.profile }));
    return await runRounds(sides, clients, options);
  } finally {
    for (const client of clients) await client.stop();
    for (const side of sides) await stopSide(side);
  }
}

/** One after the other; they have no sides, and no page. */
async function runParts(options: BenchOptions): Promise<PartRow[]> {
  const rows: PartRow[] = [];
  for (const part of PARTS.filter(({ name }) => options.client !== 'chromium' && isWanted(options, name))) {
    const start = performance.now();
    rows.push(...(await part.run(options)));
    process.stderr.write(`${part.name}: ${Math.round((performance.now() - start) / 1000)} s\n`);
  }
  return rows;
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(`${HELP}\n`);
    return;
  }
  const samples = await runSides(options);
  const rows = makeRows(samples, [...MEASURES, ...DERIVED]);
  const parts = await runParts(options);
  const machine = {
    node: process.version,
    cpus: cpus().length,
    cpu: cpus()[0]?.model ?? '',
    date: new Date().toISOString(),
  };
  await mkdir(dirname(options.out), { recursive: true });
  await writeFile(
    options.out,
    `${JSON.stringify({ machine, rounds: options.rounds, runMs: options.runMs, rows, samples, parts }, null, 1)}\n`,
  );
  if (rows.length > 0)
    process.stdout.write(`${makeTable(rows)}\n\nmedian (quartiles) = ratio to raw-2hop, taken within each round\n`);
  if (parts.length > 0) process.stdout.write(`${makePartTable(parts)}\n\nmedian (quartiles) over rounds\n`);
  process.stdout.write(`all samples: ${options.out}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

// The bench's command line. Pure.
import { parseArgs } from 'node:util';
import { SIDES, type SideName } from './echo-client.ts';

export const HELP: string = `npm run bench -- [options]

  --quick           two short rounds: does it run, roughly how fast
  --rounds N        rounds, interleaved between all sides (default 5)
  --run-ms N        length of one measurement (default 500; warm-up is half of it)
  --only A,B        only measures and parts whose name contains one of these; with node or chromium only that client.
                    Parts, from Node: resume (a link that is cut), fairness (small calls beside large bodies, and beside
                    clients that stopped reading), sessions (memory of idle ones)
  --sides A,B       only these sides: ${SIDES.join(', ')}
  --out FILE        where the figures go as JSON (default bench/dist/results.json)
  --profile FOLDER  CPU profiles of gateways, services and Node clients as well (the figures suffer)
  --help            this`;

const CLIENTS = ['node', 'chromium'] as const;
export type ClientName = (typeof CLIENTS)[number];

export interface BenchOptions {
  readonly rounds: number;
  readonly runMs: number;
  /** Words of which a measure's name must contain one; none: all. */
  readonly measures: readonly string[];
  /** The one client to measure from; undefined: both. */
  readonly client: ClientName | undefined;
  readonly sides: readonly SideName[];
  readonly out: string;
  readonly profile: string | undefined;
  readonly help: boolean;
}

/** Is a measure or part of this name to be run? */
export function isWanted({ measures }: Pick<BenchOptions, 'measures'>, name: string): boolean {
  return measures.length === 0 || measures.some((word) => name.includes(word));
}

/** @throws Error with a sentence for the user */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      'run-ms': { type: 'string' },
      only: { type: 'string' },
      sides: { type: 'string' },
      out: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const sides = split(values.sides).map((name) => {
    const side = SIDES.find((candidate) => candidate === name);
    if (side === undefined) throw new Error(`--sides knows ${SIDES.join(', ')}, not ${name}`);
    return side;
  });
  const only = split(values.only);
  const clients = CLIENTS.filter((name) => only.includes(name));
  return {
    rounds: positive('--rounds', values.rounds, values.quick ? 2 : 5),
    runMs: positive('--run-ms', values['run-ms'], values.quick ? 200 : 500),
    measures: only.filter((word) => !isClient(word)),
    client: clients.length === 1 ? clients[0] : undefined,
    sides: sides.length === 0 ? SIDES : sides,
    out: values.out ?? 'bench/dist/results.json',
    profile: values.profile,
    help: values.help,
  };
}

function isClient(word: string): boolean {
  return CLIENTS.some((name) => name === word);
}

function split(list: string | undefined): string[] {
  return (list ?? '').split(',').filter((item) => item !== '');
}

function positive(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} takes a whole number from 1, not ${text}`);
  return value;
}

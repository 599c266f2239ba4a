// The command line of the simulated robot: what can be said, checked before anything starts. Pure.
import { parseArgs } from 'node:util';
import { parseEndpoint } from '@qiway/robot-agent/qi';

export const HELP = `The simulated robot: a robot to develop against, in a process of its own, with services on a qi bus.

Usage: node simulated-robot/main.ts [options]

  --bus URL         join the service directory at URL, and wait for it if it is not there
                    (default tcp://127.0.0.1:9559)
  --bus-listen URL  be the service directory itself and listen at URL, as a robot does;
                    port 0 takes any free one
  --charge PERCENT  charge of the battery at the start, 1 to 100 (default 87)
  --help            this text

Prints one line when its services are registered. SIGTERM and SIGINT end it.
`;

export interface Options {
  readonly bus: { readonly kind: 'join' | 'listen'; readonly url: string };
  /** Percent. */
  readonly charge: number;
}

/** What the command line asks for: to run, to be helped, or something that cannot be done. */
export type Asked =
  | { readonly kind: 'run'; readonly options: Options }
  | { readonly kind: 'help' }
  | { readonly kind: 'refused'; readonly sentence: string };

const DEFAULT_BUS = 'tcp://127.0.0.1:9559';
const DEFAULT_CHARGE = 87;

export function readOptions(args: readonly string[]): Asked {
  try {
    return read(args);
  } catch (error) {
    return { kind: 'refused', sentence: error instanceof Error ? error.message : String(error) };
  }
}

function read(args: readonly string[]): Asked {
  const { values } = parseArgs({
    args: [...args],
    options: {
      bus: { type: 'string' },
      'bus-listen': { type: 'string' },
      charge: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) return { kind: 'help' };
  const { bus, charge: chargeText, 'bus-listen': listen } = values;
  if (bus !== undefined && listen !== undefined) {
    throw new Error('--bus joins a directory and --bus-listen is one: give one of them.');
  }
  const charge = chargeText === undefined ? DEFAULT_CHARGE : Number(chargeText);
  if (!(Number.isInteger(charge) && charge >= 1 && charge <= 100)) {
    throw new Error(`--charge must be a whole number from 1 to 100, not "${chargeText}".`);
  }
  const url = listen ?? bus ?? DEFAULT_BUS;
  const kind = listen === undefined ? 'join' : 'listen';
  try {
    parseEndpoint(url, kind === 'join' ? 'dial' : 'listen');
  } catch (error) {
    throw new Error(`--${kind === 'join' ? 'bus' : 'bus-listen'}: ${error instanceof Error ? error.message : ''}`);
  }
  return { kind: 'run', options: { bus: { kind, url }, charge } };
}

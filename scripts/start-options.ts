// The command line of `npm start`: its own options turned into the agent's, and failures told in its own words. Tooling; pure.
import { parseArgs } from 'node:util';
import { isQiwayError, sentenceOf } from '@qiway/protocol/errors';

export const HELP = `Usage: npm start -- [--port N] [--host H] [--bus tcp://HOST:9559] [--tls self] [options of qiway-agent]

Starts the robot console and prints its URL. Without --bus a simulated robot is started, a process of its own on a real
qi bus.

  --port N   where the console is served (default 8080; 0: any free port)
  --host H   at which address (default 127.0.0.1: this machine only; another one also needs --tls or --insecure-listen)
  --bus URL  offer the services of this robot in place of the simulated one, such as tcp://nao.local:9559
  --tls self serve https as well, so that the console works offline and can be installed; devices are taught to trust the
             robot at /install. Or with a certificate that you have: cert=FILE,key=FILE, dir=DIR
  --qi-listen URL
             let qi programs (C++, Python, qicli) in there, with the token as auth_token: tcp://127.0.0.1:9600
  --help     this; the agent's own options: npx qiway-agent --help
`;

export interface StartOptions {
  /** For the agent. */
  readonly args: readonly string[];
  /** Where the console is asked for, as the agent writes it. */
  readonly address: string;
  /** A real robot's bus is joined. */
  readonly isReal: boolean;
}

/** @throws Error with a sentence that names the option */
export function startOptions(given: readonly string[]): StartOptions {
  const { host = '127.0.0.1', port = '8080', rest } = ownOptions(given);
  const isGiven = (name: string): boolean => rest.some((arg) => arg === name || arg.startsWith(`${name}=`));
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const isReal = isGiven('--bus');
  const args = [
    ...(isGiven('--listen') ? [] : ['--listen', address]),
    // A port of its own: a real robot's software, or another checkout, may have 9559.
    ...(isReal || isGiven('--bus-listen') ? [] : ['--bus-listen', 'tcp://127.0.0.1:0']),
    ...(isGiven('--log') ? [] : ['--log', 'warn']),
    ...rest,
  ];
  return { args, address, isReal };
}

/** `--port` and `--host` are of `npm start`; everything else is the agent's. */
function ownOptions(given: readonly string[]): { host?: string; port?: string; rest: string[] } {
  const { values, tokens } = parseArgs({
    args: [...given],
    options: { port: { type: 'string' }, host: { type: 'string' } },
    strict: false,
    tokens: true,
  });
  const own = new Set<number>();
  for (const token of tokens) {
    if (token.kind !== 'option' || (token.name !== 'port' && token.name !== 'host')) continue;
    own.add(token.index);
    if (token.inlineValue === false) own.add(token.index + 1);
  }
  const { port, host } = values;
  const rest = given.filter((_, index) => !own.has(index));
  if (port !== undefined && (typeof port !== 'string' || !/^\d{1,5}$/.test(port) || Number(port) > 65_535))
    throw new Error(
      `--port must be a number from 0 to 65535${typeof port === 'string' ? `, not "${port}"` : ', such as 8080'}.`,
    );
  if (host !== undefined && (typeof host !== 'string' || host === ''))
    throw new Error('--host needs an address, such as 127.0.0.1.');
  return { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }), rest };
}

/** A failure to start, in the words of this command line. */
export function startFailure(error: unknown, address: string | undefined): string {
  if (!isQiwayError(error)) return error instanceof Error ? error.message : String(error);
  const sentence = sentenceOf(error);
  if (address === undefined) return sentence;
  const host = address.slice(0, address.lastIndexOf(':'));
  return sentence
    .replace(`--listen ${address}`, `--host ${host}`)
    .replace(
      'choose another with --listen, or port 0 for any free one',
      'choose another with --port, 0 for any free one',
    )
    .replace('give each its own --listen and --state', 'open the URL that it printed, or choose another --port')
    .replace(/^The agent cannot listen/, 'The console cannot be served');
}

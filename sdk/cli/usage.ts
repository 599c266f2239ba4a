// What the command line takes: commands, options, help texts; and reading of arguments. Command line; pure.
import { parseArgs } from 'node:util';
import { VERSION } from '../version.ts';

export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** Wrong use: the sentence is for the user, the exit code is 2. */
export class UsageError extends Error {}

export type CommandName = 'info' | 'call' | 'watch' | 'get' | 'set' | 'types' | 'doctor' | 'init';

interface CommandText {
  /** As shown in the help. */
  readonly arguments: string;
  /** How many arguments it takes. */
  readonly least: number;
  readonly most: number;
  readonly summary: string;
  readonly details: string;
}

const COMMANDS: Readonly<Record<CommandName, CommandText>> = {
  info: {
    arguments: '[Service]',
    least: 0,
    most: 1,
    summary: 'list the services, or one service with its methods, properties and signals',
    details:
      '--all shows hidden services and members (names beginning with _) and those that every object has.\n--json prints one JSON document.',
  },
  call: {
    arguments: 'Service.method [json…]',
    least: 1,
    most: Number.POSITIVE_INFINITY,
    summary: 'call a method and print its result as JSON',
    details:
      'Each argument is JSON; a bare word that is not JSON is a string. A full name picks an overload: Service.method::(is).\nRaw bytes are base64 text. --out FILE writes a raw result to a file as it is. Ctrl-C cancels the call on the robot.\n--json prints the result on one line.',
  },
  watch: {
    arguments: 'Service.signal',
    least: 1,
    most: 1,
    summary: 'print every event of a signal, or value of a property, as one line of JSON',
    details: '--count N ends after N events. Ctrl-C unsubscribes and ends.',
  },
  get: {
    arguments: 'Service.property',
    least: 1,
    most: 1,
    summary: 'print the value of a property as JSON',
    details: '--json prints it on one line.',
  },
  set: {
    arguments: 'Service.property json',
    least: 2,
    most: 2,
    summary: 'set a property',
    details: 'The value is JSON; a bare word that is not JSON is a string.',
  },
  types: {
    arguments: '',
    least: 0,
    most: 0,
    summary: 'write a TypeScript interface file of the live robot: qiway types > robot.d.ts',
    details:
      'Then: import type { Services } from "./robot"; const robot = await connect<Services>(url).\n--all takes in hidden services and members (names beginning with _). --out FILE writes to a file.',
  },
  doctor: {
    arguments: '',
    least: 0,
    most: 0,
    summary: 'check step by step whether the robot can be used, and say what to do',
    details: '--json prints the steps as JSON.',
  },
  init: {
    arguments: 'DIR',
    least: 1,
    most: 1,
    summary: 'copy the ready service worker and SharedWorker into the folder of files that a web app serves',
    details:
      'Writes qiway-sw.js (the robot at /robot/ of the app) and qiway-worker.js (one link for all tabs) into DIR, over older ones; makes DIR where it is missing.\nNeeds no robot. An app with a service worker of its own imports @qiway/sdk/sw in place of the first.',
  },
};

export interface Invocation {
  readonly command: CommandName;
  readonly args: readonly string[];
  readonly url: string | undefined;
  readonly timeoutMs: number;
  readonly json: boolean;
  readonly all: boolean;
  readonly out: string | undefined;
  readonly count: number | undefined;
}

const OPTIONS_HELP = `Options
  --url URL          the agent's URL with its token, as it printed it: http://127.0.0.1:8080/#token=… (or QIWAY_URL)
  --timeout SECONDS  longest wait for an answer (default 30; 0: no limit)
  --json             output for programs
  --help             this; with a command, what the command does and its own options
  --version          the version

Exit code 0: done. 1: it failed, the reason is on standard error. 2: wrong use.`;

const OWN_OPTIONS_HELP = `Options of commands
  --all              info, types: hidden services and members, too
  --out FILE         call: write a raw result to a file as it is; types: write to a file
  --count N          watch: end after N events`;

/** The help of the program, or of one command. */
export function helpText(command?: CommandName): string {
  if (command !== undefined) {
    const { arguments: takes, summary, details } = COMMANDS[command];
    return `qiway [--url URL] ${command} ${takes}`.trimEnd().concat(`\n\n${summary}.\n${details}\n\n${OPTIONS_HELP}\n`);
  }
  const left = commandNames().map((name) => `  ${name} ${COMMANDS[name].arguments}`.trimEnd());
  const width = Math.max(...left.map((text) => text.length)) + 2;
  const lines = commandNames().map((name, index) => `${(left[index] ?? '').padEnd(width)}${COMMANDS[name].summary}`);
  return `qiway [--url URL] <command> [arguments]\n\nThe services of a robot, from the command line.\n\nCommands\n${lines.join('\n')}\n\n${OWN_OPTIONS_HELP}\n\n${OPTIONS_HELP}\n`;
}

function commandNames(): CommandName[] {
  return Object.keys(COMMANDS) as CommandName[];
}

/** What is to be printed, and nothing else done; or what is to be done. */
export type Reading = { readonly print: string } | Invocation;

/** Longest `--timeout`: what timers can count. */
const MAX_TIMEOUT_SECONDS = 2_000_000;

/** @throws UsageError */
export function readArguments(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Reading {
  const { values, positionals } = parse(argv);
  const [name, ...args] = positionals;
  const command = commandNames().find((candidate) => candidate === name);
  if (values.help === true) return { print: helpText(command) };
  if (values.version === true) return { print: `${VERSION}\n` };
  if (name === undefined) throw new UsageError('a command is missing: qiway --help lists them');
  if (command === undefined) throw new UsageError(`there is no command ${name}: ${commandNames().join(', ')}`);
  const { least, most, arguments: takes } = COMMANDS[command];
  if (args.length < least || args.length > most) throw new UsageError(`usage: qiway ${command} ${takes}`.trimEnd());
  return {
    command,
    args,
    url: values.url ?? (environment['QIWAY_URL'] === '' ? undefined : environment['QIWAY_URL']),
    timeoutMs:
      1000 * numberOption('--timeout', values.timeout ?? '30', { least: 0, most: MAX_TIMEOUT_SECONDS, isWhole: false }),
    json: values.json === true,
    all: values.all === true,
    out: values.out,
    count:
      values.count === undefined
        ? undefined
        : numberOption('--count', values.count, { least: 1, most: Number.MAX_SAFE_INTEGER, isWhole: true }),
  };
}

const OPTIONS = {
  url: { type: 'string' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
  all: { type: 'boolean' },
  out: { type: 'string' },
  count: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;

/** Stands before negative numbers while options are read: `-0.5` is an argument, not an option. */
const GUARD = '\u0000';

function parse(argv: readonly string[]): {
  values: Partial<Record<'url' | 'timeout' | 'out' | 'count', string>> &
    Partial<Record<'json' | 'all' | 'help' | 'version', boolean>>;
  positionals: string[];
} {
  const unguard = (text: string): string => (text.startsWith(GUARD) ? text.slice(1) : text);
  try {
    const { values, positionals } = parseArgs({
      args: argv.map((word) => (/^-[\d.]/.test(word) ? GUARD + word : word)),
      options: OPTIONS,
      allowPositionals: true,
    });
    for (const key of ['url', 'timeout', 'out', 'count'] as const) {
      const value = values[key];
      if (value !== undefined) values[key] = unguard(value);
    }
    return { values, positionals: positionals.map(unguard) };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function numberOption(option: string, text: string, range: { least: number; most: number; isWhole: boolean }): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const fits = value >= range.least && value <= range.most && (!range.isWhole || Number.isInteger(value));
  if (!fits)
    throw new UsageError(
      `${option} takes ${range.isWhole ? 'a whole number' : 'a number'} from ${range.least}, not ${text}`,
    );
  return value;
}

/** `Service.member`, split at the first dot, so that a full name may hold dots in its signature. @throws UsageError */
export function splitMember(text: string): { readonly service: string; readonly member: string } {
  const at = text.indexOf('.');
  if (at <= 0 || at === text.length - 1) throw new UsageError(`${text} is not Service.member`);
  return { service: text.slice(0, at), member: text.slice(at + 1) };
}

/** An argument as it was typed: JSON, or a string where it does not look like JSON. @throws UsageError for JSON with a mistake in it */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!/^\s*[[{"]/.test(text)) return text;
    throw new UsageError(`the argument ${text} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

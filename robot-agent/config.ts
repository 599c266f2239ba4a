// The agent's configuration: command line, environment, file. Everything is checked here, and refused with a sentence that
// names the key. Knows no sockets and no files: how to read one is handed in.
import { parseArgs } from 'node:util';
import { asQiwayError, QiwayError, sentenceOf } from '@qiway/protocol/errors';
import { nearestNames, suggestion } from '@qiway/protocol/nearest-names';
import * as z from 'zod';
import { isLoopback, type ListenAddress, parseAddress } from './address.ts';
import { LOG_LEVELS, type LogLevel } from './logger.ts';
import { OPTIONS, optionNamed } from './options.ts';
import { parseEndpoint } from './qi/endpoints.ts';

export interface AgentConfig {
  /** The directory to join; without it the agent is the directory. */
  readonly bus: string | undefined;
  /** Where the agent's own directory listens. */
  readonly busListen: string;
  readonly listen: ListenAddress;
  readonly token: string;
  readonly allowOrigins: readonly string[];
  readonly allowHosts: readonly string[];
  /** Directory of a web app to serve. */
  readonly web: string | undefined;
  readonly log: LogLevel;
}

export interface ConfigSources {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string;
  /** A fresh token: 256 bits of chance as base64url. */
  readonly newToken: () => string;
}

export type Invocation =
  | { readonly kind: 'run'; readonly config: AgentConfig }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' };

/** Flags win over the environment, the environment over the file. @throws `config-invalid` naming the key */
export function readConfig(sources: ConfigSources): Invocation {
  const flags = readFlags(sources.args);
  if (flags['help'] === true) return { kind: 'help' };
  if (flags['version'] === true) return { kind: 'version' };
  const { config: path, help: _help, version: _version, ...given } = flags;
  const file = typeof path === 'string' ? readFileKeys(path, sources.readFile) : {};
  const environment = sources.env['QIWAY_TOKEN'] === undefined ? {} : { token: sources.env['QIWAY_TOKEN'] };
  return { kind: 'run', config: check({ ...file, ...environment, ...given }, sources.newToken) };
}

type Given = Record<string, unknown>;

function refuse(key: string, sentence: string, cause?: unknown): never {
  throw new QiwayError('config-invalid', sentence, { data: { key }, cause });
}

function readFlags(args: readonly string[]): Given {
  const options = Object.fromEntries(
    OPTIONS.map(({ name, kind }) => [
      name,
      { type: kind === 'switch' ? ('boolean' as const) : ('string' as const), multiple: kind === 'list' },
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const given: Given = {};
  for (const token of tokens) {
    if (token.kind === 'positional')
      refuse(token.value, `"${token.value}" is not an option; options begin with --. See --help.`);
    if (token.kind !== 'option') continue;
    const option = optionNamed(token.name) ?? refuseUnknown(token.name, `There is no option ${token.rawName}.`, '--');
    const flag = `--${option.name}`;
    if (option.kind === 'switch') {
      if (token.value !== undefined) refuse(option.name, `${flag} takes no value.`);
      given[option.name] = true;
      continue;
    }
    const isMissing =
      token.value === undefined || token.value === '' || (token.value.startsWith('--') && !token.inlineValue);
    if (isMissing) refuse(option.name, `${flag} needs a value: ${flag} ${option.value}.`);
    if (option.kind === 'list')
      given[option.name] = [...((given[option.name] as string[] | undefined) ?? []), token.value];
    else if (option.name in given) refuse(option.name, `${flag} is given twice.`);
    else given[option.name] = token.value;
  }
  return given;
}

function refuseUnknown(name: string, sentence: string, prefix: string): never {
  const nearest = nearestNames(
    name,
    OPTIONS.map((option) => option.name),
  ).map((known) => prefix + known);
  return refuse(name, `${sentence}${suggestion(nearest)} See --help.`);
}

function readFileKeys(path: string, readFile: (path: string) => string): Given {
  let text: string;
  try {
    text = readFile(path);
  } catch (cause) {
    return refuse(
      'config',
      `--config ${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
      cause,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    return refuse(
      'config',
      `--config ${path} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}.`,
      cause,
    );
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    refuse('config', `--config ${path} must hold a JSON object.`);
  for (const key of Object.keys(json)) {
    const option = optionNamed(key);
    if (option === undefined || !option.isInFile) refuseUnknown(key, `${path} has an unknown key "${key}".`, '');
  }
  return json as Given;
}

const busUrl = (use: 'dial' | 'listen'): z.ZodType<string> =>
  z.string().check((context) => {
    try {
      parseEndpoint(context.value, use);
    } catch (error) {
      context.issues.push({ code: 'custom', input: context.value, message: whyNoEndpoint(asQiwayError(error)) });
    }
  });
const host = z.string().regex(/^[a-z0-9._:-]+$/i, 'must be a host name or an IP address, without scheme and port');

const schema = z.strictObject({
  bus: z.optional(busUrl('dial')),
  'bus-listen': z.optional(busUrl('listen')),
  listen: z._default(
    z
      .string()
      .refine(
        (text) => parseAddress(text) !== undefined,
        'must be HOST:PORT, such as 127.0.0.1:8080 (port 0: any free one)',
      ),
    '127.0.0.1:8080',
  ),
  // RFC 6750: what an Authorization header can hold.
  token: z.optional(
    z
      .string()
      .regex(/^[\w.~+/-]+=*$/, 'must be letters, digits and -._~+/ only, since it travels in a URL and a header'),
  ),
  'allow-origin': z._default(
    z.array(z.string().refine(isOrigin, 'must be an origin as browsers write it, such as https://app.example')),
    [],
  ),
  'allow-host': z._default(z.array(host), []),
  web: z.optional(z.string().min(1)),
  log: z._default(z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`), 'info'),
  'insecure-listen': z._default(z.boolean(), false),
});

/** The reason alone: the option and its value stand before it already. */
function whyNoEndpoint(error: QiwayError): string {
  return sentenceOf(error)
    .replace(/^"[^"]*"( is not a qi URL)?: /, '')
    .replace(/\.$/, '');
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

function check(given: Given, newToken: () => string): AgentConfig {
  const result = schema.safeParse(given);
  if (!result.success) {
    const [issue] = result.error.issues;
    const key = String(issue?.path[0] ?? '');
    refuse(key, `--${key} ${JSON.stringify(given[key])}: ${issue?.message ?? 'is not acceptable'}.`);
  }
  const known = result.data;
  if (known.bus !== undefined && known['bus-listen'] !== undefined) {
    refuse('bus-listen', '--bus and --bus-listen exclude each other: the agent joins a directory, or is one.');
  }
  const listen = parseAddress(known.listen) as ListenAddress;
  const busListen = known['bus-listen'] ?? 'tcp://127.0.0.1:9559';
  const hosts = {
    listen: listen.host,
    ...(known.bus === undefined ? { 'bus-listen': parseEndpoint(busListen, 'listen').host } : {}),
  };
  for (const [key, name] of Object.entries(hosts)) {
    if (isLoopback(name) || known['insecure-listen']) continue;
    refuse(
      key,
      `--${key} ${key === 'listen' ? known.listen : busListen} is reachable from other computers, and nothing there is encrypted yet. Add --insecure-listen if that is what you want.`,
    );
  }
  return {
    bus: known.bus,
    busListen,
    listen,
    token: known.token ?? newToken(),
    allowOrigins: known['allow-origin'],
    allowHosts: known['allow-host'].map((name) => name.toLowerCase()),
    web: known.web,
    log: known.log,
  };
}

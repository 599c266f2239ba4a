// The agent's configuration: command line, environment, file. Everything is checked here, and refused with a sentence that
// names the key. Knows no sockets and no files: how to read one is handed in.
import { asQiwayError, type QiwayError, sentenceOf } from '@qiway/protocol/errors';
import { type ClassRule, readClassRule } from '@qiway/protocol/member-class';
import { isId } from '@qiway/protocol/secure/identity';
import * as z from 'zod';
import { isLoopback, type ListenAddress, parseAddress } from './address.ts';
import { type Given, readFileKeys, readFlags, refuse, whyUnreadable } from './given-options.ts';
import { LOG_LEVELS, type LogLevel } from './logger.ts';
import { parseEndpoint } from './qi/endpoints.ts';
import { readFingerprint } from './qi/tls-options.ts';
import { readServeTls, type ServeTls, TLS_FORMS } from './tls/serve-tls.ts';

export interface AgentConfig {
  /** The directory to join; without it the agent is the directory. */
  readonly bus: string | undefined;
  /** Where the agent's own directory listens. */
  readonly busListen: string;
  readonly listen: ListenAddress;
  readonly token: string;
  /** Nobody gave the token: the one that `state` keeps from an earlier start is as good. */
  readonly isTokenMade?: boolean;
  readonly allowOrigins: readonly string[];
  readonly allowHosts: readonly string[];
  /** Directory of a web app to serve. */
  readonly web: string | undefined;
  readonly log: LogLevel;
  /** File with what the agent shows to the bus; see `fileAuthenticator`. */
  readonly busCredentials?: string;
  /** Certificates of a tcps bus that are believed, `sha256:hex`. */
  readonly busFingerprints?: readonly string[];
  /** Where qi programs from outside come in: qi URLs. */
  readonly qiListen?: readonly string[];
  /** File with users who may come in there beside those who know the token; see `fileUsers`. */
  readonly qiCredentials?: string;
  /** Qi programs come in without credentials. */
  readonly isQiOpen?: boolean;
  /** Of qi ports. */
  readonly tls?: TlsFiles;
  /** The HTTP port speaks TLS, too. */
  readonly serveTls?: ServeTls;
  /** Where identity, token and journal are kept. Default: see `stateDirectory`. */
  readonly state?: string;
  /** The robot's name for people. Default: the computer's. */
  readonly name?: string;
  /** Announced on the local network. Default true; nothing is announced of an agent on loopback. */
  readonly isAnnounced?: boolean;
  /** Between signs of life. Default 1000. */
  readonly heartbeatMs?: number;
  /** How long a session is kept without a link. Default two minutes. */
  readonly keepSessionMs?: number;
  /** Beside the known ones of NAOqi: see protocol/member-class.ts. */
  readonly classes?: readonly ClassRule[];
  /** Ids of clients that may take a lease from another, or `anybody`. */
  readonly takeOver?: readonly string[];
  /** Links on loopback are encrypted too. */
  readonly isSealed?: boolean;
}

/** Contents of PEM files. */
export interface TlsFiles {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
  /** Where they are from. */
  readonly paths?: { readonly cert?: string; readonly key?: string; readonly ca?: string };
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
  return { kind: 'run', config: check({ ...file, ...environment, ...given }, sources) };
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
  'bus-credentials': z.optional(z.string().min(1)),
  'bus-fingerprint': z._default(
    z.array(
      z.string().refine(isFingerprint, 'must be sha256: and 64 hexadecimal digits, as the refusal or openssl shows it'),
    ),
    [],
  ),
  'qi-listen': z._default(z.array(busUrl('listen')), []),
  'qi-credentials': z.optional(z.string().min(1)),
  'qi-open': z._default(z.boolean(), false),
  tls: z.optional(z.string().refine((text) => readServeTls(text) !== undefined, TLS_FORMS)),
  'tls-cert': z.optional(z.string().min(1)),
  'tls-key': z.optional(z.string().min(1)),
  'tls-ca': z.optional(z.string().min(1)),
  state: z.optional(z.string().min(1)),
  name: z.optional(z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i, 'must be a host name without dots')),
  'no-mdns': z._default(z.boolean(), false),
  heartbeat: z.optional(wholeNumber(100, 60_000)),
  'keep-session': z.optional(wholeNumber(0, 86_400)),
  class: z._default(
    z.array(
      z
        .string()
        .refine(
          (text) => readClassRule(text) !== undefined,
          'must be PATTERN=CLASS, such as ALTextToSpeech.say=once; classes are idempotent, once, motion',
        ),
    ),
    [],
  ),
  'take-over': z._default(
    z.array(
      z
        .string()
        .refine(
          (text) => text === 'anybody' || isId(text),
          'must be the id of a client (52 letters and digits), or anybody',
        ),
    ),
    [],
  ),
  seal: z._default(z.boolean(), false),
});

/** From a flag or from a file. */
function wholeNumber(least: number, most: number): z.ZodType<number> {
  const message = `must be a whole number from ${least} to ${most}`;
  return z.coerce
    .number(message)
    .check(z.int(message), z.gte(least, message), z.lte(most, message)) as z.ZodType<number>;
}

/** The reason alone: the option and its value stand before it already. */
function whyNoEndpoint(error: QiwayError): string {
  return sentenceOf(error)
    .replace(/^"[^"]*"( is not a qi URL)?: /, '')
    .replace(/\.$/, '');
}

function isFingerprint(text: string): boolean {
  try {
    return readFingerprint(text) !== '';
  } catch {
    return false;
  }
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

type Known = z.infer<typeof schema>;

function check(given: Given, { newToken, readFile }: ConfigSources): AgentConfig {
  const result = schema.safeParse(given);
  if (!result.success) {
    const [issue] = result.error.issues;
    const key = String(issue?.path[0] ?? '');
    // In a list, the entry that is wrong.
    const value = issue?.path[1] === undefined ? given[key] : (given[key] as unknown[])[Number(issue.path[1])];
    refuse(key, `--${key} ${JSON.stringify(value)}: ${issue?.message ?? 'is not acceptable'}.`);
  }
  const known = result.data;
  if (known.bus !== undefined && known['bus-listen'] !== undefined) {
    refuse('bus-listen', '--bus and --bus-listen exclude each other: the agent joins a directory, or is one.');
  }
  const listen = parseAddress(known.listen) as ListenAddress;
  const busListen = known['bus-listen'] ?? 'tcp://127.0.0.1:9559';
  const qiListen = known['qi-listen'];
  checkReach(known, { listen, busListen });
  const serveTls = known.tls === undefined ? undefined : readServeTls(known.tls);
  checkTls(known, [known.bus ?? busListen, ...qiListen]);
  for (const key of ['qi-credentials', 'qi-open'] as const)
    if (qiListen.length === 0 && known[key] !== undefined && known[key] !== false)
      refuse(key, `--${key} is of use with --qi-listen only.`);
  if (known['qi-open'] && known['qi-credentials'] !== undefined)
    refuse('qi-open', '--qi-open and --qi-credentials exclude each other: nobody is asked, or everybody is.');
  return {
    bus: known.bus,
    busListen,
    listen,
    token: known.token ?? newToken(),
    ...(known.token === undefined ? { isTokenMade: true } : {}),
    allowOrigins: known['allow-origin'],
    allowHosts: known['allow-host'].map((name) => name.toLowerCase()),
    web: known.web,
    log: known.log,
    qiListen,
    isQiOpen: known['qi-open'],
    busFingerprints: known['bus-fingerprint'],
    tls: readTlsFiles(known, readFile),
    isAnnounced: !known['no-mdns'],
    classes: known.class.map((text) => readClassRule(text) as ClassRule),
    takeOver: known['take-over'],
    isSealed: known.seal,
    ...(serveTls === undefined ? {} : { serveTls }),
    ...(known.state === undefined ? {} : { state: known.state }),
    ...(known.name === undefined ? {} : { name: known.name }),
    ...(known.heartbeat === undefined ? {} : { heartbeatMs: known.heartbeat }),
    ...(known['keep-session'] === undefined ? {} : { keepSessionMs: known['keep-session'] * 1000 }),
    ...(known['bus-credentials'] === undefined ? {} : { busCredentials: known['bus-credentials'] }),
    ...(known['qi-credentials'] === undefined ? {} : { qiCredentials: known['qi-credentials'] }),
  };
}

/** What can be reached from other computers is encrypted, and lets nobody in unasked, unless the user insists. */
function checkReach(known: Known, { listen, busListen }: { listen: ListenAddress; busListen: string }): void {
  if (known['insecure-listen']) return;
  const ports = [
    { key: 'listen', url: known.listen, host: listen.host, isPlain: known.tls === undefined },
    ...(known.bus === undefined ? [{ key: 'bus-listen', url: busListen }] : []).map(qiPort),
    ...known['qi-listen'].map((url) => qiPort({ key: 'qi-listen', url })),
  ];
  for (const { key, url, host: name, isPlain } of ports) {
    if (isLoopback(name)) continue;
    if (isPlain) {
      const other = key === 'listen' ? ' Or serve TLS: --tls self.' : ' Or give a tcps:// URL and a certificate.';
      refuse(
        key,
        `--${key} ${url} is reachable from other computers, and nothing there is encrypted. Add --insecure-listen if that is what you want.${other}`,
      );
    }
    if (key === 'qi-listen' && known['qi-open'])
      refuse(
        'qi-open',
        `--qi-open lets everybody in at ${url}, which is reachable from other computers. Add --insecure-listen if that is what you want.`,
      );
  }
}

function qiPort({ key, url }: { key: string; url: string }): {
  key: string;
  url: string;
  host: string;
  isPlain: boolean;
} {
  return { key, url, host: parseEndpoint(url, 'listen').host, isPlain: /^tcp:/i.test(url) };
}

/** Files and URLs that need each other; whether the files hold what they should is looked at when they are used. */
function checkTls(known: Known, urls: readonly string[]): void {
  const { 'tls-cert': cert, 'tls-key': key, 'tls-ca': ca } = known;
  if (cert !== undefined && key === undefined) refuse('tls-key', '--tls-cert needs its private key: --tls-key FILE.');
  if (key !== undefined && cert === undefined) refuse('tls-cert', '--tls-key needs its certificate: --tls-cert FILE.');
  const isTls = (url: string | undefined): boolean => url !== undefined && /^tcpsm?:/i.test(url);
  const ports = urls.filter((url) => isTls(url) && url !== known.bus);
  if (ports.length > 0 && cert === undefined)
    refuse('tls-cert', `${ports[0]} needs a certificate: --tls-cert FILE and --tls-key FILE.`);
  const mutual = urls.find((url) => /^tcpsm:/i.test(url));
  if (mutual !== undefined && ca === undefined && mutual !== known.bus)
    refuse('tls-ca', `${mutual} asks clients for certificates: --tls-ca FILE says whose are believed.`);
  if (mutual !== undefined && cert === undefined)
    refuse('tls-cert', `${mutual} asks for a certificate of the agent: --tls-cert FILE and --tls-key FILE.`);
  if (known['bus-fingerprint'].length > 0 && !isTls(known.bus))
    refuse('bus-fingerprint', '--bus-fingerprint is of use with a tcps:// or tcpsm:// --bus only.');
  for (const option of ['tls-cert', 'tls-ca'] as const)
    if (known[option] !== undefined && !urls.some(isTls))
      refuse(option, `--${option} is of use with a tcps:// or tcpsm:// URL only, and none is given.`);
}

function readTlsFiles(known: Known, readFile: (path: string) => string): TlsFiles {
  const files: Record<string, string> = {};
  const paths: Record<string, string> = {};
  for (const part of ['cert', 'key', 'ca'] as const) {
    const path = known[`tls-${part}`];
    if (path === undefined) continue;
    try {
      files[part] = readFile(path);
      paths[part] = path;
    } catch (cause) {
      refuse(`tls-${part}`, `--tls-${part} ${path} cannot be read: ${whyUnreadable(cause)}.`, cause);
    }
  }
  return Object.keys(files).length === 0 ? files : { ...files, paths };
}

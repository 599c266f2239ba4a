// Bodies of control frames: small JSON objects, checked by hand because a schema library would weigh more in a page than
// the rest of the link (docs/decisions/0003). Layer 5. See docs/link-protocol.md section 4.
import { type ErrorRecord, QiwayError, reviveError } from '../errors.ts';
import type { ToldRule } from '../member-class.ts';
import { encodeText } from '../wire/bytes.ts';

/** The link protocol's version. */
export const PROTOCOL_VERSION = 2;
/** Of WebSockets that carry a link; holds the same version. */
export const SUBPROTOCOL = 'qiway.2';

export interface Hello {
  readonly protocol: number;
  /** Empty when a session is to be resumed: who it belongs to is known from the handshake. */
  readonly token: string;
  /** Program and version, for logs. */
  readonly client: string;
  /** From 1, one more with each hello of this client for this session. */
  readonly attempt: number;
  readonly resume?: Resume;
}

export interface Resume {
  readonly session: string;
  readonly epoch: string;
  /** Number of the last frame taken, and of the last given. */
  readonly received: number;
  readonly sent: number;
}

/** What an agent tells of itself at any time. */
export interface Told {
  /** Whether the agent has the robot's bus. */
  readonly bus: 'up' | 'down';
  readonly busReason?: string;
  /** Where the agent can be reached: URLs of links, the newest first. */
  readonly addresses?: readonly string[];
  /** What calls do. */
  readonly classes?: readonly ToldRule[];
}

export interface Welcome extends Told {
  readonly protocol: number;
  readonly session: string;
  /** New with every start of the agent. */
  readonly epoch: string;
  /** Number of the last frame that the agent has. */
  readonly received: number;
  readonly agent: { readonly name: string; readonly version: string };
  readonly heartbeatMs: number;
  readonly maxMessageBytes: number;
}

/** What an agent may ask for, ms: a browser's timers take no more than 2^31. */
const MIN_HEARTBEAT_MS = 50;
const MAX_HEARTBEAT_MS = 60_000;
/** A hello, which repeats session and epoch, has room for both. */
const MAX_ID_LENGTH = 200;
/** A robot has a few. */
const MAX_ADDRESSES = 32;

const decoder = new TextDecoder('utf-8', { fatal: true });

export function encodeControl(body: object): Uint8Array {
  return encodeText(JSON.stringify(body));
}

/** @throws `wire-invalid` */
export function readHello(body: Uint8Array): Hello {
  const hello = read(body, 'hello', { protocol: 0, client: '', attempt: 0 }) as Hello;
  const { protocol, token, client, attempt, resume } = hello;
  if (resume !== undefined) check({ resume }, { resume: { session: '', epoch: '', received: 0, sent: 0 } }, 'hello');
  return {
    protocol,
    token: typeof token === 'string' ? token : '',
    client: client.slice(0, 200),
    attempt,
    ...(resume === undefined ? {} : { resume }),
  };
}

/** @throws `wire-invalid` */
export function readWelcome(body: Uint8Array): Welcome {
  const welcome = read(body, 'welcome', {
    protocol: 0,
    session: '',
    epoch: '',
    received: 0,
    agent: { name: '', version: '' },
    bus: '',
    heartbeatMs: 0,
    maxMessageBytes: 0,
  }) as Welcome;
  for (const id of [welcome.session, welcome.epoch])
    if (id.length > MAX_ID_LENGTH)
      throw new QiwayError('wire-invalid', 'In welcome, an id is too long to be told again.');
  const heartbeatMs = Math.min(Math.max(MIN_HEARTBEAT_MS, welcome.heartbeatMs), MAX_HEARTBEAT_MS);
  // What is told of the agent is there only in its right form.
  const { busReason: _, addresses: __, classes: ___, ...rest } = welcome;
  return { ...rest, ...toldOf(welcome), heartbeatMs } as Welcome;
}

/** What changed. @throws `wire-invalid` */
export function readStatus(body: Uint8Array): Partial<Told> {
  const status = parse(body, 'status') as Partial<Told>;
  if (status.bus !== undefined) check(status as Record<string, unknown>, { bus: '' }, 'status');
  return toldOf(status);
}

/** What is there and of the right form; lists of anything else are left out. */
function toldOf({ bus, busReason, addresses, classes }: Partial<Told>): Partial<Told> {
  return {
    ...(bus !== undefined && { bus }),
    ...(typeof busReason === 'string' && { busReason }),
    ...(Array.isArray(addresses) && {
      addresses: addresses.filter((one) => typeof one === 'string').slice(0, MAX_ADDRESSES),
    }),
    ...(Array.isArray(classes) && { classes: classes.filter(isRule) }),
  };
}

function isRule(one: unknown): one is ToldRule {
  return Array.isArray(one) && one.length === 2 && one.every((text) => typeof text === 'string');
}

/** The error in a refuse or goodbye; undefined for a wanted end. @throws `wire-invalid` */
export function readErrorBody(body: Uint8Array): QiwayError | undefined {
  const value = parse(body, 'goodbye') as Partial<ErrorRecord>;
  if (value.code === undefined) return undefined;
  if (typeof value.code !== 'string' || typeof value.message !== 'string')
    throw new QiwayError('wire-invalid', 'A goodbye holds no readable error.');
  return reviveError(value as ErrorRecord);
}

/** The body, after a look at whether it holds what `shape` does, of the same types. */
function read(body: Uint8Array, where: string, shape: Shape): unknown {
  const value = parse(body, where);
  check(value, shape, where);
  return value;
}

interface Shape {
  readonly [key: string]: string | number | Shape;
}

function check(value: Readonly<Record<string, unknown>>, shape: Shape, where: string): void {
  for (const [key, like] of Object.entries(shape)) {
    const field = value[key];
    const expected = key === 'bus' ? 'up or down' : `a ${typeof like}`;
    if (typeof field !== typeof like || field === null || (key === 'bus' && field !== 'up' && field !== 'down'))
      throw new QiwayError('wire-invalid', `In ${where}, '${key}' must be ${expected}.`);
    if (typeof like === 'object') check(field as Record<string, unknown>, like, `${where}.${key}`);
  }
}

function parse(body: Uint8Array, where: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(body));
  } catch (cause) {
    throw new QiwayError('wire-invalid', `The ${where} frame is not JSON.`, { cause });
  }
  if (!isRecord(value)) throw new QiwayError('wire-invalid', `The ${where} frame is not a JSON object.`);
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

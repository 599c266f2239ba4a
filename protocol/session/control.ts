// Bodies of control frames: small JSON objects, checked by hand because a schema library would weigh more in a page than
// the rest of the link (docs/decisions/0003). Layer 5. See docs/link-protocol.md section 4.
import { type ErrorRecord, QiwayError, reviveError } from '../errors.ts';
import { encodeText } from '../wire/bytes.ts';

/** The link protocol's version. */
export const PROTOCOL_VERSION = 1;
/** Of WebSockets that carry a link; holds the same version. */
export const SUBPROTOCOL = 'qiway.1';

export interface Hello {
  readonly protocol: number;
  readonly token: string;
  /** Program and version, for logs. */
  readonly client: string;
  /** Gap and gone messages are understood. */
  readonly losses: boolean;
}

export interface Welcome {
  readonly protocol: number;
  readonly session: string;
  readonly epoch: string;
  readonly agent: { readonly name: string; readonly version: string };
  readonly bus: 'up' | 'down';
  readonly heartbeatMs: number;
  readonly maxMessageBytes: number;
  /** Gap and gone messages are understood, and sent. */
  readonly losses: boolean;
}

export interface StatusUpdate {
  readonly bus: 'up' | 'down';
  readonly reason?: string;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

export function encodeControl(body: object): Uint8Array {
  return encodeText(JSON.stringify(body));
}

/** @throws `wire-invalid` */
export function readHello(body: Uint8Array): Hello {
  const { protocol, token, client, losses } = read(body, 'hello', { protocol: 0, token: '', client: '' }) as Hello;
  return { protocol, token, client: client.slice(0, 200), losses: losses === true };
}

/** @throws `wire-invalid` */
export function readWelcome(body: Uint8Array): Welcome {
  const welcome = read(body, 'welcome', {
    protocol: 0,
    session: '',
    epoch: '',
    agent: { name: '', version: '' },
    bus: '',
    heartbeatMs: 0,
    maxMessageBytes: 0,
  }) as Welcome;
  return { ...welcome, heartbeatMs: Math.max(50, welcome.heartbeatMs), losses: welcome.losses === true };
}

/** @throws `wire-invalid` */
export function readStatus(body: Uint8Array): StatusUpdate {
  return read(body, 'status', { bus: '' }) as StatusUpdate;
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

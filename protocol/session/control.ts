// Bodies of control frames: small JSON objects, checked by hand because a schema library would weigh more in a page than
// the rest of the link (docs/decisions/0003). Layer 5. See docs/link-protocol.md section 4.
import { type ErrorRecord, QiwayError, reviveError } from '../errors.ts';

/** The link protocol's version. */
export const PROTOCOL_VERSION = 1;
/** Of WebSockets that carry a link; holds the same version. */
export const SUBPROTOCOL = 'qiway.1';

export interface Hello {
  readonly protocol: number;
  readonly token: string;
  /** Program and version, for logs. */
  readonly client: string;
  /** Gap messages are understood. */
  readonly gaps: boolean;
}

export interface Welcome {
  readonly protocol: number;
  readonly session: string;
  readonly epoch: string;
  readonly agent: { readonly name: string; readonly version: string };
  readonly bus: 'up' | 'down';
  readonly heartbeatMs: number;
  readonly maxMessageBytes: number;
  /** Gap messages are understood, and sent. */
  readonly gaps: boolean;
}

export interface StatusUpdate {
  readonly bus: 'up' | 'down';
  readonly reason?: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export function encodeControl(body: object): Uint8Array {
  return encoder.encode(JSON.stringify(body));
}

/** @throws `wire-invalid` */
export function readHello(body: Uint8Array): Hello {
  const fields = readFields(body, 'hello');
  return {
    protocol: fields.number('protocol'),
    token: fields.string('token'),
    client: fields.string('client').slice(0, 200),
    gaps: fields.flag('gaps'),
  };
}

/** @throws `wire-invalid` */
export function readWelcome(body: Uint8Array): Welcome {
  const fields = readFields(body, 'welcome');
  const agent = fields.object('agent');
  return {
    protocol: fields.number('protocol'),
    session: fields.string('session'),
    epoch: fields.string('epoch'),
    agent: { name: agent.string('name'), version: agent.string('version') },
    bus: fields.bus(),
    heartbeatMs: Math.max(50, fields.number('heartbeatMs')),
    maxMessageBytes: fields.number('maxMessageBytes'),
    gaps: fields.flag('gaps'),
  };
}

/** @throws `wire-invalid` */
export function readStatus(body: Uint8Array): StatusUpdate {
  return { bus: readFields(body, 'status').bus() };
}

/** The error in a refuse or goodbye; undefined for a wanted end. @throws `wire-invalid` */
export function readErrorBody(body: Uint8Array): QiwayError | undefined {
  const value = parse(body, 'goodbye') as Partial<ErrorRecord>;
  if (value.code === undefined) return undefined;
  if (typeof value.code !== 'string' || typeof value.message !== 'string')
    throw new QiwayError('wire-invalid', 'A goodbye holds no readable error.');
  return reviveError({
    name: 'QiwayError',
    code: value.code,
    message: value.message,
    data: value.data ?? {},
    maybeExecuted: value.maybeExecuted === true,
  });
}

class Fields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #where: string;

  constructor(values: Readonly<Record<string, unknown>>, where: string) {
    this.#values = values;
    this.#where = where;
  }

  string(key: string): string {
    const value = this.#values[key];
    return typeof value === 'string' ? value : this.#refuse(key, 'text');
  }

  number(key: string): number {
    const value = this.#values[key];
    return typeof value === 'number' && Number.isFinite(value) ? value : this.#refuse(key, 'a number');
  }

  object(key: string): Fields {
    const value = this.#values[key];
    return isRecord(value) ? new Fields(value, `${this.#where}.${key}`) : this.#refuse(key, 'an object');
  }

  /** Absent: no. */
  flag(key: string): boolean {
    return this.#values[key] === true;
  }

  bus(): 'up' | 'down' {
    const value = this.string('bus');
    return value === 'up' || value === 'down' ? value : this.#refuse('bus', 'up or down');
  }

  #refuse(key: string, expected: string): never {
    throw new QiwayError('wire-invalid', `In ${this.#where}, '${key}' must be ${expected}.`);
  }
}

function readFields(body: Uint8Array, where: string): Fields {
  return new Fields(parse(body, where), where);
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

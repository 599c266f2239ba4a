// The recorded traffic, read from the JSON files beside this one.
import { readdirSync, readFileSync } from 'node:fs';

export interface RecordedHeader {
  readonly id: number;
  readonly size: number;
  readonly version: number;
  readonly type: number;
  readonly flags: number;
  readonly service: number;
  readonly object: number;
  readonly action: number;
}

export interface RecordedMessage {
  readonly n: number;
  readonly conn: number;
  readonly dir: 'c2s' | 's2c';
  readonly header: RecordedHeader;
  readonly headerHex: string;
  readonly payloadHex: string;
  /** Absent where the recorder did not know it. */
  readonly signature?: string;
  readonly decoded?: unknown;
  /** Bytes behind the value. */
  readonly trailing?: number;
  /** Present when the payload is wrong on purpose. */
  readonly decodeError?: string;
  readonly note?: string;
}

export interface RecordedConnection {
  readonly conn: number;
  readonly server: string;
}

export interface Recording {
  readonly scenario: string;
  readonly connections: readonly RecordedConnection[];
  readonly messages: readonly RecordedMessage[];
}

/** One recording by its scenario, e.g. `handshake`. */
export function readRecording(scenario: string): Recording {
  const text = readFileSync(new URL(`./${scenario}.json`, import.meta.url), 'utf8');
  const recording = JSON.parse(text) as Recording;
  return { ...recording, messages: recording.messages.filter((message) => message.header !== undefined) };
}

/** Every recording. */
export function readRecordings(): Recording[] {
  const names = readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => readRecording(name.slice(0, -'.json'.length)));
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** What both sides of a connection announced as true in their first messages. */
export function sharedCapabilities(recording: Recording, conn: number): Set<string> {
  const announced = { c2s: new Set<string>(), s2c: new Set<string>() };
  for (const message of recording.messages) {
    if (message.conn !== conn || message.header.service !== 0 || message.signature !== '{sm}') continue;
    const { map } = message.decoded as { map: [string, { value: unknown }][] };
    for (const [name, { value }] of map) if (value === true) announced[message.dir].add(name);
  }
  return new Set([...announced.c2s].filter((name) => announced.s2c.has(name)));
}

/** The bytes of one direction of a connection, as they were on the wire. */
export function streamOf(messages: readonly RecordedMessage[]): Uint8Array {
  return fromHex(messages.map(({ headerHex, payloadHex }) => headerHex + payloadHex).join(''));
}

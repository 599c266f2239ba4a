// Replays the client's side of a recording against a server, and compares the answers with the recorded ones.
import { isDeepStrictEqual } from 'node:util';
import { StandardAction } from '../../protocol/bus/metaobject.ts';
import { MessageType } from '../../protocol/wire/message.ts';
import { METAOBJECT_SIGNATURE } from '../../protocol/wire/metaobject-signature.ts';
import { createMetaObjectCache, decodeValue, type ObjectEncoding } from '../../protocol/wire/value.ts';
import { comparable, notate } from '../vectors/notation.ts';
import { fromHex, type RecordedMessage, type Recording, sharedCapabilities } from '../vectors/recording.ts';
import { type RawClient, type Received, rawClient } from './raw-client.ts';

/** Below this id objects are numbered by the server, and its numbers are its own. */
const FIRST_CLIENT_OBJECT = 0x8000_0000;
/** Of the message that asks whether anything unexpected came. */
const PROBE_ID = 0xfff0_0001;

export interface Compared {
  /** Where: scenario, number of the message, its note. */
  readonly place: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

export interface ReplayOptions {
  readonly recording: Recording;
  /** The URL for a connection of the recording, by who was on its other side. */
  readonly urlOf: (server: string) => Promise<string>;
  /** Makes both sides comparable: what is another by nature (ports, uids, times) becomes one word. */
  readonly mask: (notation: unknown) => unknown;
}

interface Line {
  readonly client: RawClient;
  readonly expected: RecordedMessage[];
  /** Recorded number of an object or of a server's call -> ours. */
  readonly objects: Map<number, number>;
  readonly calls: Map<number, number>;
  readonly caches: { readonly recorded: Map<unknown, unknown>; readonly ours: ObjectEncoding };
}

/** Every answer beside the recorded one; the last entry of each connection lists what came unasked. */
export async function replay({ recording, urlOf, mask }: ReplayOptions): Promise<Compared[]> {
  const compared: Compared[] = [];
  const lines = new Map<number, Line>();
  const lineOf = async (conn: number): Promise<Line> => {
    const known = lines.get(conn);
    if (known !== undefined) return known;
    const server = recording.connections.find((each) => each.conn === conn)?.server ?? '';
    const shared = sharedCapabilities(recording, conn);
    const hasUid = shared.has('ObjectPtrUID');
    const ours = shared.has('MetaObjectCache') ? { hasUid, cache: createMetaObjectCache() } : { hasUid };
    const line: Line = {
      client: await rawClient(await urlOf(server)),
      expected: [],
      objects: new Map(),
      calls: new Map(),
      caches: { recorded: new Map(), ours },
    };
    lines.set(conn, line);
    return line;
  };
  const settle = async (line: Line): Promise<void> => {
    for (const message of line.expected.splice(0)) compared.push(await answer(line, message));
  };
  const answer = async (line: Line, message: RecordedMessage): Promise<Compared> => {
    const place = `${recording.scenario} #${message.n} ${message.note ?? ''}`;
    const notation = recordedValue(message, line);
    const expected = outline({ ...message.header, object: ownObject(message.header.object, line) }, mask(notation));
    const read = (received: Received): unknown => outline(received.header, mask(ownValue(message, received, line)));
    const isIt = isAnswerTo(message, line);
    const isSame = (received: Received): boolean => isIt(received) && isDeepStrictEqual(read(received), expected);
    // Events of one signal come in any order from libqi, so the same one may be behind others.
    const isThere =
      message.header.type !== MessageType.event || line.client.received.some(isSame) || (await probe(line, isSame));
    const found = await line.client.take(isThere && line.client.received.some(isSame) ? isSame : isIt);
    if (message.header.type === MessageType.call) line.calls.set(message.header.id, found.header.id);
    pairObjects(notation, ownValue(message, found, line), line.objects);
    return { place, expected, actual: read(found) };
  };

  for (const message of recording.messages) {
    const line = await lineOf(message.conn);
    if (message.dir === 's2c') {
      line.expected.push(message);
      continue;
    }
    await settle(line);
    const { header } = message;
    const isAnswer = header.type === MessageType.reply || header.type === MessageType.error;
    line.client.send(
      {
        ...header,
        id: isAnswer ? (line.calls.get(header.id) ?? header.id) : header.id,
        object: ownObject(header.object, line),
      },
      fromHex(message.payloadHex),
    );
  }
  for (const [conn, line] of lines) {
    await settle(line);
    compared.push({
      place: `${recording.scenario}, connection ${conn}: unexpected`,
      expected: [],
      actual: await leftOver(line),
    });
    await line.client.close();
  }
  return compared;
}

/** What came beside the answers, once an answered call has shown that nothing more is under way. */
async function leftOver(line: Line): Promise<unknown[]> {
  await probe(line, () => false);
  return line.client.received.map(({ header }) => header);
}

/** Waits until all that was sent is answered; tells whether a message is there. */
async function probe({ client }: Line, isWanted: (received: Received) => boolean): Promise<boolean> {
  client.send({ id: PROBE_ID, type: MessageType.call, service: 77, object: 1, action: 2 });
  // A server that closed the socket sends nothing more either.
  await client.take(({ header }) => header.id === PROBE_ID).catch(() => {});
  return client.received.some(isWanted);
}

function isAnswerTo(message: RecordedMessage, line: Line): (received: Received) => boolean {
  const { type, id, service, action } = message.header;
  const isAnswer = type === MessageType.reply || type === MessageType.error || type === MessageType.canceled;
  if (isAnswer)
    return ({ header }) =>
      header.id === id && [MessageType.reply, MessageType.error, MessageType.canceled].includes(header.type as 2);
  return ({ header }) =>
    header.type === type &&
    header.service === service &&
    header.object === ownObject(message.header.object, line) &&
    header.action === action;
}

function ownObject(recorded: number, line: Line): number {
  return line.objects.get(recorded) ?? recorded;
}

/** What is compared of a message. */
function outline(
  header: {
    readonly type: number;
    readonly flags: number;
    readonly service: number;
    readonly object: number;
    readonly action: number;
  },
  value: unknown,
): unknown {
  const { type, flags, service, object, action } = header;
  const isRegistration =
    service > 0 && (action === StandardAction.registerEvent || action === StandardAction.registerEventWithSignature);
  return { type, flags, service, object, action, value: isRegistration ? withoutLink(value) : value };
}

/** A link id is its maker's: the result of a registration, or its third argument. */
function withoutLink(value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'string') return 'some link';
  const { tuple = [] } = (value ?? {}) as { readonly tuple?: readonly unknown[] };
  return { tuple: tuple.map((each, index) => (index === 2 ? 'some link' : each)) };
}

/** To be asked once per message: a cache of metaobjects remembers. */
function recordedValue({ signature, decoded }: RecordedMessage, line: Line): unknown {
  return signature === undefined || decoded === undefined ? undefined : comparable(decoded, line.caches.recorded);
}

const decodedOnce = new WeakMap<Received, unknown>();

/** Read in the signature of the recorded message; each message once, since a cache of metaobjects remembers. */
function ownValue(message: RecordedMessage, received: Received, line: Line): unknown {
  const { signature } = message;
  if (signature === undefined || message.decoded === undefined) return undefined;
  if (decodedOnce.has(received)) return decodedOnce.get(received);
  const readAs =
    received.header.type === MessageType.error ? 'm' : signature === 'MetaObject' ? METAOBJECT_SIGNATURE : signature;
  let value: unknown;
  try {
    const plain = decodeValue(readAs, received.payload, { dynamics: 'wrapped', objectEncoding: line.caches.ours });
    value = notate(received.header.type === MessageType.error ? 'm' : signature, plain);
  } catch (error) {
    value = { unreadable: String(error), bytes: Buffer.from(received.payload).toString('hex') };
  }
  decodedOnce.set(received, value);
  return value;
}

/** Learns which of our object ids stands for which recorded one. */
function pairObjects(recorded: unknown, ours: unknown, objects: Map<number, number>): void {
  if (typeof recorded !== 'object' || recorded === null || typeof ours !== 'object' || ours === null) return;
  for (const [name, one] of Object.entries(recorded)) {
    const other = (ours as Record<string, unknown>)[name];
    if (name === 'objectId' && typeof one === 'number' && typeof other === 'number' && one < FIRST_CLIENT_OBJECT)
      objects.set(one, other);
    else pairObjects(one, other, objects);
  }
}

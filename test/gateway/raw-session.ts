// A qi program outside that says what no library would: a session at the door whose every message is written by hand.
import { MessageType } from '../../protocol/wire/message.ts';
import { decodeValue, encodeValue } from '../../protocol/wire/value.ts';
import { Dynamic } from '../../robot-agent/qi/index.ts';
import { type RawClient, type Received, rawClient } from '../qi/raw-client.ts';
import { TOKEN } from '../support/agent-config.ts';

export interface Address {
  readonly service: number;
  readonly object: number;
  readonly action: number;
}

export interface RawSession extends RawClient {
  /** Sends a call and gives its answer, whatever type it has. */
  call(address: Address, payload?: Uint8Array, flags?: number): Promise<Received>;
  post(address: Address, payload?: Uint8Array): void;
  /** Resolves once everything sent before has been taken: the directory answered a call. */
  settled(): Promise<void>;
}

/** @param capabilities those announced; none by default, as with the oldest programs */
export async function rawSession(
  url: string,
  capabilities: Readonly<Record<string, boolean>> = {},
): Promise<RawSession> {
  const client = await rawClient(url);
  let nextId = 2;
  const call: RawSession['call'] = (address, payload, flags = 0) => {
    const id = nextId++;
    client.send({ ...address, id, type: MessageType.call, flags }, payload);
    return client.take(({ header }) => header.id === id && ANSWERS.has(header.type));
  };
  const announced = Object.fromEntries(Object.entries(capabilities).map(([key, is]) => [key, new Dynamic('b', is)]));
  const welcome = await call(
    { service: 0, object: 0, action: 8 },
    encodeValue('{sm}', { ...announced, auth_token: new Dynamic('s', TOKEN) }),
  );
  if (welcome.header.type !== MessageType.reply) throw new Error(`not let in: ${errorOf(welcome)}`);
  return {
    ...client,
    call,
    post: (address, payload) => client.send({ ...address, id: nextId++, type: MessageType.post }, payload),
    settled: async () => {
      await call({ service: 1, object: 1, action: 108 });
    },
  };
}

const ANSWERS: ReadonlySet<number> = new Set([MessageType.reply, MessageType.error, MessageType.canceled]);

/** The text of an error; undefined for another answer. */
export function errorOf({ header, payload }: Received): string | undefined {
  return header.type === MessageType.error ? String(decodeValue('m', payload, { dynamics: 'unwrapped' })) : undefined;
}

/** The value of a reply. */
export function replyOf(received: Received, signature: string): unknown {
  if (received.header.type !== MessageType.reply) throw new Error(`no reply: ${errorOf(received)}`);
  return decodeValue(signature, received.payload, { dynamics: 'unwrapped' });
}

/** The address of an object in a reply of signature `o` without uid: its metaobject comes first, so it is read from the end. */
export function objectAddress({ payload }: Received): { readonly service: number; readonly object: number } {
  const view = new DataView(payload.buffer, payload.byteOffset + payload.length - 8);
  return { service: view.getUint32(0, true), object: view.getUint32(4, true) };
}

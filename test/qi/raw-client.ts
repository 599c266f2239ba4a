// A qi client of bare bytes: sends what it is given, keeps what comes. For replays and for hostile tests.
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { MessageFramer } from '../../protocol/wire/framer.ts';
import { encodeMessage, type MessageHeader } from '../../protocol/wire/message.ts';
import { parseEndpoint } from '../../robot-agent/qi/endpoints.ts';

export interface Received {
  readonly header: MessageHeader;
  readonly payload: Uint8Array;
}

export interface RawClient {
  readonly received: readonly Received[];
  readonly socket: Socket;
  send(header: Parameters<typeof encodeMessage>[0], payload?: Uint8Array): void;
  /** Removes and returns the first message that matches, now or when it comes; rejects when the socket closes before. */
  take(matches: (message: Received) => boolean): Promise<Received>;
  /** Resolves when the socket is closed, from whichever side. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/** @param localAddress where it comes from: what is counted by address is then not that of others */
export async function rawClient(url: string, localAddress?: string): Promise<RawClient> {
  const { scheme, host, port } = parseEndpoint(url);
  const address = { host, port, ...(localAddress === undefined ? {} : { localAddress }) };
  const socket = scheme === 'tcp' ? connect(address) : connectTls({ ...address, rejectUnauthorized: false });
  await new Promise<void>((resolve, reject) => {
    socket.once(scheme === 'tcp' ? 'connect' : 'secureConnect', resolve);
    socket.once('error', reject);
  });
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const look = (): void => {
    for (const each of [...waiting]) each();
  };
  const framer = new MessageFramer({
    onMessage: (header, payload) => {
      received.push({ header: { ...header }, payload: payload.slice() });
      look();
    },
  });
  socket.on('data', (chunk) => framer.push(new Uint8Array(chunk as Buffer)));
  socket.on('error', () => {});
  let isClosed = false;
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      isClosed = true;
      look();
      resolve();
    });
  });
  return {
    received,
    socket,
    closed,
    send: (header, payload = new Uint8Array(0)) => {
      socket.write(encodeMessage(header, payload));
    },
    take: (matches) =>
      new Promise((resolve, reject) => {
        const attempt = (): void => {
          const index = received.findIndex(matches);
          if (index < 0 && !isClosed) return;
          waiting.delete(attempt);
          const [found] = index < 0 ? [] : received.splice(index, 1);
          if (found === undefined) reject(new Error('the socket closed before the message came'));
          else resolve(found);
        };
        waiting.add(attempt);
        attempt();
      }),
    close: () => {
      socket.destroy();
      return closed;
    },
  };
}

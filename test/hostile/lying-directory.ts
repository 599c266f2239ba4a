// A robot's directory that lies: stands before a real one, passes on what both sides say, and changes, keeps back or adds
// what it is told to.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { SERVICE_INFO_SIGNATURE, type WireServiceInfo } from '../../protocol/directory/service-info.ts';
import { MessageFramer } from '../../protocol/wire/framer.ts';
import { encodeMessage, type MessageHeader, MessageType } from '../../protocol/wire/message.ts';
import { decodeValue, encodeValue } from '../../protocol/wire/value.ts';
import { parseEndpoint } from '../../robot-agent/qi/index.ts';

/** What becomes of a message of the real directory; undefined: it is kept back. */
export type Lie = (header: MessageHeader, payload: Uint8Array) => Uint8Array | 'cut' | undefined;

export interface LyingDirectory {
  readonly url: string;
  /** How often somebody came. */
  readonly joins: number;
  /** Sockets open now. */
  readonly open: number;
  /** Undefined: everything is passed on as it is. */
  lie: Lie | undefined;
  /** Says it as the directory; with bytes that are no tuple of a service, if given. */
  tell(change: 'added' | 'removed', serviceId: number, name: string): void;
  tellBytes(change: 'added' | 'removed', bytes: Uint8Array): void;
  /** Everything told before was written. */
  written(): Promise<void>;
  /** Many, some at a time: those who listen may live in this process too. */
  tellMany(count: number, tell: (each: number) => void): Promise<void>;
  /** Resets all sockets. */
  cut(): void;
  close(): Promise<void>;
}

const DIRECTORY = 1;
export const DirectoryAction = { authenticate: 8, service: 100, services: 101, added: 106, removed: 107 } as const;

/** @param real URL of the directory behind it */
export async function lyingDirectory(real: string): Promise<LyingDirectory> {
  const behind = parseEndpoint(real);
  const pairs = new Set<readonly [Socket, Socket]>();
  let joins = 0;
  let nextId = 5_000_000;
  const server: Server = createServer({ noDelay: true }, (front) => {
    joins += 1;
    const back = connect({ host: behind.host, port: behind.port, noDelay: true });
    const pair = [front, back] as const;
    pairs.add(pair);
    for (const [one, other] of [pair, [back, front] as const]) {
      one.on('error', () => {});
      one.once('close', () => {
        other.destroy();
        pairs.delete(pair);
      });
    }
    front.pipe(back);
    const framer = new MessageFramer({
      onMessage: (header, payload) => {
        const lied =
          directory.lie === undefined || header.service > DIRECTORY ? payload : directory.lie(header, payload);
        if (lied === 'cut') cutInTheMiddle(front, encodeMessage(header, payload));
        else if (lied !== undefined) front.write(encodeMessage(header, lied));
      },
    });
    back.on('data', (chunk) => framer.push(new Uint8Array(chunk as Buffer)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const tellBytes: LyingDirectory['tellBytes'] = (change, bytes) => {
    const header = { type: MessageType.event, service: DIRECTORY, object: 1, action: DirectoryAction[change] };
    for (const [front] of pairs) front.write(encodeMessage({ ...header, id: nextId++ }, bytes));
  };
  const directory: LyingDirectory = {
    url: `tcp://127.0.0.1:${port}`,
    get joins() {
      return joins;
    },
    get open() {
      return pairs.size;
    },
    lie: undefined,
    tell: (change, serviceId, name) => tellBytes(change, encodeValue('(Is)', [serviceId, name])),
    tellBytes,
    written: async () => {
      await Promise.all([...pairs].map(([front]) => new Promise((resolve) => front.write(new Uint8Array(0), resolve))));
    },
    tellMany: async (count, tell) => {
      for (let each = 0; each < count; each += 1) {
        tell(each);
        if (each % 500 === 499) await directory.written();
      }
      await directory.written();
    },
    cut: () => {
      for (const [front] of pairs) front.resetAndDestroy();
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const [front] of pairs) front.destroy();
      await closed;
    },
  };
  return directory;
}

/** Half of it, and then nothing. */
function cutInTheMiddle(socket: Socket, bytes: Uint8Array): void {
  socket.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => socket.destroy());
}

/** Answers of `services` and `service` with other infos. */
export function lieAboutInfos(change: (infos: readonly WireServiceInfo[]) => readonly WireServiceInfo[]): Lie {
  return ({ type, action }, payload) => {
    if (type !== MessageType.reply) return payload;
    if (action === DirectoryAction.services) {
      const signature = `[${SERVICE_INFO_SIGNATURE}]`;
      return encodeValue(signature, change(decodeValue(signature, payload) as WireServiceInfo[]));
    }
    if (action !== DirectoryAction.service) return payload;
    const [info] = change([decodeValue(SERVICE_INFO_SIGNATURE, payload) as WireServiceInfo]);
    return info === undefined ? payload : encodeValue(SERVICE_INFO_SIGNATURE, info);
  };
}

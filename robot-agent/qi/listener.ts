// Listening sockets and the peers that came in through them: shared by hosts of services and by directories.
import { createServer, type Server, type Socket } from 'node:net';
import { QiwayError } from '@qiway/protocol/errors';
import type { Logger } from '../logger.ts';
import { announcedEndpoints, formatEndpoint, parseEndpoint } from './endpoints.ts';
import { type AcceptOptions, acceptPeer, type PeerSocket } from './peer-socket.ts';
import { SocketWatch } from './socket-watch.ts';

export interface ListenerOptions extends Omit<AcceptOptions, 'onRefused' | 'onOpen' | 'onClosed'> {
  readonly logger?: Logger;
  /** Sockets at once, let in or not. */
  readonly maxSockets?: number;
  /** As in {@link AcceptOptions}; the socket counts as let in, and `onClosed` follows, whatever it throws. */
  readonly onOpen?: AcceptOptions['onOpen'];
  readonly onClosed?: (peerSocket: PeerSocket, reason: QiwayError) => void;
  /** A socket closed before it was let in. */
  readonly onRefused?: (reason: QiwayError) => void;
}

export interface QiListener {
  /** The URL asked for, with the real port. */
  readonly url: string;
  /** What to announce: one per interface when listening on all. */
  readonly endpoints: readonly string[];
  readonly peers: ReadonlySet<PeerSocket>;
  /** Closes the port, and all sockets with `reason`. Idempotent. */
  close(reason: QiwayError): Promise<void>;
}

/** A robot has some dozens of programs. */
const MAX_SOCKETS = 4096;

/** Accepts qi clients at `url`. @throws `invalid-argument`, `unsupported`, `listen-failed` */
export async function listenAt(url: string, options: ListenerOptions): Promise<QiListener> {
  const address = parseEndpoint(url, 'listen');
  const { logger, maxSockets = MAX_SOCKETS, onOpen, onClosed, onRefused } = options;
  const peers = new Set<PeerSocket>();
  const watch = new SocketWatch(options.clock);
  const waiting = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    waiting.add(socket);
    acceptPeer(socket, {
      ...options,
      watch,
      onOpen: (peerSocket, data) => {
        waiting.delete(socket);
        peers.add(peerSocket);
        onOpen?.(peerSocket, data);
      },
      onClosed: (peerSocket, reason) => {
        peers.delete(peerSocket);
        const isOrdinary = reason.code === 'link-lost' || reason.code === 'closed';
        if (!isOrdinary)
          logger?.warn('A qi socket was closed.', { from: peerSocket.remoteEndpoint, reason: reason.message });
        onClosed?.(peerSocket, reason);
      },
      onRefused: (reason) => {
        waiting.delete(socket);
        logger?.warn('A qi client was not let in.', { reason: reason.message });
        onRefused?.(reason);
      },
    });
  });
  server.maxConnections = maxSockets;
  const port = await listening(server, url, address);
  server.on('error', (error: Error) => logger?.error('The qi port failed.', { url, reason: error.message }));
  let closing: Promise<void> | undefined;
  const close = (reason: QiwayError): Promise<void> => {
    closing ??= new Promise((resolve) => {
      server.close(() => resolve());
      for (const peerSocket of [...peers]) peerSocket.close(reason);
      for (const socket of [...waiting]) socket.destroy();
    });
    return closing;
  };
  return {
    url: formatEndpoint({ ...address, port }),
    endpoints: announcedEndpoints({ ...address, port }),
    peers,
    close,
  };
}

function listening(
  server: Server,
  url: string,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const reason =
        error.code === 'EADDRINUSE'
          ? 'the port is in use. End the other program, or choose another port'
          : error.code === 'EADDRNOTAVAIL'
            ? 'the address is not one of this machine'
            : error.message;
      reject(
        new QiwayError('listen-failed', `Cannot listen at ${url}: ${reason}.`, {
          data: { address: url },
          cause: error,
        }),
      );
    };
    server.once('error', failed);
    server.listen({ host, port }, () => {
      server.off('error', failed);
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
    });
  });
}

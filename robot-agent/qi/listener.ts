// Listening sockets and the peers that came in through them: shared by hosts of services and by directories.
import { createServer, type Server, type Socket } from 'node:net';
import { QiwayError } from '@qiway/protocol/errors';
import type { Logger } from '../logger.ts';
import type { AuthenticationProvider } from './authentication.ts';
import { formatEndpoint, parseEndpoint, plainAddress } from './endpoints.ts';
import { followInterfaces, type ListInterfaces } from './interfaces.ts';
import { type AcceptOptions, acceptPeer, type PeerSocket } from './peer-socket.ts';
import { SocketWatch } from './socket-watch.ts';
import type { TlsServerOptions } from './tls-options.ts';
import { tlsServer } from './tls-server.ts';

export interface ListenerOptions extends Omit<AcceptOptions, 'onRefused' | 'onOpen' | 'onClosed' | 'scheme'> {
  readonly logger?: Logger;
  /** What a tcps or tcpsm port shows and asks for. */
  readonly tls?: TlsServerOptions;
  /** Sockets at once, let in or not. Default 4096. */
  readonly maxSockets?: number;
  /** Sockets of one address that are not let in yet. Default 128. */
  readonly maxWaitingPerAddress?: number;
  /** Of this machine; for tests. */
  readonly interfaces?: ListInterfaces;
  /** As in {@link AcceptOptions}; `onClosed` follows, whatever it throws. */
  readonly onOpen?: AcceptOptions['onOpen'];
  readonly onClosed?: (peerSocket: PeerSocket, reason: QiwayError) => void;
  /** A socket closed before it was let in. */
  readonly onRefused?: (reason: QiwayError) => void;
  /** This machine has other addresses than before. */
  readonly onEndpoints?: (endpoints: readonly string[]) => void;
}

export interface QiListener {
  /** The URL asked for, with the real port. */
  readonly url: string;
  /** What to announce: one per address of this machine when listening on all, as they are now. */
  readonly endpoints: readonly string[];
  readonly peers: ReadonlySet<PeerSocket>;
  /** Closes the port, and all sockets with `reason`. Idempotent. */
  close(reason: QiwayError): Promise<void>;
}

/** A robot has some dozens of programs. */
const MAX_SOCKETS = 4096;
/** A robot's programs all start at once, from one or two addresses. */
const MAX_WAITING_PER_ADDRESS = 128;

/**
 * Accepts qi clients at `url`.
 * @throws `invalid-argument` for the URL, `config-invalid` for the TLS set-up, `listen-failed`
 */
export async function listenAt(url: string, options: ListenerOptions): Promise<QiListener> {
  const address = parseEndpoint(url, 'listen');
  const { scheme } = address;
  const { logger, tls, clock, timeoutMs, maxSockets = MAX_SOCKETS, interfaces, onOpen, onClosed } = options;
  const { onRefused, onEndpoints } = options;
  const secure = scheme === 'tcp' ? undefined : tlsServer(scheme, tls, new Date());
  const peers = new Set<PeerSocket>();
  const watch = new SocketWatch(options.clock);
  const waiting = new WaitingSockets(options.maxWaitingPerAddress ?? MAX_WAITING_PER_ADDRESS);

  const refused = (from: string | undefined, reason: QiwayError): void => {
    logger?.warn('A qi client was not let in.', { from, at: url, reason: reason.message });
    onRefused?.(reason);
  };
  const accept = (
    socket: Socket,
    raw: Socket,
    { from, ...terms }: Pick<AcceptOptions, 'timeoutMs' | 'provider'> & { readonly from: string | undefined },
  ): void =>
    acceptPeer(socket, {
      ...options,
      watch,
      ...terms,
      scheme,
      onOpen: (peerSocket, data) => {
        waiting.delete(raw);
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
        waiting.delete(raw);
        refused(from, reason);
      },
    });

  const server = createServer({ noDelay: true }, (socket) => {
    const from = socket.remoteAddress;
    if (!waiting.add(socket)) {
      logger?.warn('Too many qi clients of one address wait to be let in: one more was turned away.', {
        from,
        at: url,
      });
      socket.destroy();
      return;
    }
    if (secure === undefined) return accept(socket, socket, { from, timeoutMs });
    const began = clock.now();
    const stopTimer = clock.after(timeoutMs, () => socket.destroy());
    // Of the raw socket nothing is wanted but its end.
    socket.on('error', () => {});
    secure(socket, {
      onSecure: (secured, refusal) => {
        stopTimer();
        const left = Math.max(1, Math.round(timeoutMs - (clock.now() - began)));
        accept(secured, socket, {
          from,
          timeoutMs: left,
          ...(refusal === undefined ? {} : { provider: refusing(refusal) }),
        });
      },
      onFailed: (reason) => {
        stopTimer();
        waiting.delete(socket);
        refused(from, reason);
      },
    });
  });
  server.maxConnections = maxSockets;
  server.on('drop', (dropped) =>
    logger?.warn('There are as many qi sockets as this port takes: one more was turned away.', {
      from: dropped?.remoteAddress,
      at: url,
    }),
  );
  const port = await listening(server, url, address);
  server.on('error', (error: Error) => logger?.error('The qi port failed.', { url, reason: error.message }));
  const announced = followInterfaces(
    { ...address, port },
    {
      clock,
      list: interfaces,
      onChange: (endpoints) => {
        logger?.info('This machine has other addresses now.', { at: url, endpoints: endpoints.join(' ') });
        onEndpoints?.(endpoints);
      },
    },
  );
  let closing: Promise<void> | undefined;
  const close = (reason: QiwayError): Promise<void> => {
    closing ??= new Promise((resolve) => {
      announced.stop();
      server.close(() => resolve());
      for (const peerSocket of [...peers]) peerSocket.close(reason);
      waiting.destroy();
    });
    return closing;
  };
  return {
    url: formatEndpoint({ ...address, port }),
    get endpoints() {
      return announced.now;
    },
    peers,
    close,
  };
}

/** Sockets that came in and are not let in yet, bounded per address. */
class WaitingSockets {
  readonly #max: number;
  readonly #sockets = new Map<Socket, string>();
  readonly #counts = new Map<string, number>();

  constructor(maxPerAddress: number) {
    this.#max = maxPerAddress;
  }

  /** False: there are enough of that address. */
  add(socket: Socket): boolean {
    const address = plainAddress(socket.remoteAddress ?? '');
    const count = this.#counts.get(address) ?? 0;
    if (count >= this.#max) return false;
    this.#counts.set(address, count + 1);
    this.#sockets.set(socket, address);
    return true;
  }

  delete(socket: Socket): void {
    const address = this.#sockets.get(socket);
    if (address === undefined) return;
    this.#sockets.delete(socket);
    const count = (this.#counts.get(address) ?? 1) - 1;
    if (count > 0) this.#counts.set(address, count);
    else this.#counts.delete(address);
  }

  destroy(): void {
    for (const socket of [...this.#sockets.keys()]) socket.destroy();
  }
}

/** For a client whose certificate is not accepted: it is told so when it introduces itself, whatever it says. */
function refusing(reason: string): AuthenticationProvider {
  return () => ({ state: 'refused', reason });
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

// TLS and plain HTTP at one port: the first byte of a socket tells which. Takes the sockets of an HTTP server before it sees
// them, and gives it each again, secured where the client wants that. Knows no requests.
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { createServer, type Server as TlsServer } from 'node:tls';
import type { Clock } from '@qiway/protocol/clock';
import { isTlsHandshake } from '../qi/tls-errors.ts';
import { TLS_CIPHERS, TLS_VERSIONS } from '../qi/tls-server.ts';
import type { Certificates, Shown } from './certificates.ts';

export interface OnePortOptions {
  readonly certificates: Certificates;
  readonly clock: Clock;
  /** For the first byte, and for the handshake of TLS. Default 10 s. */
  readonly timeoutMs?: number;
  /** A client that gave up on TLS, mostly because it does not trust the certificate. */
  readonly onRefused?: (reason: string) => void;
}

export interface OnePort {
  /** Ends what has not come as far as a request. */
  close(): void;
}

/** As for the headers of a request. */
const TIMEOUT_MS = 10_000;

/** @param server that does not listen yet */
export function serveTls(server: Server, options: OnePortOptions): OnePort {
  const { certificates, clock, timeoutMs = TIMEOUT_MS, onRefused } = options;
  const serve = server.listeners('connection') as ((socket: Socket) => void)[];
  const pass = (socket: Socket): void => {
    for (const each of serve) each.call(server, socket);
  };
  /** It never listens: sockets are handed to it. */
  const secure = tlsServer(certificates.shown, timeoutMs);
  const waiting = new Set<Socket>();
  certificates.onChange((shown) => secure.setSecureContext({ ...shown, ...SETTINGS }));
  secure.on('secureConnection', pass);
  secure.on('tlsClientError', (error, socket) => {
    socket.destroy();
    onRefused?.(error.message);
  });
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    waiting.add(socket);
    const stopTimer = clock.after(timeoutMs, () => socket.destroy());
    // Errors close it, and nobody else is there to tell.
    const ignore = (): void => {};
    const forget = (): void => {
      stopTimer();
      waiting.delete(socket);
    };
    socket.on('error', ignore).once('close', forget);
    socket.once('readable', () => {
      const first = socket.read() as Buffer | null;
      if (first === null) return void socket.destroy();
      forget();
      socket.off('close', forget);
      socket.unshift(first);
      if (!isTlsHandshake(first)) return pass(socket.off('error', ignore));
      // HTTP servers allow it, those of TLS do not: who left within the handshake would be waited for.
      socket.allowHalfOpen = false;
      secure.emit('connection', socket);
    });
  });
  return {
    close: () => {
      for (const socket of waiting) socket.destroy();
    },
  };
}

const SETTINGS = { ...TLS_VERSIONS, ciphers: TLS_CIPHERS, honorCipherOrder: true } as const;

function tlsServer({ cert, key }: Shown, timeoutMs: number): TlsServer {
  return createServer({ ...SETTINGS, cert, key, handshakeTimeout: timeoutMs, ALPNProtocols: ['http/1.1'] });
}

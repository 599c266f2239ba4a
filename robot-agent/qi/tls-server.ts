// The server's side of TLS: turns sockets that came in into secure ones. What is spoken in them is none of its business.
import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { QiwayError } from '@qiway/protocol/errors';
import { isTlsHandshake, speaksNoTls, tlsFailure, USE_TLS_ALERT } from './tls-errors.ts';
import { checkServerTls, type TlsServerOptions } from './tls-options.ts';

/** libqi 4 speaks exactly 1.2. */
export const TLS_VERSIONS = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;

/** Those of 1.3, then what libqi offers with 1.2: forward secret, with encryption that authenticates. */
export const TLS_CIPHERS: string = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'DHE-RSA-AES128-GCM-SHA256',
  'DHE-RSA-AES256-GCM-SHA384',
  'DHE-RSA-CHACHA20-POLY1305',
].join(':');

/** What becomes of a socket that is to be secured; one of the two is called, once. */
export interface SecureOutcome {
  /** `refusal`: what is wrong with the client's certificate, to be told to it before it is let go. */
  readonly onSecure: (secured: TLSSocket, refusal: string | undefined) => void;
  /** The socket is closed. */
  readonly onFailed: (error: QiwayError) => void;
}

/** Begins TLS on a socket that came in. It waits without end: the caller's timer destroys the socket. */
export type SecureSocket = (socket: Socket, outcome: SecureOutcome) => void;

/** @throws `config-invalid` naming what is wrong with the set-up */
export function tlsServer(scheme: 'tcps' | 'tcpsm', options: TlsServerOptions | undefined, now: Date): SecureSocket {
  checkServerTls(scheme, options, now);
  const isMutual = scheme === 'tcpsm';
  const { cert, key, passphrase, ca } = options as TlsServerOptions;
  // It never listens: sockets are handed to it, so that what is counted and timed is the same with and without TLS.
  const server = createServer({
    ...TLS_VERSIONS,
    ciphers: TLS_CIPHERS,
    honorCipherOrder: true,
    dhparam: 'auto',
    cert,
    key,
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(isMutual && ca !== undefined ? { ca } : {}),
    requestCert: isMutual,
    // A client that is refused here would see its socket close; refused by the handshake that follows, it is told why.
    rejectUnauthorized: false,
  });
  const outcomes = new Map<string, SecureOutcome>();
  const take = (socket: Socket): SecureOutcome | undefined => {
    const key = addressKey(socket);
    const outcome = outcomes.get(key);
    outcomes.delete(key);
    return outcome;
  };
  server.on('secureConnection', (secured) => {
    take(secured)?.onSecure(secured, isMutual && !secured.authorized ? whyRefused(secured) : undefined);
  });
  server.on('tlsClientError', (error, secured) => {
    const outcome = take(secured);
    secured.destroy();
    outcome?.onFailed(
      tlsFailure(error, 'server') ??
        new QiwayError('link-lost', `The client went away during the TLS handshake: ${error.message}.`, {
          data: { reason: error.message },
          cause: error,
        }),
    );
  });
  return (socket, outcome) => {
    const key = addressKey(socket);
    outcomes.set(key, outcome);
    let closedWith: QiwayError = new QiwayError('link-lost', 'The client went away during the TLS handshake.');
    socket.once('close', () => {
      if (outcomes.get(key) !== outcome) return;
      outcomes.delete(key);
      outcome.onFailed(closedWith);
    });
    // The library would close without a word on a client that speaks no TLS.
    socket.once('readable', () => {
      const first = socket.read() as Buffer | null;
      if (first === null) return void socket.destroy();
      if (isTlsHandshake(first)) {
        socket.unshift(first);
        server.emit('connection', socket);
        return;
      }
      closedWith = speaksNoTls();
      // What else it sent is read, and dropped: unread bytes would have the system take back the alert.
      socket.resume();
      socket.end(USE_TLS_ALERT);
    });
  };
}

/** The same for a socket and for the secure one made of it. */
function addressKey({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function whyRefused(secured: TLSSocket): string {
  if (secured.getPeerX509Certificate() === undefined)
    return 'this port is tcpsm and wants a certificate of the client; none was shown';
  const reason = String(secured.authorizationError).replaceAll('_', ' ').toLowerCase();
  return `the certificate of the client is not accepted (${reason})`;
}

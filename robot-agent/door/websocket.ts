// WebSocket upgrades: checked before they are accepted, bounded before they are known, then handed on as transports.
// The link protocol, with its token, is the session's.
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { QiwayError } from '@qiway/protocol/errors';
import type { DoorResponse } from '@qiway/protocol/http-door/door-types';
import { problemResponse } from '@qiway/protocol/http-door/responses';
import { SUBPROTOCOL } from '@qiway/protocol/session/control';
import { MAX_BATCH_BYTES } from '@qiway/protocol/session/link';
import type { Transport } from '@qiway/protocol/session/transport';
import { type ServerOptions, WebSocketServer } from 'ws';
import type { Guard } from './guard.ts';
import type { Counts } from './metrics.ts';
import { webSocketTransport } from './ws-transport.ts';

const LINK_PATH = '/robot/link';

/**
 * For the other side to read to the end and answer the close, ms. One that was closed because it does not read never
 * will, and what waits for it is kept until then.
 */
const CLOSE_TIMEOUT_MS = 2000;

export interface LinkLimits {
  readonly maxSessions: number;
  /** Sockets of one address that have not shown a token yet. */
  readonly maxUnknownPerAddress: number;
}

export const LINK_LIMITS: LinkLimits = { maxSessions: 1024, maxUnknownPerAddress: 128 };

export interface WebSocketOptions {
  readonly guard: Guard;
  readonly counts: Counts;
  readonly limits: LinkLimits;
  /** No further session is taken. */
  readonly isFull: () => boolean;
  /** Must listen to the transport at once; calls `known` when the client has shown its token. */
  readonly accept: (transport: Transport, client: { readonly address: string; readonly known: () => void }) => void;
}

export interface WebSocketDoor {
  /** Ends every socket without waiting for the other side. */
  terminate(): void;
}

export function acceptWebSockets(server: Server, options: WebSocketOptions): WebSocketDoor {
  const unknown = new Map<string, number>();
  // `closeTimeout` is missing in the types of `ws`.
  const serverOptions: ServerOptions & { readonly closeTimeout: number } = {
    noServer: true,
    perMessageDeflate: false,
    closeTimeout: CLOSE_TIMEOUT_MS,
    maxPayload: MAX_BATCH_BYTES,
    skipUTF8Validation: true,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  };
  const sockets = new WebSocketServer(serverOptions);
  const change = (address: string, by: 1 | -1): void => {
    const count = (unknown.get(address) ?? 0) + by;
    if (count > 0) unknown.set(address, count);
    else unknown.delete(address);
  };
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const address = request.socket.remoteAddress ?? '';
    const refusal = refusalOf(request, options, unknown.get(address) ?? 0);
    if (refusal !== undefined) {
      options.counts.sessionsRefused++;
      return refuse(socket, refusal);
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      change(address, 1);
      let isUnknown = true;
      const known = (): void => {
        if (isUnknown) change(address, -1);
        isUnknown = false;
      };
      webSocket.once('close', known);
      options.accept(webSocketTransport(webSocket, socket, options.counts), { address, known });
    });
  });
  return {
    terminate: () => {
      for (const webSocket of sockets.clients) webSocket.terminate();
    },
  };
}

function refusalOf(request: IncomingMessage, options: WebSocketOptions, unknown: number): DoorResponse | undefined {
  const { guard, limits } = options;
  const { host, origin } = request.headers;
  const reason = guard.refuseHost(host) ?? guard.checkOrigin(origin, host).refusal;
  if (reason !== undefined)
    return problemResponse(new QiwayError('forbidden', `Refused: ${reason}.`, { data: { reason } }));
  const path = (request.url ?? '').split('?')[0] ?? '';
  if (path !== LINK_PATH) {
    return problemResponse(
      new QiwayError('unsupported', `Links are made at ${LINK_PATH}.`, { data: { what: 'path' } }),
      { status: 404 },
    );
  }
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (!offered.includes(SUBPROTOCOL)) {
    return problemResponse(new QiwayError('protocol-mismatch', `This agent speaks the subprotocol ${SUBPROTOCOL}.`), {
      status: 400,
    });
  }
  const isFull = options.isFull();
  if (isFull || unknown >= limits.maxUnknownPerAddress) {
    const limit = isFull ? 'maxSessions' : 'maxUnknownPerAddress';
    return problemResponse(
      new QiwayError('limit-exceeded', 'The agent has as many links as it takes; try again later.', {
        data: { limit, maximum: limits[limit] },
      }),
      { status: 503 },
    );
  }
  return undefined;
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  503: 'Service Unavailable',
};

function refuse(socket: Duplex, { status, headers, body }: DoorResponse): void {
  const bytes = body as Uint8Array;
  const lines = Object.entries({ ...headers, connection: 'close', 'content-length': String(bytes.length) }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.write(`HTTP/1.1 ${status} ${REASONS[status] ?? 'Refused'}\r\n${lines.join('')}\r\n`);
  socket.end(bytes);
}

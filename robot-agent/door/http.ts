// The agent's HTTP server: lets requests in or refuses them, and passes on to the door, the files, health and metrics.
// What /robot/ means is the door's (protocol/http-door); WebSockets are websocket.ts.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { QiwayError } from '@qiway/protocol/errors';
import type { Door } from '@qiway/protocol/http-door/door';
import type { DoorRequest, DoorResponse } from '@qiway/protocol/http-door/door-types';
import { emptyResponse, jsonResponse, methodNotAllowed, problemResponse } from '@qiway/protocol/http-door/responses';
import type { Guard } from './guard.ts';
import { type Counts, METRICS_TYPE, metricsText, type Readings } from './metrics.ts';
import { sendResponse } from './responses.ts';
import { serveFile } from './static-files.ts';

export interface HttpOptions {
  readonly guard: Guard;
  readonly door: Door;
  readonly counts: Counts;
  readonly readings: () => Readings;
  /** Directory of files to serve beside. */
  readonly web: string | undefined;
  readonly limits?: Partial<HttpLimits>;
  /** Told by /healthz, so that a page can tell a certificate that is not trusted from none. Default: false. */
  readonly hasTls?: boolean;
  /** Asked first of what passed the checks of Host and Origin; undefined: nothing of it. */
  readonly beside?: (request: IncomingMessage) => DoorResponse | undefined;
}

export interface HttpLimits {
  /** For a request to arrive whole, milliseconds; large uploads over weak radio need their time. */
  readonly requestTimeoutMs: number;
  /** For its headers. */
  readonly headersTimeoutMs: number;
  /** Sockets at one time, WebSockets included. */
  readonly maxSockets: number;
}

const LIMITS: HttpLimits = { requestTimeoutMs: 120_000, headersTimeoutMs: 10_000, maxSockets: 2048 };
/** More than any client of ours sends; node's own default. */
const MAX_HEADER_BYTES = 16_384;
const MAX_HEADERS = 100;

/** A server that does not listen yet. */
export function createHttpServer(options: HttpOptions): Server {
  const limits = { ...LIMITS, ...options.limits };
  const { requestTimeoutMs, headersTimeoutMs } = limits;
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      requestTimeout: requestTimeoutMs,
      headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
      connectionsCheckingInterval: Math.min(5000, requestTimeoutMs / 4, headersTimeoutMs / 4),
      noDelay: true,
      // Anything else (curl offers h2c) is an ordinary request. Asked by Node 24; older ones refuse such an upgrade.
      shouldUpgradeCallback: (request: IncomingMessage) => request.headers.upgrade?.toLowerCase() === 'websocket',
    },
    (request, response) => {
      response.once('finish', () => {
        options.counts.responses.set(response.statusCode, (options.counts.responses.get(response.statusCode) ?? 0) + 1);
        // What is left of a refused body is read and dropped, so that the client gets to read the refusal.
        request.resume();
      });
      // Broken sockets end the response; there is no one to tell.
      response.on('error', () => {});
      request.on('error', () => {});
      answer(options, request, response).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else
          void sendResponse(
            response,
            problemResponse(new QiwayError('internal', 'The agent failed to answer.', { cause: error })),
          );
      });
    },
  );
  server.maxHeadersCount = MAX_HEADERS;
  server.maxConnections = limits.maxSockets;
  return server;
}

/** Of what /robot/ means; see docs/gateway.md. */
const DOOR_VERSION = '1';
const CORS_METHODS = 'GET, HEAD, POST, PUT, OPTIONS';
const CORS_HEADERS = 'authorization, content-type, accept, last-event-id, range, if-range, if-none-match';
const CORS_SHOWN = 'allow, retry-after, www-authenticate, etag, accept-ranges, content-range, qiway-door';
/** Seconds for which a browser may remember a preflight; Chromium's own bound. */
const CORS_MAX_AGE = '7200';

async function answer(options: HttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { guard } = options;
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('vary', 'origin');
  const { host, origin } = request.headers;
  const { refusal, foreign } = guard.checkOrigin(origin, host);
  const reason = guard.refuseHost(host) ?? refusal;
  if (reason !== undefined) {
    return sendResponse(
      response,
      problemResponse(new QiwayError('forbidden', `Refused: ${reason}.`, { data: { reason } })),
    );
  }
  if (foreign !== undefined) {
    response.setHeader('access-control-allow-origin', foreign);
    response.setHeader('access-control-expose-headers', CORS_SHOWN);
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined)
      return answerPreflight(request, response);
  }
  const beside = options.beside?.(request);
  if (beside !== undefined) return sendResponse(response, beside);
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  if (path === '/healthz') return answerHealth(options, request, response);
  if (path === '/metrics') return answerMetrics(options, request, response);
  if (path === '/robot' || path.startsWith('/robot/')) return answerRobot(options, request, response);
  return answerFile(options, request, response);
}

function answerPreflight(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const isToPrivateNetwork = request.headers['access-control-request-private-network'] === 'true';
  return sendResponse(
    response,
    emptyResponse(204, {
      'access-control-allow-methods': CORS_METHODS,
      'access-control-allow-headers': CORS_HEADERS,
      'access-control-max-age': CORS_MAX_AGE,
      ...(isToPrivateNetwork ? { 'access-control-allow-private-network': 'true' } : {}),
    }),
  );
}

function isRead(request: IncomingMessage): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}

function answerHealth(options: HttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isRead(request)) return sendResponse(response, methodNotAllowed(request.method ?? '', 'GET, HEAD'));
  const bus = options.readings().isBusUp ? 'up' : 'down';
  return sendResponse(response, jsonResponse({ status: 'ok', bus, ...(options.hasTls === true && { tls: true }) }));
}

function answerMetrics(
  { guard, counts, readings }: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isRead(request)) return sendResponse(response, methodNotAllowed(request.method ?? '', 'GET, HEAD'));
  if (!guard.isAuthorized(request.headers.authorization)) return sendResponse(response, unauthorized());
  const body = Buffer.from(metricsText(counts, readings()), 'utf8');
  return sendResponse(response, {
    status: 200,
    headers: { 'content-type': METRICS_TYPE, 'cache-control': 'no-store' },
    body,
  });
}

function unauthorized(): ReturnType<typeof problemResponse> {
  const where = 'The token is what follows #token= in the URL that the agent printed.';
  return problemResponse(new QiwayError('unauthorized', `Send "Authorization: Bearer TOKEN". ${where}`));
}

async function answerRobot(
  { guard, door }: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // So that a service worker of this origin knows whom it reaches when no page has a link.
  response.setHeader('qiway-door', DOOR_VERSION);
  if (!guard.isAuthorized(request.headers.authorization)) return sendResponse(response, unauthorized());
  const doorRequest: DoorRequest = {
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers: singleHeaders(request),
    // Leaving the loop early must not end the socket: the refusal still has to go out.
    body: request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>,
    onAborted: (stop) => response.once('close', () => response.writableFinished || stop()),
  };
  return sendResponse(response, await door.handle(doorRequest));
}

function singleHeaders(request: IncomingMessage): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers))
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  return headers;
}

async function answerFile({ web }: HttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isRead(request)) return sendResponse(response, methodNotAllowed(request.method ?? '', 'GET, HEAD'));
  if (web !== undefined && (await serveFile(web, request, response))) return;
  const hint =
    web === undefined ? ' The agent serves no web app; --web DIR makes it. The robot is at /robot/services.' : '';
  return sendResponse(
    response,
    problemResponse(
      new QiwayError('unsupported', `There is nothing at this path.${hint}`, { data: { what: 'path' } }),
      { status: 404 },
    ),
  );
}

// Part of the service worker: one request of a page goes to whoever owns a link, and its answer comes back. It keeps nothing
// between requests: the browser ends a worker when it likes.
import { BodyPort, STALLED_MS } from './body-port.ts';
import { findOwner } from './find-owner.ts';
import { DOOR_HEADER, type RequestHead, type ResponseHead } from './gateway-messages.ts';
import { workerProblem } from './worker-problem.ts';
import type { Clients } from './worker-scope.ts';

export interface RouteOptions {
  readonly clients: Pick<Clients, 'matchAll'>;
  /** Nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** Path and query for the door. */
  readonly path: string;
  readonly version: string;
  /** Who asks, and which worker this is. */
  readonly from: Pick<RequestHead, 'client' | 'scope' | 'run'>;
  /** For an answer to begin, after the last sign of life. */
  readonly timeoutMs: number;
  readonly after: (delayMs: number, run: () => void) => () => void;
  readonly fetch: (request: Request) => Promise<Response>;
  /** Told when an answer is being streamed; returns what to call at its end. */
  readonly streaming: () => () => void;
}

/** Never rejects: failures are problem documents. */
export async function routeRequest(request: Request, options: RouteOptions): Promise<Response> {
  try {
    return await route(request, options);
  } catch (error) {
    return workerProblem({
      status: 500,
      code: 'internal',
      title: 'A fault of ours',
      detail: `The service worker failed: ${error instanceof Error ? error.message : String(error)}`,
    });
  }
}

async function route(request: Request, options: RouteOptions): Promise<Response> {
  if (isMaybeForeign(request, options.path))
    return workerProblem({
      status: 403,
      code: 'forbidden',
      title: 'Not allowed',
      detail: `${isRead(request) ? 'A link, frame or address' : 'A form'} may not ask this of the robot, unless it is a link of this app: another site could have made it. Use fetch().`,
    });
  const owner = await findOwner(options.clients, options);
  switch (owner.kind) {
    case 'owner':
      return ask(request, owner.port, options);
    case 'none':
      return askNetwork(request, options);
    default:
      return workerProblem({
        status: 502,
        code: 'protocol-mismatch',
        title: 'Page and service worker are of different versions',
        detail: `The service worker is of version ${options.version} and the page of ${owner.version}: load the page again; if it stays, update the one that is older.`,
      });
  }
}

/** What is below a service is done by the robot; who is on the bus may be seen by typing an address. */
const MEMBER_PATH = /^\/robot\/services\/[^/?]+\/[^?]/;

/**
 * What other sites can have a page of ours ask ends in a navigation: forms, links, frames, prefetched pages. It is known by where
 * it came from (a site may hide that, and then nobody knows); the SDK's own requests, pictures and events never are one.
 */
function isMaybeForeign(request: Request, path: string): boolean {
  const { mode, referrer, url } = request;
  if (mode !== 'navigate') return false;
  if (!isRead(request)) return true;
  return MEMBER_PATH.test(path) && !referrer.startsWith(`${new URL(url).origin}/`);
}

function isRead({ method }: Request): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

/** Where the page's own origin is the agent's, its door stands open without any owner. */
async function askNetwork(request: Request, { fetch }: RouteOptions): Promise<Response> {
  const response = await fetch(request).catch(() => undefined);
  if (response?.headers.has(DOOR_HEADER)) return response;
  return workerProblem({
    status: 503,
    code: 'offline',
    title: 'There is no link to the robot',
    detail: 'No page of this app has a link to a robot at the moment: connect() in one of them, and ask again.',
  });
}

async function ask(request: Request, port: MessagePort, options: RouteOptions): Promise<Response> {
  const hasBody = !isRead(request);
  let settle = (_: ResponseHead | Response): void => {};
  let stopTimer = (): void => {};
  const answered = new Promise<ResponseHead | Response>((resolve) => {
    settle = resolve;
  });
  const watch = (): void => {
    stopTimer();
    stopTimer = options.after(options.timeoutMs, () => settle(timedOut(options.timeoutMs, hasBody)));
  };
  const exchange = new BodyPort(port, {
    after: options.after,
    // Events have a heartbeat of 15 s, and everything else is there when the answer begins.
    idleMs: STALLED_MS,
    message: (message) => message.kind === 'response' && settle(message),
    progress: watch,
    broken: () => settle(ownerGone(hasBody)),
  });
  const end = (): void => {
    exchange.post({ kind: 'bye' });
    exchange.close();
  };
  const abort = (): void => {
    void exchange.incoming.return?.();
    end();
    settle(ownerGone(hasBody));
  };
  options.signal.addEventListener('abort', abort);
  exchange.post({
    kind: 'request',
    method: request.method,
    path: options.path,
    headers: Object.fromEntries(request.headers),
    hasBody,
    ...options.from,
  });
  if (hasBody) void bodyOf(request).then((body) => exchange.send(body[Symbol.asyncIterator]()), abort);
  watch();
  const head = await answered;
  stopTimer();
  if (head instanceof Response) {
    abort();
    return head;
  }
  const { status, headers } = head;
  if (!head.hasBody) {
    end();
    return new Response(null, { status, headers });
  }
  const streamed = options.streaming();
  const close = (): void => {
    options.signal.removeEventListener('abort', abort);
    streamed();
    end();
  };
  return new Response(streamOf(exchange.incoming, close), { status, headers });
}

function streamOf(body: AsyncIterableIterator<Uint8Array>, closed: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(stream) {
        try {
          const next = await body.next();
          if (next.done !== true) return stream.enqueue(next.value);
          stream.close();
        } catch (error) {
          // An end that was not said must not look like one.
          stream.error(error);
        }
        closed();
      },
      async cancel() {
        await body.return?.();
        closed();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Firefox has no streams of request bodies. */
async function bodyOf(request: Request): Promise<AsyncIterable<Uint8Array>> {
  const stream = request.body ?? (await request.blob()).stream();
  return { [Symbol.asyncIterator]: () => iterate(stream.getReader()) };
}

/** Not every browser iterates over streams. */
function iterate(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncIterator<Uint8Array> {
  return {
    next: async () => {
      const { done, value } = await reader.read();
      return value === undefined || done ? { done: true, value: undefined } : { done: false, value };
    },
    return: async () => {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}

function ownerGone(maybeExecuted: boolean): Response {
  return workerProblem({
    status: 502,
    code: 'link-lost',
    title: 'The link broke before the answer came',
    detail: 'The page or worker that owned the link to the robot ended before it answered.',
    maybeExecuted,
  });
}

function timedOut(timeoutMs: number, maybeExecuted: boolean): Response {
  return workerProblem({
    status: 504,
    code: 'timeout',
    title: 'There was no answer in time',
    detail: `The owner of the link did not answer within ${timeoutMs} ms.`,
    maybeExecuted,
  });
}

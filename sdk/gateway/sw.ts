// `@qiway/sdk/sw`: the robot's HTTP door inside an app's own service worker. Runs in service workers only, and must stay small:
// it routes, and understands nothing of what it routes.
import { VERSION } from '../version.ts';
import { GATEWAY_PROTOCOL, type PageWord, REQUEST_ID_HEADER, type StreamCount } from './gateway-messages.ts';
import { routeRequest } from './route-request.ts';
import type { GatewayFetchEvent, WorkerScope } from './worker-scope.ts';

export interface GatewayOptions {
  /** Path below which requests are the robot's, of this origin. Default `/robot/`. */
  readonly base?: string;
  /** Milliseconds for an answer to begin. Default 40 s: longer than the door lets a call take. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 40_000;
/** Answers that take longer are streams: a page has to keep the worker alive for them. */
const STREAM_AFTER_MS = 3000;
/** Nothing tells a worker that the page of a request is gone, so it looks. */
const LOOK_MS = 2000;

/**
 * Answers requests under `base` from whoever owns a link to a robot: a SharedWorker or a page of this origin. Leaves everything
 * else to the app's other listeners. To be called while the worker's script runs for the first time, before other listeners
 * that might answer the same paths.
 * @example
 * import { addGateway } from '@qiway/sdk/sw';
 * addGateway();
 */
export function addGateway({ base = '/robot/', timeoutMs = TIMEOUT_MS }: GatewayOptions = {}): void {
  const scope = globalThis as unknown as WorkerScope;
  const run = Math.random().toString(36).slice(2);
  let open = 0;
  const counted = (): StreamCount => ({ qiway: 'streams', open });
  const tellPages = async (): Promise<void> => {
    const pages = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true });
    for (const page of pages) page.postMessage(counted(), []);
  };
  /** At the first stream and at the last: pages go on asking in between. */
  const count = (change: 1 | -1): void => {
    open += change;
    if (open === (change === 1 ? 1 : 0)) void tellPages();
  };
  const streaming = (): (() => void) => {
    let isCounted = false;
    const stopTimer = after(STREAM_AFTER_MS, () => {
      isCounted = true;
      count(1);
    });
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      stopTimer();
      if (isCounted) count(-1);
    };
  };
  /** By the id that a page gave its request. */
  const waiting = new Map<string, AbortController>();
  const answer = async ({ request, clientId }: GatewayFetchEvent, path: string): Promise<Response> => {
    const abort = new AbortController();
    const id = request.headers.get(REQUEST_ID_HEADER);
    if (id !== null) waiting.set(id, abort);
    request.signal.addEventListener('abort', () => abort.abort());
    const look = async (): Promise<void> => {
      if ((await scope.clients.get(clientId)) === undefined) abort.abort();
      else stopLooking = after(LOOK_MS, look);
    };
    let stopLooking = clientId === '' ? (): void => {} : after(LOOK_MS, look);
    try {
      return await routeRequest(request, {
        clients: scope.clients,
        signal: abort.signal,
        path,
        version: `${VERSION} (protocol ${GATEWAY_PROTOCOL})`,
        from: { client: clientId, scope: scope.registration.scope, run },
        timeoutMs,
        after,
        fetch: (unanswered) => scope.fetch(unanswered),
        streaming,
      });
    } finally {
      stopLooking();
      if (id !== null) waiting.delete(id);
    }
  };
  scope.addEventListener('fetch', (event) => {
    const { origin, pathname, search } = new URL(event.request.url);
    if (origin !== scope.location.origin || !pathname.startsWith(base)) return;
    event.respondWith(answer(event, `/robot/${pathname.slice(base.length)}${search}`));
  });
  scope.addEventListener('message', ({ data, source }) => {
    const word = data as PageWord | undefined;
    if (word?.qiway === 'ping') source?.postMessage(counted());
    if (word?.qiway === 'abort') waiting.get(word.request)?.abort();
  });
}

function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}

// `@qiway/sdk/gateway`: puts the service worker with the robot's HTTP door in place for this page, and lets newer ones take over
// when nothing is being streamed. For pages; knows no session.
import { QiwayError } from '@qiway/protocol/errors';
import { type PageWord, REQUEST_ID_HEADER, type StreamCount } from './gateway-messages.ts';

export interface RegisterGatewayOptions {
  /** Of the worker's script. Default `/qiway-sw.js`, where `npx @qiway/sdk init public/` puts it. */
  readonly scriptUrl?: string | URL;
  /** Path of the pages it serves; the script's folder is the widest. Default: that. */
  readonly scope?: string;
  /** `module` for a script that imports others as it is. Default `classic`. */
  readonly type?: 'classic' | 'module';
  /** Milliseconds until the worker must control the page. Default 10 s. */
  readonly timeoutMs?: number;
}

export interface Gateway {
  readonly registration: ServiceWorkerRegistration;
  /** Newer workers wait from now on until all pages are closed. */
  close(): void;
}

const SCRIPT_URL = '/qiway-sw.js';
const TIMEOUT_MS = 10_000;
/** A worker that was active before takes a page at once, or not at all. */
const ACTIVE_TIMEOUT_MS = 1000;

/**
 * Registers the service worker; resolves once it answers this page's requests under `/robot/`.
 * @throws `unsupported` with the reason in `data.what`: `insecure-origin`, `service-worker`, `script` or `uncontrolled`
 * @example
 * import { registerGateway } from '@qiway/sdk/gateway';
 * await registerGateway();
 * const answer = await fetch('/robot/services');
 */
export async function registerGateway(options: RegisterGatewayOptions = {}): Promise<Gateway> {
  const { scriptUrl = SCRIPT_URL, scope, type = 'classic', timeoutMs = TIMEOUT_MS } = options;
  const container = containerOfPage();
  const wasActive = container.controller === null && (await container.getRegistration(scope))?.active != null;
  const registration = await container
    .register(scriptUrl, { type, ...(scope === undefined ? {} : { scope }) })
    .catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new QiwayError(
        'unsupported',
        `The service worker ${scriptUrl} cannot be used: ${reason}. npx @qiway/sdk init DIR puts one into a folder of files that are served.`,
        { data: { what: 'script' }, cause },
      );
    });
  await controlled(container, wasActive ? ACTIVE_TIMEOUT_MS : timeoutMs);
  return { registration, close: letNewerTakeOver(container, registration) };
}

/**
 * `fetch` for requests under `/robot/` whose `signal` stops the call on the robot at once. Plain `fetch` does everything else as
 * well; but Chromium tells a service worker that a request was aborted only when its answer has begun.
 */
export async function gatewayFetch(input: string | URL, init: RequestInit = {}): Promise<Response> {
  const { signal } = init;
  const request = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  const headers = new Headers(init.headers);
  headers.set(REQUEST_ID_HEADER, request);
  const abort = (): void =>
    globalThis.navigator?.serviceWorker?.controller?.postMessage({ qiway: 'abort', request } satisfies PageWord);
  signal?.addEventListener('abort', abort);
  try {
    return await fetch(input, { ...init, headers });
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** @throws `unsupported` */
function containerOfPage(): ServiceWorkerContainer {
  const { navigator, isSecureContext } = globalThis;
  if (navigator?.serviceWorker !== undefined) return navigator.serviceWorker;
  if (isSecureContext === false)
    throw new QiwayError(
      'unsupported',
      'A page of a plain http address has no service worker. Where the agent serves the page, the same URLs reach the agent itself; else serve the page over https.',
      { data: { what: 'insecure-origin' } },
    );
  throw new QiwayError('unsupported', 'This browser has no service workers here; some have none in private windows.', {
    data: { what: 'service-worker' },
  });
}

/** @throws `unsupported` */
function controlled(container: ServiceWorkerContainer, timeoutMs: number): Promise<void> {
  if (container.controller !== null) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      container.removeEventListener('controllerchange', changed);
      act();
    };
    const changed = (): void => settle(resolve);
    const timer = setTimeout(
      () =>
        settle(() =>
          reject(
            new QiwayError(
              'unsupported',
              'The service worker does not control this page: it was loaded past it (with shift), or the worker does not claim its pages. Load the page again.',
              { data: { what: 'uncontrolled' } },
            ),
          ),
        ),
      timeoutMs,
    );
    container.addEventListener('controllerchange', changed);
  });
}

/** A worker that takes over ends the streams of the one before it, so it is asked to when there are none. Returns how to stop. */
function letNewerTakeOver(container: ServiceWorkerContainer, registration: ServiceWorkerRegistration): () => void {
  const ask = (): void => registration.active?.postMessage({ qiway: 'ping' } satisfies PageWord);
  const look = (): void => {
    const newer = registration.installing;
    newer?.addEventListener('statechange', () => newer.state === 'installed' && ask());
  };
  const hear = ({ data }: MessageEvent<StreamCount | undefined>): void => {
    if (data?.qiway === 'streams' && data.open === 0)
      registration.waiting?.postMessage({ qiway: 'take-over' } satisfies PageWord);
  };
  container.addEventListener('message', hear);
  registration.addEventListener('updatefound', look);
  look();
  if (registration.waiting !== null) ask();
  return () => {
    container.removeEventListener('message', hear);
    registration.removeEventListener('updatefound', look);
  };
}

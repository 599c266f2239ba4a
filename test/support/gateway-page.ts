// What runs in the page of a gateway-site.ts: owns a link when it is told to, answers the service worker, and does with the door
// what tests ask for. Bundled for the page; knows nothing of the test's process.
import { connect } from '../../sdk/connect.ts';
import { gatewayFetch, registerGateway } from '../../sdk/gateway/register-gateway.ts';
import type { Robot } from '../../sdk/robot.ts';

interface AskInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body is text, or what the site has at a path. */
  readonly text?: string;
  readonly bodyPath?: string;
}

let robot: Robot | undefined;
const streams = new Map<number, ReadableStreamDefaultReader<Uint8Array>>();
const aborts = new Map<number, AbortController>();
let lastId = 0;
let offers = 0;
const offerListeners = new Set<() => void>();

async function send(path: string, init: AskInit = {}): Promise<Response> {
  const body = init.bodyPath === undefined ? init.text : await (await fetch(init.bodyPath)).blob();
  return fetch(path, {
    method: init.method ?? 'GET',
    headers: { ...init.headers },
    ...(body === undefined ? {} : { body }),
  });
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  return btoa(text);
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...sum].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Called by tests through `evaluate`. */
export const pageDoor = {
  register: async (scriptUrl: string): Promise<string> => {
    try {
      await registerGateway({ scriptUrl });
      return 'controlled';
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },
  /** The page owns its link. */
  own: async (url: string): Promise<void> => {
    robot = await connect(url, { worker: false });
  },
  /** Resolves once the link is in this state. */
  linkState: (wanted: 'online' | 'offline'): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (robot?.status.state !== wanted) return;
        stop?.();
        resolve();
      };
      const stop = robot?.onStatusChange(look);
      look();
    }),
  /** Resolves when the worker has offered so many requests since this was asked with 0. */
  offered: (count: number): Promise<void> =>
    new Promise((resolve) => {
      if (count === 0) offers = 0;
      const look = (): void => {
        if (offers < count) return;
        offerListeners.delete(look);
        resolve();
      };
      offerListeners.add(look);
      look();
    }),
  /** Resolves when the worker, asked again and again, tells so many streams. */
  streamsTold: (wanted: number): Promise<void> =>
    new Promise((resolve) => {
      const { serviceWorker } = navigator;
      const timer = setInterval(() => serviceWorker.controller?.postMessage({ qiway: 'ping' }), 100);
      const hear = ({ data }: MessageEvent<{ qiway?: string; open?: number }>): void => {
        if (data.qiway !== 'streams' || data.open !== wanted) return;
        clearInterval(timer);
        serviceWorker.removeEventListener('message', hear);
        resolve();
      };
      serviceWorker.addEventListener('message', hear);
    }),
  /** As an app does it: a SharedWorker owns the link. Gives who owns it. */
  connect: async (url: string): Promise<string> => (await connect(url, { worker: '/qiway-worker.js' })).status.owner,
  disown: async (): Promise<void> => robot?.close(),
  async ask(path: string, init?: AskInit): Promise<{ status: number; headers: Record<string, string>; body: string }> {
    const response = await send(path, init);
    const { status, headers } = response;
    return {
      status,
      headers: Object.fromEntries(headers),
      body: toBase64(new Uint8Array(await response.arrayBuffer())),
    };
  },
  async digest(path: string, init?: AskInit): Promise<{ status: number; length: number; sha256: string }> {
    const response = await send(path, init);
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, length: bytes.length, sha256: await sha256(bytes) };
  },
  async open(path: string, init?: AskInit): Promise<{ id: number; status: number; headers: Record<string, string> }> {
    const { status, headers, body } = await send(path, init);
    const id = ++lastId;
    if (body !== null) streams.set(id, body.getReader());
    return { id, status, headers: Object.fromEntries(headers) };
  },
  async next(id: number): Promise<string | null> {
    const { value } = (await streams.get(id)?.read()) ?? {};
    return value === undefined ? null : toBase64(value);
  },
  cancel: async (id: number): Promise<void> => streams.get(id)?.cancel(),
  begin(path: string, init?: AskInit): number {
    const controller = new AbortController();
    aborts.set(++lastId, controller);
    const { method = 'GET', headers = {} } = init ?? {};
    gatewayFetch(path, { method, headers, signal: controller.signal }).catch(() => undefined);
    return lastId;
  },
  abort: (id: number): void => aborts.get(id)?.abort(),
};

// Before the SDK listens.
navigator.serviceWorker?.addEventListener('message', ({ data }) => {
  if (data?.qiway !== 'request') return;
  offers++;
  for (const look of [...offerListeners]) look();
});
Object.assign(globalThis, { door: pageDoor });
document.title = 'ready';

// The part of a service worker's platform that the gateway uses. TypeScript's library for pages has none of it, and the one
// for workers cannot stand beside it.

export interface WindowClient {
  readonly id: string;
  postMessage(message: unknown, transfer: Transferable[]): void;
}

export interface Clients {
  matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly WindowClient[]>;
  get(id: string): Promise<WindowClient | undefined>;
  claim(): Promise<void>;
}

export interface GatewayFetchEvent {
  readonly request: Request;
  /** Of the page that asks; empty for a navigation. */
  readonly clientId: string;
  respondWith(response: Promise<Response>): void;
}

export interface GatewayMessageEvent {
  readonly data: unknown;
  readonly source: { postMessage(message: unknown): void } | null;
}

export interface LifetimeEvent {
  waitUntil(promise: Promise<unknown>): void;
}

export interface WorkerScope {
  readonly location: { readonly origin: string };
  readonly clients: Clients;
  readonly registration: { readonly active: unknown; readonly scope: string };
  fetch(request: Request): Promise<Response>;
  skipWaiting(): Promise<void>;
  addEventListener(type: 'fetch', listener: (event: GatewayFetchEvent) => void): void;
  addEventListener(type: 'message', listener: (event: GatewayMessageEvent) => void): void;
  addEventListener(type: 'install' | 'activate', listener: (event: LifetimeEvent) => void): void;
}

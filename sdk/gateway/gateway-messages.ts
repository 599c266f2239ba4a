// What page, service worker and owner of a link say to each other about HTTP requests: words only. Knows no ports.
// The first three shapes stay as they are in every protocol to come: pages and workers of different versions must be able to
// tell each other so.

/** Of everything on a request's port. Raised when a page and a worker of different versions would misunderstand each other. */
export const GATEWAY_PROTOCOL = 1;

/** The agent says so on every answer under /robot/: then the origin's network is a door, too. */
export const DOOR_HEADER = 'qiway-door';

/** Worker to its pages, with a port: who owns a link? */
export interface RequestOffer {
  readonly qiway: 'request';
  readonly protocol: number;
  /** Of the SDK. */
  readonly version: string;
}

/** On the port, by a page: I have no owner; or, I am of another protocol. */
export type OfferRefusal =
  | { readonly kind: 'none' }
  | { readonly kind: 'mismatch'; readonly protocol: number; readonly version: string };

/** On the port, by the owner: I am here, give me the request. */
export interface OfferTaken {
  readonly kind: 'taken';
}

/** Worker to its pages: so many answers are being streamed. As long as there are some, a page says `ping` now and then. */
export interface StreamCount {
  readonly qiway: 'streams';
  readonly open: number;
}

/**
 * A page to the worker. `take-over`: to one that waits to be the active one. `abort`: nobody waits for the request that has this
 * id in its header `qiway-request` any more; Chromium (156) tells a worker so only when the answer has begun.
 */
export type PageWord = { readonly qiway: 'ping' | 'take-over' } | { readonly qiway: 'abort'; readonly request: string };

export const REQUEST_ID_HEADER = 'qiway-request';

/** On the port, by the worker. */
export interface RequestHead {
  readonly kind: 'request';
  /** In capitals. */
  readonly method: string;
  /** Path and query; begins with `/robot/`, whatever the worker's base is. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly hasBody: boolean;
  /** The page that asks; empty for a navigation. */
  readonly client: string;
  /** Which of the origin's workers this is: its scope. */
  readonly scope: string;
  /** Another text each time the worker was started. */
  readonly run: string;
}

/** On the port, by the owner. */
export interface ResponseHead {
  readonly kind: 'response';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly hasBody: boolean;
}

/**
 * Of the body that either side sends: a piece; its end, or that it broke off. By who reads it: so many bytes are done with;
 * nobody wants the rest (of a response: nor the request).
 */
export type BodyMessage =
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'more'; readonly bytes: number }
  | { readonly kind: 'stop' };

/** By the worker: the port is done with. */
export interface Farewell {
  readonly kind: 'bye';
}

/** Everything that goes over a request's port. */
export type PortMessage = OfferRefusal | OfferTaken | RequestHead | ResponseHead | BodyMessage | Farewell;

// What the console's pages and its service worker say to each other. Layer: page and worker; types and their names only.

/** Where the build puts the worker: at the root, since its folder is what it may serve. */
export const WORKER_URL = '/sw.js';
/** Background Sync: the network is back, and calls wait. */
export const SYNC_TAG = 'qiway-calls-wait';

/** From a page. */
export type ToWorker =
  /** A person wants the new version now. */
  | { readonly console: 'take-over' }
  /** Does the worker keep the version that this page runs? `entry`: the path of its main script. Answered on the port. */
  | { readonly console: 'same-version'; readonly entry: string };

/** Answer to `same-version`. */
export interface SameVersion {
  readonly isSame: boolean;
}

/** From the worker: look for the robot now. */
export interface ToPage {
  readonly console: 'look-now';
}

export function isToPage(message: unknown): message is ToPage {
  return typeof message === 'object' && message !== null && 'console' in message && message.console === 'look-now';
}

// The handshake as a chunk of its own: fetched with the first link, once for all. The only file here that the core may import.
import { onceLoaded } from '../once-loaded.ts';
import type { Secure } from './secure.ts';

/**
 * To be called before a WebSocket is opened, so that both go on at once.
 * @throws `dial-failed` (rejects) when the chunk cannot be loaded; the next call tries again
 */
export const loadSecure: () => Promise<Secure> = onceLoaded('secures links', () =>
  import('./secure.ts').then((part) => part.openSecure()),
);

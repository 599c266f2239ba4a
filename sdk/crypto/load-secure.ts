// The handshake as a chunk of its own: fetched with the first link, once for all. The only file here that the core may import.
import { QiwayError } from '@qiway/protocol/errors';
import type { Secure } from './secure.ts';

/**
 * To be called before a WebSocket is opened, so that both go on at once.
 * @throws `dial-failed` (rejects) when the chunk cannot be loaded; the next call tries again
 */
export const loadSecure: () => Promise<Secure> = onceLoaded(() =>
  import('./secure.ts').then((part) => part.openSecure()),
);

function onceLoaded(load: () => Promise<Secure>): () => Promise<Secure> {
  let loading: Promise<Secure> | undefined;
  return () => {
    loading ??= load().catch((cause: unknown) => {
      loading = undefined;
      throw new QiwayError(
        'dial-failed',
        'The part of the SDK that secures links could not be loaded; look whether its files are where the page expects them, and whether their server can be reached.',
        { data: { reason: 'the part that secures links is missing' }, cause },
      );
    });
    return loading;
  };
}

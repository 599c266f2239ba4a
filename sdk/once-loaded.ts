// A chunk without which there is no link: fetched once for all, again when that failed.
import { QiwayError } from '@qiway/protocol/errors';

/** @param does what the chunk does. The function given rejects with `dial-failed` when it cannot be loaded; the next call tries again. */
export function onceLoaded<T>(does: string, load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => {
    loading ??= load().catch((cause: unknown) => {
      loading = undefined;
      throw new QiwayError(
        'dial-failed',
        `The part of the SDK that ${does} could not be loaded; look whether its files are where the page expects them, and whether their server can be reached.`,
        { data: { reason: `the part that ${does} is missing` }, cause },
      );
    });
    return loading;
  };
}

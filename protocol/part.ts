// A part of the program that may come later: here at once where it is linked in, loaded when first needed in a page.
// Layer 0; knows nothing of what the parts are.
import { isQiwayError, QiwayError } from './errors.ts';

/** `T` is what the part exports. */
export interface Part<T> {
  /** Undefined until it is here. */
  readonly here: T | undefined;
  /** Resolves when it is here. Never rejects: whoever needs it then finds it absent, and the next call tries again. */
  load(): Promise<void>;
}

/** A part that is linked in. */
export function linkedPart<T>(exports: T): Part<T> {
  return { here: exports, load: () => Promise.resolve() };
}

/** A part that is fetched when it is first needed; once for all who ask. */
export function lazyPart<T>(fetchIt: () => Promise<T>): Part<T> {
  let here: T | undefined;
  let loading: Promise<void> | undefined;
  return {
    get here() {
      return here;
    },
    load: () => {
      loading ??= fetchIt().then(
        (exports) => {
          here = exports;
        },
        () => {
          loading = undefined;
        },
      );
      return loading;
    },
  };
}

/** What comes from a part. @throws `unsupported` when the part is not here */
export function needed<T>(here: T | undefined): T {
  if (here === undefined) throw partMissing();
  return here;
}

/** Was it refused only because the part is not here? */
export function isPartMissing(error: unknown): boolean {
  return isQiwayError(error) && error.code === 'unsupported' && (error.data as { what?: string }).what === 'part';
}

export function partMissing(): QiwayError<'unsupported'> {
  return new QiwayError(
    'unsupported',
    'A part of the SDK could not be loaded; look whether its files are where the page expects them, and load the page again.',
    { data: { what: 'part' } },
  );
}

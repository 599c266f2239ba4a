// The events of a signal as a store: subscribed while somebody listens. Knows no framework.
import { asQiwayError, type QiwayError } from '@qiway/protocol/errors';
import type { FlowOptions, Signal } from '@qiway/protocol/objects/remote-types';
import { stayConnected } from './stay-connected.ts';
import { createStore, type Store } from './store.ts';

export interface SignalSnapshot<A extends readonly unknown[]> {
  /** Arguments of the newest event; undefined before the first. */
  readonly args: A | undefined;
  /** Events that were missed, as far as is known; a gap of unknown size counts as one. */
  readonly missed: number;
  /** Why there is no subscription at the moment. */
  readonly error: QiwayError | undefined;
}

export interface SignalStoreOptions<A extends readonly unknown[]> extends FlowOptions {
  /** Runs for each event; then `args` of the store stay undefined, and events alone change nothing. */
  readonly onEvent?: (...args: A) => unknown;
  /** Takes what `onEvent` throws. Default: the console. */
  readonly onError?: (error: unknown) => void;
}

/** What there is before the first listener, without a signal, and on a server. */
export const NO_EVENT: SignalSnapshot<never> = { args: undefined, missed: 0, error: undefined };

/** @param signal without one the store stays empty */
export function signalStore<A extends readonly unknown[]>(
  signal: Signal<A> | undefined,
  options: SignalStoreOptions<A> = {},
): Store<SignalSnapshot<A>> {
  const { onEvent, onError = console.error, ...flow } = options;
  return createStore<SignalSnapshot<A>>({
    empty: NO_EVENT as SignalSnapshot<A>,
    start: (control) => {
      if (signal === undefined) return () => {};
      const event = (...args: A): void => {
        if (!control.isOpen) return;
        if (onEvent === undefined) return control.change({ args });
        try {
          const result = onEvent(...args);
          if (result instanceof Promise) result.catch(onError);
        } catch (error) {
          onError(error);
        }
      };
      return stayConnected({
        connect: (gone) =>
          signal.connect(event, {
            ...flow,
            gap: (missed = 1) => control.change({ missed: control.snapshot.missed + missed }),
            gone,
          }),
        connected: () => control.change({ error: undefined }),
        failed: (error) => control.change({ error: asQiwayError(error) }),
      });
    },
  });
}

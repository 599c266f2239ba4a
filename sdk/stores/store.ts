// A value that changes, in the shape that frameworks take: subscribe, and look. Knows nothing of robots.

export interface Store<T> {
  /** Calls `listener` after every change; returns how to stop. What the value needs lives from the first listener to the last. */
  readonly subscribe: (listener: () => void) => () => void;
  /** The value now: the same object until it changes. Before the first listener, after the last and on a server: the empty one. */
  readonly getSnapshot: () => T;
}

/** What a running store is given. */
export interface StoreControl<T> {
  /** False once the store was stopped: what comes late is nobody's. */
  readonly isOpen: boolean;
  readonly snapshot: T;
  /** Changes fields of the value, and tells; not when they are what they were. */
  change(fields: Partial<T>): void;
}

export interface StoreOptions<T> {
  /** While nobody listens. */
  readonly empty: T;
  /** The first listener came. Returns what is to be done when nobody listens any more. Must not throw. */
  readonly start: (control: StoreControl<T>) => () => void;
  /**
   * Calls `stop` a little after the last listener went, unless it is cancelled: whoever is mounted again at once (React does
   * so in StrictMode) goes on with what there is. Default: at the end of the turn.
   */
  readonly linger?: (stop: () => void) => () => void;
}

interface Running<T> {
  readonly kind: 'running';
  snapshot: T;
  stop: () => void;
  /** Set while nobody listens. */
  stay: (() => void) | undefined;
}

export function createStore<T extends object>({ empty, start, linger = lingerTurn }: StoreOptions<T>): Store<T> {
  /** By an object each: the same function may subscribe twice. */
  const listeners = new Set<{ readonly tell: () => void }>();
  let state: { readonly kind: 'idle' } | Running<T> = { kind: 'idle' };

  const run = (): void => {
    const running: Running<T> = { kind: 'running', snapshot: empty, stop: () => {}, stay: undefined };
    state = running;
    running.stop = start({
      get isOpen() {
        return state === running;
      },
      get snapshot() {
        return running.snapshot;
      },
      change: (fields) => {
        if (state !== running) return;
        const { snapshot } = running;
        const names = Object.keys(fields) as (keyof T)[];
        if (names.every((name) => Object.is(snapshot[name], fields[name]))) return;
        running.snapshot = { ...snapshot, ...fields };
        for (const { tell } of [...listeners]) tell();
      },
    });
  };
  const stop = (): void => {
    if (state.kind === 'idle' || listeners.size > 0) return;
    const ended = state;
    state = { kind: 'idle' };
    ended.stop();
  };

  return {
    subscribe: (listener) => {
      const entry = { tell: listener };
      listeners.add(entry);
      if (state.kind === 'idle') run();
      else {
        state.stay?.();
        state.stay = undefined;
      }
      return () => {
        if (listeners.delete(entry) && listeners.size === 0 && state.kind === 'running') state.stay = linger(stop);
      };
    },
    getSnapshot: () => (state.kind === 'running' ? state.snapshot : empty),
  };
}

function lingerTurn(stop: () => void): () => void {
  let isCancelled = false;
  queueMicrotask(() => {
    if (!isCancelled) stop();
  });
  return () => {
    isCancelled = true;
  };
}

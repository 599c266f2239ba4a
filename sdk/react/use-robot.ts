// Robots in React: which components share a link, and for how long it is kept.
import {
  type Context,
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import type { LooseServices } from '../robot.ts';
import { NO_ROBOT, type RobotSnapshot, type RobotStoreOptions } from '../stores/robot-store.ts';
import { RobotPool } from './robot-pool.ts';

/** Components outside of any provider share the robots of the page. */
export const PoolContext: Context<RobotPool> = createContext(new RobotPool());

export interface RobotProviderProps {
  readonly children?: ReactNode;
  /** For every robot below, unless a component says otherwise. Read once. */
  readonly options?: RobotStoreOptions;
}

/** Components below share one link for each URL; without a provider, all components of the page do. */
export function RobotProvider({ children, options }: RobotProviderProps): ReactElement {
  const [pool] = useState(() => new RobotPool(options));
  return createElement(PoolContext.Provider, { value: pool }, children);
}

export interface UsedRobot<S = LooseServices> extends RobotSnapshot<S> {
  /** Connects again when that failed, or the robot was closed; otherwise nothing. */
  readonly retry: () => void;
}

/**
 * The robot at `url`: connected when the first component uses it, closed a moment (`lingerMs`, 1 s) after the last is gone.
 * Nothing is thrown: what went wrong is `error`.
 * @param url as for `connect`; undefined: not yet known
 * @param options of the first component that uses the URL
 */
export function useRobot<S = LooseServices>(url: string | undefined, options: RobotStoreOptions = {}): UsedRobot<S> {
  const pool = useContext(PoolContext);
  const newest = useNewest(options);
  const { subscribe, look, retry } = useMemo(
    () => ({
      subscribe: (listener: () => void) =>
        url === undefined ? () => {} : pool.subscribe(url, newest.current, listener),
      look: () => (url === undefined ? NO_ROBOT : pool.snapshot(url)) as RobotSnapshot<S>,
      retry: () => url !== undefined && pool.retry(url),
    }),
    [pool, url, newest],
  );
  const snapshot = useSyncExternalStore(subscribe, look, () => NO_ROBOT as RobotSnapshot<S>);
  return useMemo(() => ({ ...snapshot, retry }), [snapshot, retry]);
}

/** What a component was given last, for what runs outside of rendering. */
export function useNewest<T>(value: T): { readonly current: T } {
  const newest = useRef(value);
  useEffect(() => {
    newest.current = value;
  });
  return newest;
}

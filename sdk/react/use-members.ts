// Services, signals and properties in React: subscribed while a component is mounted. Nothing is thrown: errors are returned.
import type { QiwayError } from '@qiway/protocol/errors';
import type { FlowOptions, Property, RemoteObject, Signal } from '@qiway/protocol/objects/remote-types';
import { useContext, useMemo, useSyncExternalStore } from 'react';
import type { Robot } from '../robot.ts';
import { NO_VALUE, type PropertySnapshot, propertyStore } from '../stores/property-store.ts';
import { NO_SERVICE, type ServiceSnapshot } from '../stores/service-store.ts';
import { NO_EVENT, type SignalSnapshot, signalStore } from '../stores/signal-store.ts';
import type { Store } from '../stores/store.ts';
import { PoolContext, useNewest } from './use-robot.ts';

function useStore<T>({ subscribe, getSnapshot }: Store<T>, empty: T): T {
  return useSyncExternalStore(subscribe, getSnapshot, () => empty);
}

/** A service while the robot has it; another object when it came back. @param robot undefined as long as there is none */
export function useService<S, K extends keyof S & string>(robot: Robot<S> | undefined, name: K): ServiceSnapshot<S[K]> {
  const pool = useContext(PoolContext);
  const store = useMemo(() => pool.service(robot, name), [pool, robot, name]);
  const snapshot = useStore<ServiceSnapshot<S[K]>>(store, NO_SERVICE as ServiceSnapshot<S[K]>);
  const { service } = snapshot as { readonly service: RemoteObject<object> | undefined };
  // While rendering, so that the properties know it in the same pass; noting it twice is noting it once.
  useMemo(() => robot && service && pool.own(service, robot as Robot<never>), [pool, robot, service]);
  return snapshot;
}

export interface UseLatest extends FlowOptions {
  readonly latest: true;
}

/** What is told of a signal whose events go to a handler. */
export type HandledSignal = Omit<SignalSnapshot<never>, 'args'>;

/**
 * Runs `handler`, that of the last rendering, for every event while the component is mounted.
 * @param signal undefined as long as there is none
 */
export function useSignal<A extends readonly unknown[]>(
  signal: Signal<A> | undefined,
  handler: (...args: NoInfer<A>) => unknown,
  options?: FlowOptions,
): HandledSignal;
/** Renders with the arguments of the newest event. */
export function useSignal<A extends readonly unknown[]>(
  signal: Signal<A> | undefined,
  options: UseLatest,
): SignalSnapshot<A>;
export function useSignal<A extends readonly unknown[]>(
  signal: Signal<A> | undefined,
  how: ((...args: A) => unknown) | UseLatest,
  options: FlowOptions = {},
): SignalSnapshot<A> {
  const isHandled = typeof how === 'function';
  const { policy = isHandled ? 'every' : 'latest', maxHz = 0 } = isHandled ? options : how;
  const newest = useNewest(how);
  const store = useMemo(() => {
    const onEvent = (...args: A): unknown =>
      typeof newest.current === 'function' ? newest.current(...args) : undefined;
    return signalStore(signal, { policy, maxHz, ...(isHandled && { onEvent }) });
  }, [signal, policy, maxHz, isHandled, newest]);
  return useStore(store, NO_EVENT as SignalSnapshot<A>);
}

export type UsedProperty<T> = readonly [
  value: T | undefined,
  /** Sets it; the value changes when the robot tells so. Never rejects: resolves to what went wrong. */
  set: (value: T) => Promise<QiwayError | undefined>,
  state: Pick<PropertySnapshot<T>, 'error' | 'isStale'>,
];

/**
 * The value of a property, live. `isStale`: it may be another by now, since the robot cannot be reached or does not tell.
 * @param property of a service of `useService`, whose robot is known; of other objects the loss of the link alone is not seen
 */
export function useProperty<T>(property: Property<T> | undefined, options: FlowOptions = {}): UsedProperty<T> {
  const pool = useContext(PoolContext);
  const { policy = 'latest', maxHz = 0 } = options;
  const store = useMemo(
    () => propertyStore(property, { policy, maxHz, robot: pool.robotOf(property) }),
    [pool, property, policy, maxHz],
  );
  const { value, error, isStale } = useStore(store, NO_VALUE as PropertySnapshot<T>);
  return useMemo(() => [value, store.set, { error, isStale }], [value, store, error, isStale]);
}

// A property as a store: its value, live while somebody listens. Knows no framework.
import { asQiwayError, type QiwayError } from '@qiway/protocol/errors';
import type { FlowOptions, Property } from '@qiway/protocol/objects/remote-types';
import { isReachable, type Reachable } from './service-store.ts';
import { stayConnected } from './stay-connected.ts';
import { createStore, type Store } from './store.ts';

export interface PropertySnapshot<T> {
  /** The newest that the robot told; undefined before the first. */
  readonly value: T | undefined;
  /** The value may be another by now: the robot cannot be reached, or does not tell. */
  readonly isStale: boolean;
  /** Why it is not told, or what came of the last `set`. */
  readonly error: QiwayError | undefined;
}

export interface PropertyStoreOptions extends FlowOptions {
  /** Whose property it is: then the value is stale as soon as the link is lost, and is asked for when it is back. */
  readonly robot?: Reachable | undefined;
}

export interface PropertyStore<T> extends Store<PropertySnapshot<T>> {
  /** Sets the property; the value changes when the robot tells so. Never rejects: resolves to what went wrong. */
  readonly set: (value: T) => Promise<QiwayError | undefined>;
}

/** What there is before the first listener, without a property, and on a server. */
export const NO_VALUE: PropertySnapshot<never> = { value: undefined, isStale: true, error: undefined };

/** @param property without one the store stays empty */
export function propertyStore<T>(
  property: Property<T> | undefined,
  options: PropertyStoreOptions = {},
): PropertyStore<T> {
  const { robot, ...flow } = options;
  let tellError: ((error: QiwayError | undefined) => void) | undefined;
  const store = createStore<PropertySnapshot<T>>({
    empty: NO_VALUE as PropertySnapshot<T>,
    start: (control) => {
      if (property === undefined) return () => {};
      let isConnected = false;
      const isFresh = (): boolean => isConnected && (robot === undefined || isReachable(robot));
      const read = (): void => {
        property.value().then(
          (value) => control.change({ value, isStale: !isFresh(), error: undefined }),
          (error: unknown) => control.change({ isStale: true, error: asQiwayError(error) }),
        );
      };
      const failed = (error: QiwayError): void => {
        isConnected = false;
        control.change({ isStale: true, error });
      };
      const stopSubscription = stayConnected({
        connect: (gone) =>
          property.connect((value) => control.change({ value, isStale: !isFresh() }), { ...flow, gap: read, gone }),
        connected: () => {
          isConnected = true;
          // After the subscription: what changes meanwhile is told.
          read();
        },
        failed,
      });
      let wasReachable = robot !== undefined && isReachable(robot);
      const stopStatus = robot?.onStatusChange(() => {
        const isBack = isReachable(robot) && !wasReachable;
        wasReachable = isReachable(robot);
        if (!wasReachable) control.change({ isStale: true });
        else if (isBack && isConnected) read();
      });
      tellError = (error) => control.change({ error });
      return () => {
        tellError = undefined;
        stopSubscription();
        stopStatus?.();
      };
    },
  });
  const set = async (value: T): Promise<QiwayError | undefined> => {
    let error: QiwayError | undefined;
    try {
      if (property === undefined) return undefined;
      await property.setValue(value);
    } catch (thrown) {
      error = asQiwayError(thrown);
    }
    tellError?.(error);
    return error;
  };
  return { ...store, set };
}

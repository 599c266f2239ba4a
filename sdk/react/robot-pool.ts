// The robots of an app, one link for each URL however many components use it; and whose services were handed out, so that
// their properties know when they are stale. Knows stores, and nothing of React.
import { metaObjectOf } from '@qiway/protocol/objects/remote-object';
import type { Robot } from '../robot.ts';
import {
  NO_ROBOT,
  type RobotSnapshot,
  type RobotStore,
  type RobotStoreOptions,
  robotStore,
} from '../stores/robot-store.ts';
import { type Reachable, type ServiceSnapshot, serviceStore } from '../stores/service-store.ts';
import type { Store } from '../stores/store.ts';

export class RobotPool {
  readonly #defaults: RobotStoreOptions;
  /** Those that somebody uses, or used a moment ago. */
  readonly #stores = new Map<string, { readonly store: RobotStore; users: number }>();
  /** One object of a service for all who use it: one registration for each of its signals. */
  readonly #services = new WeakMap<object, Map<string, unknown>>();
  readonly #robots = new WeakMap<object, Reachable>();

  constructor(defaults: RobotStoreOptions = {}) {
    this.#defaults = defaults;
  }

  /** @param options count for the first who uses the URL */
  subscribe(url: string, options: RobotStoreOptions, listener: () => void): () => void {
    for (const [known, { store, users }] of this.#stores)
      if (users === 0 && !store.isRunning()) this.#stores.delete(known);
    const entry = this.#stores.get(url) ?? { store: robotStore(url, { ...this.#defaults, ...options }), users: 0 };
    this.#stores.set(url, entry);
    entry.users += 1;
    const stop = entry.store.subscribe(listener);
    return () => {
      stop();
      entry.users -= 1;
    };
  }

  snapshot(url: string): RobotSnapshot {
    return this.#stores.get(url)?.store.getSnapshot() ?? NO_ROBOT;
  }

  retry(url: string): void {
    this.#stores.get(url)?.store.retry();
  }

  service<S, K extends keyof S & string>(robot: Robot<S> | undefined, name: K): Store<ServiceSnapshot<S[K]>> {
    if (robot === undefined) return serviceStore(robot, name);
    const stores = (this.#services.get(robot) ?? new Map()) as Map<string, Store<ServiceSnapshot<S[K]>>>;
    this.#services.set(robot, stores);
    const store = stores.get(name) ?? serviceStore(robot, name);
    stores.set(name, store);
    return store;
  }

  /** Notes whose a service and its properties are. */
  own(service: object, robot: Reachable): void {
    for (const { name } of metaObjectOf(service).properties.values()) {
      const property = (service as Readonly<Record<string, unknown>>)[name];
      if (typeof property === 'object' && property !== null) this.#robots.set(property, robot);
    }
  }

  robotOf(property: object | undefined): Reachable | undefined {
    return property && this.#robots.get(property);
  }
}

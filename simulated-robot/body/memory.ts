// The robot's memory: values by key, and events that reach whoever subscribed. Knows no bus; values are whatever came in.
import { nearestNames, suggestion } from '@qiway/protocol/nearest-names';

/** So that no client fills the robot's memory. */
const MAX_KEYS = 10_000;
const MAX_KEY_LENGTH = 256;

export interface Memory {
  /** @throws with the nearest keys when there is none of that name */
  get(key: string): unknown;
  has(key: string): boolean;
  insert(key: string, value: unknown): void;
  /** Stores the value and tells the subscribers. */
  raise(key: string, value: unknown): void;
  /** Tells the subscribers, stores nothing. */
  raiseMicro(key: string, value: unknown): void;
  declare(key: string): void;
  /** @throws when there is no such key */
  remove(key: string): void;
  keys(): string[];
  events(): string[];
  /** Hears every value raised for `key`; returns how to stop. */
  subscribe(key: string, listener: (value: unknown) => void): () => void;
}

export function createMemory(): Memory {
  const values = new Map<string, unknown>();
  const declared = new Set<string>();
  const listeners = new Map<string, Set<(value: unknown) => void>>();
  const check = (key: string): void => {
    if (key === '' || key.length > MAX_KEY_LENGTH)
      throw new Error(`A key has 1 to ${MAX_KEY_LENGTH} characters, not ${key.length}.`);
    if (values.size + declared.size >= MAX_KEYS && !values.has(key) && !declared.has(key)) {
      throw new Error(`The memory holds ${MAX_KEYS} keys already; remove some with removeData().`);
    }
  };
  const tell = (key: string, value: unknown): void => {
    for (const listener of [...(listeners.get(key) ?? [])]) listener(value);
  };
  const known = (key: string): void => {
    if (values.has(key)) return;
    const hint = suggestion(nearestNames(key, values.keys()));
    throw new Error(
      declared.has(key)
        ? `"${key}" has no value yet; raiseEvent or insertData gives it one.`
        : `There is no data "${key}".${hint}`,
    );
  };
  return {
    get(key) {
      known(key);
      return values.get(key);
    },
    has: (key) => values.has(key),
    insert(key, value) {
      check(key);
      values.set(key, value);
    },
    raise(key, value) {
      check(key);
      values.set(key, value);
      declared.add(key);
      tell(key, value);
    },
    raiseMicro(key, value) {
      check(key);
      declared.add(key);
      tell(key, value);
    },
    declare(key) {
      check(key);
      declared.add(key);
    },
    remove(key) {
      known(key);
      values.delete(key);
    },
    keys: () => [...values.keys()].sort(),
    events: () => [...declared].sort(),
    subscribe(key, listener) {
      const own = (value: unknown): void => listener(value);
      const heard = listeners.get(key) ?? new Set();
      listeners.set(key, heard.add(own));
      return () => {
        heard.delete(own);
        if (heard.size === 0 && listeners.get(key) === heard) listeners.delete(key);
      };
    },
  };
}

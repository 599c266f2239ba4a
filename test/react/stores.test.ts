// Stores without any framework, against a real agent; and the adapters that docs/frameworks.md shows, as they stand there.
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { signal as preactSignal } from '@preact/signals';
import { property, signal } from '@qiway/protocol/objects/hosted-object';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Property, Signal } from '../../sdk/index.ts';
import { propertyStore, robotStore, type Store, serviceStore, signalStore } from '../../sdk/stores/index.ts';
import { type RealRobot, realRobot } from '../sdk/real-robot.ts';
import { checkout } from '../support/checkout-copy.ts';

interface Services {
  Thing: { said: Signal<[word: string]>; volume: Property<number> };
}

let real: RealRobot;
const stops: (() => void)[] = [];

beforeEach(async () => {
  real = await realRobot({ said: signal('(s)'), volume: property('i', 5) });
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) stop();
  await real[Symbol.asyncDispose]();
});

/** Listens, and resolves with the first snapshot that is as wanted. */
function until<T>(store: Store<T>, isWanted: (snapshot: T) => boolean): Promise<T> {
  return new Promise((resolve) => {
    const look = (): void => {
      const snapshot = store.getSnapshot();
      if (isWanted(snapshot)) resolve(snapshot);
    };
    stops.push(store.subscribe(look));
    look();
  });
}

describe('stores', () => {
  test('a chain of them from the URL to a value', async () => {
    const robots = robotStore<Services>(real.url, { lingerMs: 0 });
    expect(robots.getSnapshot()).toEqual({ robot: undefined, status: undefined, error: undefined });
    const { robot } = await until(robots, (snapshot) => snapshot.robot !== undefined);
    const services = serviceStore(robot, 'Thing');
    const { service } = await until(services, (snapshot) => snapshot.service !== undefined);
    const volume = propertyStore(service?.volume, { robot });
    await until(volume, ({ value, isStale }) => value === 5 && !isStale);
    await expect(volume.set(6)).resolves.toBeUndefined();
    await until(volume, ({ value }) => value === 6);
    const refused = await volume.set('loud' as unknown as number);
    expect(refused?.code).toBe('invalid-argument');
    expect(volume.getSnapshot()).toEqual({ value: 6, isStale: false, error: refused });
    const same = volume.getSnapshot();
    expect(volume.getSnapshot()).toBe(same);
  });

  test('what a handler throws is reported, and the next event comes', async () => {
    const { robot } = await until(robotStore<Services>(real.url, { lingerMs: 0 }), (snapshot) => !!snapshot.robot);
    const { service } = await until(serviceStore(robot, 'Thing'), (snapshot) => !!snapshot.service);
    const thrown: unknown[] = [];
    const words: string[] = [];
    const fault = new Error('of the handler');
    const heard = new Promise<void>((resolve) => {
      const store = signalStore(service?.said, {
        onEvent: (word) => {
          words.push(word);
          if (word === 'third') resolve();
          if (word === 'first') throw fault;
          return word === 'second' ? Promise.reject(fault) : undefined;
        },
        onError: (error) => thrown.push(error),
      });
      stops.push(store.subscribe(() => {}));
    });
    await expect.poll(() => real.thing.emit('said', 'early') ?? words.length, { timeout: 10_000 }).toBeGreaterThan(0);
    for (const word of ['first', 'second', 'third']) real.thing.emit('said', word);
    await heard;
    await expect.poll(() => thrown).toEqual([fault, fault]);
  });

  test('a robot that is not there is an error, also as what cannot be a URL', async () => {
    const none = await until(robotStore('no://url'), ({ error }) => error !== undefined);
    expect(none.error?.code).toBe('invalid-argument');
    const { error } = await until(serviceStore(await robotOf(), 'Nothing'), (snapshot) => snapshot.error !== undefined);
    expect(error?.code).toBe('service-not-found');
  });
});

async function robotOf() {
  const { robot } = await until(robotStore<Record<string, object>>(real.url, { lingerMs: 0 }), (each) => !!each.robot);
  return robot;
}

/** A store that is changed by hand. */
function handStore(): { readonly store: Store<{ readonly count: number }>; set(count: number): void; users(): number } {
  let snapshot = { count: 0 };
  const listeners = new Set<() => void>();
  return {
    store: {
      subscribe: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      getSnapshot: () => snapshot,
    },
    set: (count) => {
      snapshot = { count };
      for (const listener of listeners) listener();
    },
    users: () => listeners.size,
  };
}

type Snapshot = { readonly count: number };
type FromStore<R> = (store: Store<Snapshot>) => R;

/** `fromStore` of the block of docs/frameworks.md, with these in place of what it imports. */
function documented<R>(framework: string, imports: Readonly<Record<string, unknown>>): FromStore<R> {
  const text = readFileSync(join(checkout, 'docs/frameworks.md'), 'utf8');
  const block = text.split(`\`\`\`ts ${framework}\n`)[1]?.split('```')[0] ?? '';
  const code = stripTypeScriptTypes(block.replaceAll(/^import .*$/gm, '').replace('export function', 'function'));
  return new Function(...Object.keys(imports), `${code}; return fromStore;`)(...Object.values(imports)) as FromStore<R>;
}

describe('adapters of docs/frameworks.md', () => {
  const cleanups: (() => void)[] = [];
  const clean = (run: () => void): void => void cleanups.push(run);

  const adapters: readonly [framework: string, adapt: FromStore<{ read: () => Snapshot; stop: () => void }>][] = [
    [
      'svelte',
      (store) => {
        // As svelte/store calls it once somebody subscribes.
        const readable = (first: Snapshot, start: (set: (value: Snapshot) => void) => () => void) => {
          let value = first;
          const stop = start((next) => {
            value = next;
          });
          return { read: () => value, stop };
        };
        return documented<{ read: () => Snapshot; stop: () => void }>('svelte', { readable })(store);
      },
    ],
    [
      'vue',
      (store) => {
        const shallowRef = (value: Snapshot): { value: Snapshot } => ({ value });
        const ref = documented<{ value: Snapshot }>('vue', { shallowRef, onScopeDispose: clean })(store);
        return { read: () => ref.value, stop: () => cleanups.pop()?.() };
      },
    ],
    [
      'solid',
      (store) => {
        const createSignal = (first: Snapshot) => {
          let value = first;
          return [
            () => value,
            (next: (before: Snapshot) => Snapshot) => {
              value = next(value);
            },
          ];
        };
        const read = documented<() => Snapshot>('solid', { createSignal, onCleanup: clean })(store);
        return { read, stop: () => cleanups.pop()?.() };
      },
    ],
    [
      'preact',
      (store) => {
        const made = documented<{ snapshot: { value: Snapshot }; stop: () => void }>('preact', {
          signal: preactSignal,
        });
        const { snapshot, stop } = made(store);
        return { read: () => snapshot.value, stop };
      },
    ],
  ];

  test.each(adapters)('%s', (_, adapt) => {
    const { store, set, users } = handStore();
    const { read, stop } = adapt(store);
    expect([read().count, users()]).toEqual([0, 1]);
    set(1);
    expect(read()).toBe(store.getSnapshot());
    expect(read().count).toBe(1);
    stop();
    expect(users()).toBe(0);
  });
});

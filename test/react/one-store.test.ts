// One store with what it stands on played by the test: when it begins and ends, what it subscribes, gives back and tells. No agent.
import { QiwayError } from '@qiway/protocol/errors';
import type { Off, Property, Signal } from '@qiway/protocol/objects/remote-types';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { propertyStore } from '../../sdk/stores/property-store.ts';
import type { Reachable } from '../../sdk/stores/service-store.ts';
import { signalStore } from '../../sdk/stores/signal-store.ts';
import { createStore, type StoreControl } from '../../sdk/stores/store.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const turns = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

describe('a store', () => {
  let starts: number;
  let ends: number;
  let control: StoreControl<{ readonly count: number }>;
  const open = () =>
    createStore<{ readonly count: number }>({
      empty: { count: 0 },
      start: (given) => {
        starts += 1;
        control = given;
        return () => {
          ends += 1;
        };
      },
    });
  beforeEach(() => {
    starts = 0;
    ends = 0;
  });

  test('lives from the first listener to the last, however many in between', async () => {
    const store = open();
    const [one, other] = [store.subscribe(() => {}), store.subscribe(() => {})];
    one();
    one();
    await turns();
    expect([starts, ends]).toEqual([1, 0]);
    other();
    await turns();
    expect([starts, ends]).toEqual([1, 1]);
  });

  test('goes on for who comes back in the same turn', async () => {
    const store = open();
    store.subscribe(() => {})();
    const stop = store.subscribe(() => {});
    await turns();
    expect([starts, ends]).toEqual([1, 0]);
    stop();
    store.subscribe(() => {});
    await turns();
    expect([starts, ends]).toEqual([1, 0]);
  });

  test('tells changes only, and is the same object between them', () => {
    const store = open();
    let told = 0;
    store.subscribe(() => {
      told += 1;
    });
    const before = store.getSnapshot();
    control.change({ count: 0 });
    expect([told, store.getSnapshot() === before]).toEqual([0, true]);
    control.change({ count: 1 });
    expect([told, store.getSnapshot()]).toEqual([1, { count: 1 }]);
  });

  test('takes nothing of a life that is over', async () => {
    const store = open();
    store.subscribe(() => {})();
    const old = control;
    await turns();
    let told = 0;
    store.subscribe(() => {
      told += 1;
    });
    old.change({ count: 7 });
    expect([told, store.getSnapshot(), old.isOpen, control.isOpen]).toEqual([0, { count: 0 }, false, true]);
  });
});

/** What `connect` of a signal or property is given, and how often it was called and taken back. */
function connections<F>() {
  const made: {
    readonly listener: F;
    readonly gone: (error: QiwayError) => void;
    readonly gap: (count?: number) => void;
  }[] = [];
  const state = { open: 0, fails: undefined as QiwayError | undefined };
  const connect = async (listener: F, options: object): Promise<Off> => {
    made.push({ listener, ...(options as { gone: (error: QiwayError) => void; gap: (count?: number) => void }) });
    if (state.fails !== undefined) throw state.fails;
    state.open += 1;
    return (async () => {
      state.open -= 1;
    }) as Off;
  };
  return { made, state, connect };
}

describe('the events of a signal', () => {
  const said = connections<(word: string) => void>();
  const signal = { connect: said.connect } as unknown as Signal<[string]>;
  beforeEach(() => {
    said.made.length = 0;
    said.state.open = 0;
    said.state.fails = undefined;
  });

  test('are subscribed to again a second after what passes, and not after what does not', async () => {
    said.state.fails = new QiwayError('offline', 'There is no link.');
    const store = signalStore(signal);
    const stop = store.subscribe(() => {});
    await turns();
    expect(store.getSnapshot().error?.code).toBe('offline');
    said.state.fails = undefined;
    await vi.advanceTimersByTimeAsync(1000);
    expect([said.made.length, store.getSnapshot().error]).toEqual([2, undefined]);
    said.made.at(-1)?.gone(new QiwayError('object-gone', 'It ended.'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect([said.made.length, store.getSnapshot().error?.code]).toEqual([2, 'object-gone']);
    stop();
  });

  test('are not asked for any more when nobody listens', async () => {
    said.state.fails = new QiwayError('offline', 'There is no link.');
    const stop = signalStore(signal).subscribe(() => {});
    await turns();
    stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(said.made.length).toBe(1);
  });

  test('are given back, also when the subscription comes after the last listener went', async () => {
    const stop = signalStore(signal).subscribe(() => {});
    stop();
    await turns();
    const later = signalStore(signal).subscribe(() => {});
    await turns();
    expect(said.state.open).toBe(1);
    later();
    await turns();
    expect(said.state.open).toBe(0);
  });

  test('that were missed are counted', async () => {
    const store = signalStore(signal);
    store.subscribe(() => {});
    await turns();
    said.made[0]?.gap(3);
    said.made[0]?.gap();
    said.made[0]?.listener('word');
    expect(store.getSnapshot()).toEqual({ args: ['word'], missed: 4, error: undefined });
  });
});

describe('the value of a property', () => {
  const told = connections<(value: number) => void>();
  let value: number;
  let status: { state: string; bus: string };
  let statusListeners: Set<() => void>;
  let robot: Reachable;
  const property = {
    connect: told.connect,
    value: async () => value,
    setValue: async (next: number) => {
      if (next < 0) throw new QiwayError('call-failed', 'Too quiet.');
      value = next;
    },
  } as unknown as Property<number>;
  const change = (state: string, bus = 'up'): void => {
    status = { state, bus };
    for (const listener of statusListeners) listener();
  };
  beforeEach(() => {
    told.made.length = 0;
    told.state.open = 0;
    value = 5;
    status = { state: 'online', bus: 'up' };
    statusListeners = new Set();
    robot = {
      get status() {
        return status;
      },
      onStatusChange: (listener: () => void) => {
        statusListeners.add(listener);
        return () => statusListeners.delete(listener);
      },
    } as unknown as Reachable;
  });

  test('is stale as soon as the link is lost, and asked for when it is back', async () => {
    const store = propertyStore(property, { robot });
    const stop = store.subscribe(() => {});
    await turns();
    expect(store.getSnapshot()).toEqual({ value: 5, isStale: false, error: undefined });
    change('offline');
    expect(store.getSnapshot()).toMatchObject({ value: 5, isStale: true });
    value = 6;
    change('online', 'down');
    await turns();
    expect(store.getSnapshot()).toMatchObject({ value: 5, isStale: true });
    change('online');
    await turns();
    expect(store.getSnapshot()).toMatchObject({ value: 6, isStale: false });
    stop();
    await turns();
    expect([told.state.open, statusListeners.size]).toEqual([0, 0]);
  });

  test('is asked for where changes were missed, and stale when it is told no more', async () => {
    const store = propertyStore(property, { robot });
    store.subscribe(() => {});
    await turns();
    value = 7;
    told.made[0]?.gap(1);
    await turns();
    expect(store.getSnapshot()).toMatchObject({ value: 7, isStale: false });
    told.made[0]?.gone(new QiwayError('object-gone', 'It ended.'));
    expect(store.getSnapshot()).toMatchObject({ value: 7, isStale: true, error: { code: 'object-gone' } });
    change('offline');
    change('online');
    await turns();
    expect(store.getSnapshot().isStale).toBe(true);
  });

  test('that was refused is told until another was not', async () => {
    const store = propertyStore(property, { robot });
    store.subscribe(() => {});
    await turns();
    expect((await store.set(-1))?.code).toBe('call-failed');
    expect(store.getSnapshot().error?.code).toBe('call-failed');
    expect(await store.set(1)).toBeUndefined();
    expect(store.getSnapshot().error).toBeUndefined();
  });
});

// A robot whose link comes and goes, and tabs with queues for it: a bus and a journal of this process, time by hand.
import { setImmediate as turn } from 'node:timers/promises';
import type { BusObject, CallHandle, CallRequest, ReplySink } from '@qiway/protocol/bus/bus';
import { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { QiwayError } from '@qiway/protocol/errors';
import { createClassTable } from '@qiway/protocol/member-class';
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import { createRemoteObjects } from '@qiway/protocol/objects/remote-objects';
import type { LooseMembers, RemoteObject } from '@qiway/protocol/objects/remote-types';
import { type Journal, openJournal } from '../../robot-agent/journal/journal.ts';
import { onceMembers } from '../../robot-agent/journal/once-members.ts';
import { createLogger } from '../../robot-agent/logger.ts';
import { flushTurn, type LocksLike } from '../../sdk/offline/flush-turn.ts';
import { callMaker } from '../../sdk/offline/make-call.ts';
import { OfflineQueue, type OfflineQueueOptions } from '../../sdk/offline/offline-queue.ts';
import type { QueueNews } from '../../sdk/offline/queue-news.ts';
import type { QueueChange, QueuePort, QueueStore } from '../../sdk/offline/queue-types.ts';
import { virtualClock } from '../support/virtual-clock.ts';

export const clock: ReturnType<typeof virtualClock> = virtualClock();
const classes = createClassTable([
  ['*.set', 'idempotent'],
  ['*.walk', 'motion'],
  ['*.say', 'once'],
]);

/** Resolves when `isSo`; whatever it waits for takes turns of the event loop, and no time. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let round = 0; round < 2000; round += 1) {
    if (isSo()) return;
    await turn();
  }
  throw new Error('it did not come to be');
}

/** Long enough for whatever needs no time. */
export async function quiet(): Promise<void> {
  for (let round = 0; round < 60; round += 1) await turn();
}

export class Robot {
  readonly bus: EmbeddedBus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
  /** What ran, in order: `Service.method(argument)`. */
  readonly ran: string[] = [];
  /** Answers are held back until this is called. */
  #gate: Promise<void> = Promise.resolve();
  failWith: Error | undefined;
  journal: Journal = openTestJournal();

  async offer(name: string): Promise<void> {
    const run = (member: string) => async (value: unknown) => {
      this.ran.push(`${name}.${member}(${String(value)})`);
      await this.#gate;
      if (this.failWith !== undefined) throw this.failWith;
      return value;
    };
    const members = ['say', 'set', 'walk', 'other'].map((member) => [member, method('(s)', 's', run(member))]);
    await this.bus.host(name, createObject({ ...Object.fromEntries(members), many: method('(m)', 'm', run('many')) }));
  }

  hold(): () => void {
    let open = (): void => {};
    this.#gate = new Promise((resolve) => {
      open = resolve;
    });
    return open;
  }

  /** Killed and started again without its journal. */
  forget(): void {
    this.journal = openTestJournal();
  }
}

function openTestJournal(): Journal {
  return openJournal({ clock, logger: createLogger(() => {}, 'silent') });
}

/** A session of one tab with the robot. */
export class Line implements QueuePort {
  readonly #robot: Robot;
  readonly #listeners = new Set<() => void>();
  readonly #sinks = new Set<ReplySink>();
  #own: BusObject | undefined;
  isReady = true;
  /** Calls that were handed to the link. */
  sent = 0;

  constructor(robot: Robot) {
    this.#robot = robot;
  }

  get listening(): number {
    return this.#listeners.size;
  }

  onChange(run: () => void): () => void {
    this.#listeners.add(run);
    return () => this.#listeners.delete(run);
  }

  async own(): Promise<BusObject> {
    const { journal, bus } = this.#robot;
    const session = { clientId: 'client', caller: {} };
    this.#own ??= this.#over(createObject(onceMembers(session, { journal, bus, clock, classes })));
    return this.#own;
  }

  async service(name: string): Promise<BusObject> {
    return this.#over(await this.#robot.bus.service(name));
  }

  /** Calls under way may have run. */
  cut(): void {
    this.isReady = false;
    for (const sink of [...this.#sinks]) sink.error(new QiwayError('link-lost', 'Cut.', { maybeExecuted: true }));
    this.#tell();
  }

  /** A new session: its session object is another. */
  mend(): void {
    this.isReady = true;
    this.#own = undefined;
    this.#tell();
  }

  #tell(): void {
    for (const run of [...this.#listeners]) run();
  }

  #over(object: BusObject): BusObject {
    return Object.assign(Object.create(object) as BusObject, {
      metaObject: object.metaObject,
      retain: () => object.retain(),
      release: () => object.release(),
      call: (request: CallRequest, sink: ReplySink): CallHandle => {
        if (!this.isReady) {
          sink.error(new QiwayError('offline', 'No link.'));
          return { cancel: () => {} };
        }
        this.sent += 1;
        const once = (act: () => void): void => {
          if (this.#sinks.delete(tracked)) act();
        };
        const tracked: ReplySink = {
          reply: (payload) => once(() => sink.reply(payload)),
          error: (error) => once(() => sink.error(error)),
          canceled: () => once(() => sink.canceled()),
        };
        this.#sinks.add(tracked);
        return object.call(request, tracked);
      },
    });
  }
}

export interface Tab {
  readonly queue: OfflineQueue;
  readonly line: Line;
  readonly changes: QueueChange[];
  readonly errors: unknown[];
  /** `kind service.method` of each change. */
  readonly told: string[];
  service(name: string): Promise<RemoteObject<LooseMembers>>;
}

export interface TabOptions extends Partial<Pick<OfflineQueueOptions, 'limits' | 'store' | 'robotId'>> {
  readonly locks?: LocksLike;
  /** Tabs that hear each other. */
  readonly siblings?: Set<OfflineQueue>;
  readonly isReady?: boolean;
}

let ids = 0;

export function openTab(robot: Robot, options: TabOptions = {}): Tab {
  const { locks, siblings = new Set(), store, isReady = true, limits, robotId = 'robot' } = options;
  const line = new Line(robot);
  line.isReady = isReady;
  const changes: QueueChange[] = [];
  const errors: unknown[] = [];
  const told: string[] = [];
  const today = (): number => 1_000_000 + clock.now();
  const newId = (): string => {
    ids += 1;
    return `id-${ids}`;
  };
  const queue = new OfflineQueue({
    robotId,
    port: line,
    maker: callMaker(line, clock),
    turn: flushTurn({ name: robotId, clock, today, owner: newId(), locks, store: () => store }),
    store,
    clock,
    today,
    newId,
    tell: (news) => {
      const copy = structuredClone(news) as QueueNews;
      for (const sibling of siblings) if (sibling !== queue) setImmediate(() => sibling.hear(copy));
    },
    onChange: (change) => {
      changes.push(change);
      told.push(`${change.kind} ${change.entry.service}.${change.entry.method.replace(/::.*/, '')}`);
    },
    onError: (error) => errors.push(error),
    ...(limits !== undefined && { limits }),
  });
  siblings.add(queue);
  void queue.open();
  const objects = createRemoteObjects({
    clock,
    report: (error) => errors.push(error),
    classOf: classes.classOf,
    enqueue: (call) => queue.enqueue(call),
  });
  return {
    queue,
    line,
    changes,
    errors,
    told,
    service: async (name) => objects.wrap<LooseMembers>(await robot.bus.service(name), name),
  };
}

/** What a promise came to: a value, or `code` with ` maybe`. */
export function outcomeOf(promise: Promise<unknown>): { value?: unknown } {
  const outcome: { value?: unknown } = {};
  promise.then(
    (value) => {
      outcome.value = value;
    },
    (error: QiwayError) => {
      outcome.value = `${error.code}${error.maybeExecuted ? ' maybe' : ''}`;
    },
  );
  return outcome;
}

/** A store of this process, as an IndexedDB would be. */
export function memoryStore(): QueueStore & { readonly size: number; failWith: Error | undefined } {
  type Stored = Awaited<ReturnType<QueueStore['load']>>[number];
  const calls = new Map<number, Stored>();
  const leases = new Map<string, { owner: string; untilMs: number }>();
  let order = 0;
  const check = async (): Promise<void> => {
    await turn();
    if (store.failWith !== undefined) throw store.failWith;
  };
  const store: ReturnType<typeof memoryStore> = {
    failWith: undefined,
    get size() {
      return calls.size;
    },
    load: async (robot) => {
      await check();
      return [...calls.values()].filter((call) => call.robot === robot);
    },
    add: async (call) => {
      await check();
      order += 1;
      calls.set(order, { ...call, order });
      return order;
    },
    update: async (call) => {
      await check();
      if (calls.has(call.order)) calls.set(call.order, call);
    },
    remove: async (at) => {
      await check();
      calls.delete(at);
    },
    takeLease: async (name, { owner, nowMs, untilMs }) => {
      await check();
      const held = leases.get(name);
      if (held !== undefined && held.owner !== owner && held.untilMs > nowMs) return false;
      leases.set(name, { owner, untilMs });
      return true;
    },
    dropLease: async (name, owner) => {
      if (leases.get(name)?.owner === owner) leases.delete(name);
    },
  };
  return store;
}

/** Web Locks of one origin. */
export function memoryLocks(): LocksLike & { readonly held: string[] } {
  const tails = new Map<string, Promise<void>>();
  const held: string[] = [];
  return {
    held,
    request: async (name, { signal }, run) => {
      const before = tails.get(name) ?? Promise.resolve();
      let release = (): void => {};
      tails.set(
        name,
        new Promise((resolve) => {
          release = resolve;
        }),
      );
      try {
        await before;
        signal.throwIfAborted();
        held.push(name);
        await run();
      } finally {
        if (held[0] === name) held.pop();
        release();
      }
    },
  };
}

// What is remembered of one robot, for its session: its services with their metaobjects, what calls do. Knows a store, or
// keeps it as long as the program runs; a store that is slow or broken costs nothing but what it would have remembered.
import type { ServiceInfo } from '@qiway/protocol/bus/bus';
import type { Clock } from '@qiway/protocol/clock';
import type { KnownServices } from '@qiway/protocol/directory/known-services';
import type { ToldRule } from '@qiway/protocol/member-class';
import { within } from '@qiway/protocol/within';
import { type KnowledgeStore, type KnownRecord, type LeftService, newKnownRecord } from './knowledge-store.ts';

export interface KnownRobotOptions {
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly today: () => number;
  /** The agent's WebSocket, as the URL names it. */
  readonly link: string;
  readonly loadStore: () => Promise<KnowledgeStore>;
}

/** How a session begins without a link. */
export interface OfflineStart {
  readonly robotId: string;
  readonly afterMs: number;
}

/** A person who waits is better off with what is known, and asking for it over a link takes hardly longer, ms. */
const READ_MS = 300;
/** A robot that is there answers sooner: then the page sees it online at once, and not offline first, ms. */
const OFFLINE_AFTER_MS = 1_000;
/** A robot that is switched off in order loses its services first and its link last, in a minute or two: what it had is meant, ms. */
const LEFT_MS = 600_000;
/** A NAO has some 80 services. */
const MAX_LEFT = 256;

export class KnownRobot implements KnownServices {
  readonly #options: KnownRobotOptions;
  #store: Promise<KnowledgeStore | undefined> | undefined;
  #record: KnownRecord = newKnownRecord('');
  #opening: Promise<void> = Promise.resolve();
  /** What the store has not got yet. */
  #saving: Promise<void> | undefined;

  constructor(options: KnownRobotOptions) {
    this.#options = options;
  }

  get services(): readonly ServiceInfo[] {
    const { services, left } = this.#record;
    return [...services, ...left.map(({ service }) => service)];
  }

  get classes(): readonly ToldRule[] {
    return this.#record.classes;
  }

  /** When it was heard of last, as far as that is remembered; milliseconds since 1970. */
  get changedMs(): number {
    return this.#record.changedMs;
  }

  /** All that is known was so until now. */
  seen(): void {
    this.#change({});
  }

  /** Undefined: nothing is known of the robot, or of any at this URL. @param robotId of the URL, when it says */
  async startsOffline(robotId: string | undefined): Promise<OfflineStart | undefined> {
    const { link } = this.#options;
    const id = robotId ?? (await this.#read((store) => store.robotAt(link)));
    if (id === undefined) return undefined;
    await this.open(id);
    return this.services.length > 0 ? { robotId: id, afterMs: OFFLINE_AFTER_MS } : undefined;
  }

  open(robotId: string): Promise<void> {
    if (this.#record.id === robotId) return this.#opening;
    this.#record = newKnownRecord(robotId);
    this.#opening = this.#open(robotId);
    return this.#opening;
  }

  listed(services: readonly ServiceInfo[]): void {
    this.#change({ services, left: this.#left(services) });
  }

  added(service: ServiceInfo): void {
    this.listed([...this.#record.services.filter(({ name }) => name !== service.name), service]);
  }

  removed(serviceId: number): void {
    this.listed(this.#record.services.filter((each) => each.serviceId !== serviceId));
  }

  classesTold(classes: readonly ToldRule[]): void {
    this.#change({ classes });
  }

  async metaObject(name: string): Promise<Uint8Array | undefined> {
    const { id } = this.#record;
    return id === '' ? undefined : this.#read((store) => store.metaObject(id, name));
  }

  learned(name: string, metaObject: Uint8Array): void {
    const { id } = this.#record;
    if (id === '') return;
    const bytes = metaObject.slice();
    const nowMs = this.#options.today();
    this.#opened()
      .then((store) => store?.putMetaObject({ robot: id, name, bytes, nowMs }))
      .catch(() => {});
  }

  async #open(robotId: string): Promise<void> {
    const stored = await this.#read((store) => store.robot(robotId));
    // What was told meanwhile is newer.
    if (stored === undefined || this.#record.id !== robotId) return;
    const { services, classes } = this.#record;
    this.#record = { ...newKnownRecord(robotId), ...stored, classes: classes.length > 0 ? classes : stored.classes };
    if (services.length > 0) this.listed(services);
  }

  /** Who left lately, when these are there. */
  #left(services: readonly ServiceInfo[]): readonly LeftService[] {
    const atMs = this.#options.today();
    const now = new Set(services.map(({ name }) => name));
    const gone = this.#record.services.map((service) => ({ service, atMs }));
    return [...this.#record.left, ...gone]
      .filter((each) => !now.has(each.service.name) && atMs - each.atMs < LEFT_MS)
      .slice(-MAX_LEFT);
  }

  #change(change: Partial<KnownRecord>): void {
    this.#record = { ...this.#record, ...change, link: this.#options.link, changedMs: this.#options.today() };
    this.#saving ??= this.#save();
  }

  /** Once for all that changes in a while. */
  async #save(): Promise<void> {
    try {
      const store = await this.#opened();
      await this.#opening;
      this.#saving = undefined;
      if (this.#record.id !== '') await store?.putRobot(this.#record);
    } catch {
      this.#saving = undefined; // it is not remembered
    }
  }

  async #read<T>(ask: (store: KnowledgeStore) => Promise<T | undefined>): Promise<T | undefined> {
    const { clock } = this.#options;
    const read = this.#opened().then((store) => (store === undefined ? undefined : ask(store)));
    return within(read, { clock, timeoutMs: READ_MS }, 'What is known of the robot was not read').catch(
      () => undefined,
    );
  }

  #opened(): Promise<KnowledgeStore | undefined> {
    this.#store ??= this.#options.loadStore().catch(() => undefined);
    return this.#store;
  }
}

/** Of this page, in IndexedDB where there is one; else as long as the session is used. */
export function openKnownRobot(clock: Clock, link: string): KnownRobot {
  return new KnownRobot({
    clock,
    today: Date.now,
    link,
    loadStore: async () =>
      globalThis.indexedDB === undefined
        ? (await import('./memory-knowledge.ts')).memoryKnowledge()
        : (await import('./indexed-db-knowledge.ts')).indexedDbKnowledge(),
  });
}

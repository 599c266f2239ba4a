// The bus of this process: a service directory and the objects of its services, wherever they live. Layer 4.
// The agent serves it to sessions and to qi sockets; it knows neither.
import type { Bus, BusListener, BusObject, BusState, HostedService, ServiceInfo } from '../bus/bus.ts';
import { QiwayError } from '../errors.ts';
import type { HostedObject } from '../objects/hosted-object.ts';
import { createDirectoryObject, type DirectoryCaller, type DirectoryHost } from './directory-object.ts';
import { DIRECTORY_ID, DIRECTORY_NAME, Registry } from './registry.ts';
import { serviceNotFound } from './service-not-found.ts';

export interface EmbeddedBusOptions {
  readonly machineId: string;
  readonly processId: number;
  readonly sessionId: string;
  /** Where the directory listens; may be set later. */
  readonly endpoints?: readonly string[];
}

/** Where the object of a service comes from: here already, or to be fetched when somebody asks. */
type Source = BusObject | (() => Promise<BusObject>);

interface Entry {
  source: Source;
  /** While it is being fetched. */
  loading?: Promise<BusObject>;
}

/** What a registration from outside may say of its service. */
export interface RegisterOptions {
  readonly info?: Partial<Omit<ServiceInfo, 'name' | 'serviceId'>>;
  /** When it goes, `removeAllOf` takes the service away. */
  readonly owner?: object;
}

export class EmbeddedBus implements Bus, DirectoryHost {
  readonly registry: Registry;
  /** The service directory as an object, service 1. */
  readonly directory: HostedObject;
  readonly #options: EmbeddedBusOptions;
  readonly #entries = new Map<number, Entry>();
  readonly #listeners = new Set<BusListener>();
  readonly #callers = new WeakMap<object, DirectoryCaller>();
  readonly #ended = new Map<number, (reason: QiwayError | undefined) => void>();
  #explainMissing: (name: string) => QiwayError | undefined = () => undefined;
  #state: BusState = 'up';

  constructor(options: EmbeddedBusOptions) {
    this.#options = options;
    const { machineId, processId, endpoints = [] } = options;
    const info: ServiceInfo = {
      name: DIRECTORY_NAME,
      serviceId: DIRECTORY_ID,
      machineId,
      processId,
      endpoints,
      sessionId: '0',
      objectUid: new Uint8Array(0),
    };
    this.registry = new Registry(info, {
      added: (added) => this.#added(added),
      removed: (removed) => this.#removed(removed),
    });
    this.directory = createDirectoryObject(this);
    this.#entries.set(DIRECTORY_ID, { source: this.directory });
  }

  get state(): BusState {
    return this.#state;
  }

  get machineId(): string {
    return this.#options.machineId;
  }

  async services(): Promise<readonly ServiceInfo[]> {
    this.#refuseClosed();
    return this.registry.list();
  }

  async service(name: string): Promise<BusObject> {
    const { serviceId } = this.#readyInfo(name);
    const object = await this.objectOf(serviceId);
    if (object === undefined) throw this.#notFound(name);
    object.retain();
    return object;
  }

  async serviceInfo(name: string): Promise<ServiceInfo> {
    return this.#readyInfo(name);
  }

  async host(name: string, object: BusObject): Promise<HostedService> {
    let serviceId: number;
    try {
      this.#refuseClosed();
      serviceId = this.registerSource(name, object, { info: { objectUid: object.uid } });
    } catch (error) {
      object.release();
      throw error;
    }
    const closed = new Promise<QiwayError | undefined>((resolve) => this.#ended.set(serviceId, resolve));
    this.registry.ready(serviceId);
    const close = async (): Promise<void> => {
      if (this.registry.byId(serviceId) === undefined) return;
      this.#ended.get(serviceId)?.(undefined);
      this.registry.unregister(serviceId);
    };
    return { name, serviceId, close, closed };
  }

  listen(listener: BusListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    for (const { serviceId } of this.registry.list())
      if (serviceId !== DIRECTORY_ID) this.registry.unregister(serviceId);
    for (const listener of [...this.#listeners]) listener.stateChanged?.('closed');
    this.#listeners.clear();
    this.directory.release();
  }

  // ---- for those who serve this bus or add to it -------------------------------------------------------------------

  /** A pending service with its object, or with how to fetch it; one reference of the object is taken over. */
  registerSource(name: string, source: Source, options: RegisterOptions = {}): number {
    const { machineId, processId, sessionId } = this.#options;
    const endpoints = this.registry.byId(DIRECTORY_ID)?.info.endpoints ?? [];
    const info: ServiceInfo = {
      machineId,
      processId,
      sessionId,
      endpoints,
      objectUid: new Uint8Array(0),
      ...options.info,
      name,
      serviceId: 0,
    };
    const serviceId = this.registry.register(info, options.owner);
    this.#entries.set(serviceId, { source });
    return serviceId;
  }

  /** The object of a ready service, fetched if need be; no reference is added. Undefined: no such service. */
  objectOf(serviceId: number): BusObject | Promise<BusObject> | undefined {
    const entry = this.#entries.get(serviceId);
    if (entry === undefined || this.registry.byId(serviceId)?.state !== 'ready') return undefined;
    if (typeof entry.source !== 'function') return entry.source;
    entry.loading ??= this.#load(serviceId, entry, entry.source);
    return entry.loading;
  }

  /** `explain` may say why a name is not there at the moment; else it is `service-not-found`. */
  explainMissing(explain: (name: string) => QiwayError | undefined): void {
    this.#explainMissing = explain;
  }

  /** Says who a peer is, before it may call the directory. */
  introduce(caller: DirectoryCaller): void {
    this.#callers.set(caller.peer, caller);
  }

  callerOf(peer: object): DirectoryCaller | undefined {
    return this.#callers.get(peer);
  }

  /** The directory listens elsewhere now. */
  setEndpoints(endpoints: readonly string[]): void {
    this.registry.updateOwnEndpoints(endpoints);
  }

  async #load(serviceId: number, entry: Entry, fetch: () => Promise<BusObject>): Promise<BusObject> {
    try {
      const object = await fetch();
      if (this.#entries.get(serviceId) !== entry) {
        object.release();
        throw new QiwayError('service-gone', 'The service left the bus while it was asked for.');
      }
      entry.source = object;
      // Its host may die and come back under the same registration: then it is fetched again.
      object.onGone(() => {
        if (entry.source === object) entry.source = fetch;
      });
      return object;
    } finally {
      delete entry.loading;
    }
  }

  #added(info: ServiceInfo): void {
    this.directory.emit('serviceAdded', info.serviceId, info.name);
    for (const listener of [...this.#listeners]) listener.serviceAdded?.(info);
  }

  #removed(info: ServiceInfo): void {
    const entry = this.#entries.get(info.serviceId);
    this.#entries.delete(info.serviceId);
    this.directory.emit('serviceRemoved', info.serviceId, info.name);
    for (const listener of [...this.#listeners]) listener.serviceRemoved?.(info);
    this.#ended.get(info.serviceId)?.(
      new QiwayError('service-gone', `Service ${info.name} was taken off the bus.`, { data: { service: info.name } }),
    );
    this.#ended.delete(info.serviceId);
    if (entry !== undefined && typeof entry.source !== 'function') entry.source.release();
  }

  #readyInfo(name: string): ServiceInfo {
    this.#refuseClosed();
    const entry = this.registry.byName(name);
    if (entry === undefined) throw this.#notFound(name);
    if (entry.state === 'pending') {
      const text = `Cannot find ServiceInfo for service '${name}'`;
      throw new QiwayError('service-not-found', `Service ${name} is registered and not ready yet.`, {
        data: { service: name, text },
      });
    }
    return entry.info;
  }

  #notFound(name: string): QiwayError {
    const explained = this.#explainMissing(name);
    if (explained !== undefined) return explained;
    const names = this.registry.list().map((info) => info.name);
    return serviceNotFound(name, names, { text: `Cannot find service '${name}' in index` });
  }

  #refuseClosed(): void {
    if (this.#state === 'closed') throw new QiwayError('closed', 'The bus is closed.');
  }
}

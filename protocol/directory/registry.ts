// Which services there are: ids, names, pending or ready, and who registered them. Layer 4; pure, no objects.
import type { ServiceInfo } from '../bus/bus.ts';
import { QiwayError } from '../errors.ts';

/** The directory itself. */
export const DIRECTORY_ID = 1;
export const DIRECTORY_NAME = 'ServiceDirectory';
/** Far above any robot; a bound against a peer that registers without end. */
const MAX_SERVICES = 65_536;

export interface Registered {
  info: ServiceInfo;
  state: 'pending' | 'ready';
  /** Whose services they are: when it goes, they go. Undefined: this process. */
  readonly owner: object | undefined;
}

export interface RegistryListener {
  added(info: ServiceInfo): void;
  /** Also told of pending ones, as libqi does. */
  removed(info: ServiceInfo): void;
}

export class Registry {
  readonly #byId = new Map<number, Registered>();
  readonly #idByName = new Map<string, number>();
  readonly #listener: RegistryListener;
  #nextId = DIRECTORY_ID + 1;

  constructor(directory: ServiceInfo, listener: RegistryListener) {
    this.#listener = listener;
    this.#byId.set(DIRECTORY_ID, { info: directory, state: 'ready', owner: undefined });
    this.#idByName.set(directory.name, DIRECTORY_ID);
  }

  /** A fresh id for a pending service. @throws `service-name-taken`, `limit-exceeded`, `invalid-argument` */
  register(info: ServiceInfo, owner: object | undefined): number {
    if (info.name === '')
      throw new QiwayError('invalid-argument', 'A service needs a name.', { data: { path: 'name' } });
    const taken = this.#idByName.get(info.name);
    if (taken !== undefined) {
      const text = `Service "${info.name}" (#${taken}) is already registered. Rejecting conflicting registration attempt.`;
      throw new QiwayError('service-name-taken', text, { data: { service: info.name, text } });
    }
    if (this.#byId.size >= MAX_SERVICES)
      throw new QiwayError('limit-exceeded', `More than ${MAX_SERVICES} services.`, {
        data: { limit: 'services', maximum: MAX_SERVICES },
      });
    const serviceId = this.#nextId++;
    this.#byId.set(serviceId, { info: { ...info, serviceId }, state: 'pending', owner });
    this.#idByName.set(info.name, serviceId);
    return serviceId;
  }

  /** @throws `service-not-found` */
  ready(serviceId: number): void {
    const entry = this.#byId.get(serviceId);
    if (entry === undefined) throw unknownId(serviceId);
    if (entry.state === 'ready') return;
    entry.state = 'ready';
    this.#listener.added(entry.info);
  }

  /** @throws `service-not-found` */
  unregister(serviceId: number): void {
    const entry = this.#byId.get(serviceId);
    if (entry === undefined || serviceId === DIRECTORY_ID) throw unknownId(serviceId);
    this.#byId.delete(serviceId);
    this.#idByName.delete(entry.info.name);
    this.#listener.removed(entry.info);
  }

  unregisterAllOf(owner: object): void {
    for (const [serviceId, entry] of [...this.#byId]) if (entry.owner === owner) this.unregister(serviceId);
  }

  /** Replaces an info; all services of the same session get its endpoints. @throws `service-not-found` */
  update(info: ServiceInfo): void {
    const known = this.#byId.get(info.serviceId);
    if (known === undefined || known.info.name !== info.name) throw unknownId(info.serviceId);
    known.info = info;
    for (const entry of this.#byId.values())
      if (entry.info.sessionId === info.sessionId) entry.info = { ...entry.info, endpoints: info.endpoints };
  }

  /** Everything of this process gets these endpoints: its listening sockets changed. */
  updateOwnEndpoints(endpoints: readonly string[]): void {
    for (const entry of this.#byId.values()) if (entry.owner === undefined) entry.info = { ...entry.info, endpoints };
  }

  byId(serviceId: number): Registered | undefined {
    return this.#byId.get(serviceId);
  }

  byName(name: string): Registered | undefined {
    const serviceId = this.#idByName.get(name);
    return serviceId === undefined ? undefined : this.#byId.get(serviceId);
  }

  /** The ready ones, in order of their ids. */
  list(): ServiceInfo[] {
    return [...this.#byId.values()].filter((entry) => entry.state === 'ready').map((entry) => entry.info);
  }
}

function unknownId(serviceId: number): QiwayError {
  const text = `Can't find service #${serviceId}`;
  return new QiwayError('service-not-found', text, { data: { text } });
}

// Which services there are: ids, names, pending or ready, and who registered them. Layer 4; pure, no objects.
import type { ServiceInfo } from '../bus/bus.ts';
import { QiwayError } from '../errors.ts';
import { RelativeEndpoints } from './relative-endpoints.ts';

/** The directory itself. */
export const DIRECTORY_ID = 1;
export const DIRECTORY_NAME = 'ServiceDirectory';
/** Far above any robot; a bound against a peer that registers without end. */
const MAX_SERVICES = 65_536;

export interface Registered {
  readonly info: ServiceInfo;
  readonly state: 'pending' | 'ready';
  /** Whose services they are: when it goes, they go. Undefined: this process. */
  readonly owner: object | undefined;
}

interface Entry extends Registered {
  info: ServiceInfo;
  state: Registered['state'];
}

export interface RegistryListener {
  added(info: ServiceInfo): void;
  /** Also told of pending ones, as libqi does. */
  removed(info: ServiceInfo): void;
}

/** The services of one host. */
interface Session {
  readonly ids: Set<number>;
  /** What all of them have; undefined while that is not known. */
  endpoints: readonly string[] | undefined;
}

export class Registry {
  readonly #byId = new Map<number, Entry>();
  readonly #idByName = new Map<string, number>();
  readonly #idsByOwner = new Map<object, Set<number>>();
  readonly #sessions = new Map<string, Session>();
  readonly #relative = new RelativeEndpoints(DIRECTORY_ID);
  readonly #listener: RegistryListener;
  #nextId = DIRECTORY_ID + 1;

  constructor(directory: ServiceInfo, listener: RegistryListener) {
    this.#listener = listener;
    this.#byId.set(DIRECTORY_ID, { info: directory, state: 'ready', owner: undefined });
    this.#idByName.set(directory.name, DIRECTORY_ID);
    this.#relative.set(directory);
    this.#joinSession(directory);
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
    const registered: Entry = { info: { ...info, serviceId }, state: 'pending', owner };
    this.#byId.set(serviceId, registered);
    this.#idByName.set(info.name, serviceId);
    this.#joinSession(registered.info);
    if (owner !== undefined) {
      const ids = this.#idsByOwner.get(owner);
      if (ids === undefined) this.#idsByOwner.set(owner, new Set([serviceId]));
      else ids.add(serviceId);
    }
    return serviceId;
  }

  /** @throws `service-not-found` */
  ready(serviceId: number): void {
    const entry = this.#byId.get(serviceId);
    if (entry === undefined) throw unknownId(`Can't find pending service #${serviceId}`);
    if (entry.state === 'ready') return;
    entry.state = 'ready';
    this.#relative.set(entry.info);
    this.#listener.added(entry.info);
  }

  /** @throws `service-not-found` */
  unregister(serviceId: number): void {
    const entry = this.#byId.get(serviceId);
    if (entry === undefined || serviceId === DIRECTORY_ID)
      throw unknownId(`Unregister Service: Can't find service #${serviceId}`);
    this.#byId.delete(serviceId);
    this.#idByName.delete(entry.info.name);
    this.#relative.delete(serviceId);
    this.#leaveSession(entry.info);
    if (entry.owner !== undefined) {
      const ids = this.#idsByOwner.get(entry.owner);
      ids?.delete(serviceId);
      if (ids?.size === 0) this.#idsByOwner.delete(entry.owner);
    }
    this.#listener.removed(entry.info);
  }

  /** How many services somebody registered. */
  countOf(owner: object): number {
    return this.#idsByOwner.get(owner)?.size ?? 0;
  }

  unregisterAllOf(owner: object): void {
    for (const serviceId of [...(this.#idsByOwner.get(owner) ?? [])])
      if (this.#byId.has(serviceId)) this.unregister(serviceId);
  }

  /** Replaces an info; all services of the same session get its endpoints. @throws `service-not-found` */
  update(info: ServiceInfo): void {
    const known = this.#byId.get(info.serviceId);
    if (known === undefined || known.info.name !== info.name)
      throw unknownId(`updateServiceInfo: Can't find service #${info.serviceId}`);
    this.#leaveSession(known.info);
    const session = this.#joinSession(info);
    this.#change(known, info);
    // A host tells its new endpoints for one service after the other: all but the first find it done.
    if (session.endpoints !== undefined) return;
    session.endpoints = info.endpoints;
    for (const serviceId of session.ids) {
      const entry = this.#byId.get(serviceId);
      if (entry !== undefined) this.#change(entry, { ...entry.info, endpoints: info.endpoints });
    }
  }

  /** Which object a service is became known; nothing happens if there is no such service any more. */
  identify(serviceId: number, objectUid: Uint8Array): void {
    const entry = this.#byId.get(serviceId);
    if (entry !== undefined) this.#change(entry, { ...entry.info, objectUid });
  }

  /** The directory's listening sockets changed: what was reached at its endpoints is reached at these. */
  updateOwnEndpoints(endpoints: readonly string[]): void {
    const before = this.#byId.get(DIRECTORY_ID)?.info.endpoints;
    for (const entry of this.#byId.values()) {
      if (entry.owner !== undefined && !isSame(before, entry.info.endpoints)) continue;
      this.#change(entry, { ...entry.info, endpoints });
      this.#joinSession(entry.info);
    }
  }

  /**
   * The endpoints of a ready service as told to a client that understands relative ones.
   * @param common where that client is told that all services are
   */
  relativeEndpoints(info: ServiceInfo, common?: readonly string[]): readonly string[] {
    return this.#relative.of(info, common);
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

  #change(entry: Entry, info: ServiceInfo): void {
    entry.info = info;
    if (entry.state === 'ready') this.#relative.set(info);
  }

  #joinSession({ serviceId, sessionId, endpoints }: ServiceInfo): Session {
    let session = this.#sessions.get(sessionId);
    if (session === undefined) {
      session = { ids: new Set(), endpoints: undefined };
      this.#sessions.set(sessionId, session);
    }
    session.ids.add(serviceId);
    if (!isSame(session.endpoints, endpoints)) session.endpoints = undefined;
    return session;
  }

  #leaveSession({ serviceId, sessionId }: ServiceInfo): void {
    const session = this.#sessions.get(sessionId);
    session?.ids.delete(serviceId);
    if (session?.ids.size === 0) this.#sessions.delete(sessionId);
  }
}

function isSame(one: readonly string[] | undefined, other: readonly string[]): boolean {
  return one?.length === other.length && one.every((endpoint, index) => endpoint === other[index]);
}

/** In libqi's words. */
function unknownId(text: string): QiwayError {
  return new QiwayError('service-not-found', text, { data: { text } });
}

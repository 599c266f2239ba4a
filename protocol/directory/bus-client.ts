// A bus behind a service directory on the other side of a peer: a robot's, over TCP, or an agent's, over a link.
// Layer 4. It knows no sockets: how the host of a service is reached is an argument.
import type { Bus, BusListener, BusObject, BusState, HostedService, ServiceInfo } from '../bus/bus.ts';
import type { Peer } from '../bus/peer.ts';
import type { PeerObject } from '../bus/peer-object.ts';
import type { Clock } from '../clock.ts';
import { asQiwayError, QiwayError } from '../errors.ts';
import { AskedDirectory, type HostIdentity } from './asked-directory.ts';
import type { explainError } from './explain-error.ts';
import { fetchObject } from './fetch-object.ts';
import { OwnServices } from './own-services.ts';
import { DIRECTORY_ID, DIRECTORY_NAME } from './registry.ts';
import { Returning } from './returning.ts';

export type { HostIdentity } from './asked-directory.ts';

/** Reaches the host of a service. @throws `endpoint-unreachable` */
export type Reach = (info: ServiceInfo) => Promise<Peer>;

export interface BusClientOptions {
  readonly peer: Peer;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly identity: HostIdentity;
  /** Default: every service is behind the directory's own peer. */
  readonly reach?: Reach;
  /** Of a directory that refuses in words. */
  readonly explain?: typeof explainError;
  /** A service left the bus, ours or not: for the owner of further peers, which must end it there too. */
  readonly onServiceRemoved?: (serviceId: number, error: QiwayError) => void;
}

interface Foreign {
  /** Undefined until the directory has answered. */
  serviceId: number | undefined;
  readonly object: Promise<BusObject>;
}

/** Joins: asks for the directory, subscribes to its changes, learns its machine. @throws `timeout`, `link-lost`, … */
export async function joinDirectory(options: BusClientOptions): Promise<BusClient> {
  const { peer, clock, timeoutMs } = options;
  const directory = await fetchObject(peer, DIRECTORY_ID, { clock, timeoutMs });
  const client = new BusClient(options, directory);
  await client.begin();
  return client;
}

export class BusClient implements Bus {
  readonly #options: BusClientOptions;
  readonly #directory: AskedDirectory;
  readonly #listeners = new Set<BusListener>();
  /** Objects of services hosted elsewhere, by name; one reference of each is held here. */
  readonly #objects = new Map<string, Foreign>();
  readonly #own: OwnServices;
  readonly #returning: Returning;
  #closing: Promise<void> | undefined;
  #machineId = '';
  #state: BusState = 'up';

  constructor(options: BusClientOptions, directory: BusObject) {
    this.#options = options;
    const { clock, timeoutMs, identity } = options;
    this.#directory = new AskedDirectory(directory, { clock, timeoutMs, identity, check: () => this.#refuseClosed() });
    this.#own = new OwnServices({
      directory: this.#directory,
      stopped: (serviceId, error) => {
        options.peer.stopServing(serviceId, error);
        options.onServiceRemoved?.(serviceId, error);
      },
      explain: (thrown, name) => this.#explain(thrown, name),
    });
    this.#returning = new Returning({
      ...options,
      returned: (name, serviceId) => {
        const foreign = this.#objects.get(name);
        if (foreign !== undefined) foreign.serviceId = serviceId;
      },
      left: (name) => {
        const serviceId = this.#objects.get(name)?.serviceId ?? 0;
        this.#objects.delete(name);
        for (const listener of [...this.#listeners]) listener.serviceRemoved?.({ serviceId, name });
      },
    });
  }

  get state(): BusState {
    return this.#state;
  }

  get machineId(): string {
    return this.#machineId;
  }

  /** Learns of changes from here on, and the machine. @throws `timeout`, and as calls do */
  async begin(): Promise<void> {
    await this.#directory.listen({
      added: (serviceId, name) => this.#added(serviceId, name),
      removed: (serviceId, name) => this.#removed(serviceId, name),
      gone: (error) => this.#lost(error),
    });
    this.#machineId = await this.#directory.machineId();
  }

  /** The other side has begun anew, and knows nothing of this one. `rejoin` is to follow. */
  forgotten(): void {
    this.#own.forgotten();
  }

  /**
   * After `forgotten`: services hosted here are registered again, and main objects of others go on where the same service is
   * there again. @throws as `begin`: then it is to be called again
   */
  async rejoin(): Promise<void> {
    this.#options.peer.settle(this.#directory.peerObject, DIRECTORY_ID);
    this.#machineId = await this.#directory.machineId();
    await this.#own.registerAgain();
    const infos = new Map((await this.services()).map((info) => [info.name, info]));
    this.#returning.clear();
    const back: [name: string, object: PeerObject, serviceId: number][] = [];
    for (const [name, { object: fetched }] of [...this.#objects]) {
      const object = (await fetched.catch(() => undefined)) as PeerObject | undefined;
      if (object === undefined || object.goneWith !== undefined) continue;
      const info = infos.get(name);
      if (info === undefined) this.#returning.wait(name, object);
      else back.push([name, object, info.serviceId]);
    }
    for (const entry of back) await this.#returning.take(...entry);
    for (const listener of [...this.#listeners]) listener.stateChanged?.('up');
  }

  /** Of a service of others that is used here. */
  nameOf(serviceId: number): string | undefined {
    for (const [name, foreign] of this.#objects) if (foreign.serviceId === serviceId) return name;
    return undefined;
  }

  services(): Promise<readonly ServiceInfo[]> {
    return this.#directory.services();
  }

  async serviceInfo(name: string): Promise<ServiceInfo> {
    try {
      return await this.#directory.service(name);
    } catch (error) {
      throw await this.#explain(error, name);
    }
  }

  async service(name: string): Promise<BusObject> {
    this.#refuseClosed();
    const object =
      this.#own.byName(name) ?? (name === DIRECTORY_NAME ? this.#directory.object : await this.#foreign(name));
    object.retain();
    return object;
  }

  host(name: string, object: BusObject): Promise<HostedService> {
    return this.#own.host(name, object);
  }

  listen(listener: BusListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#leave();
    return this.#closing;
  }

  /** The object of a service hosted here: what peers of this side serve. */
  ownService(serviceId: number): BusObject | undefined {
    return this.#own.byId(serviceId);
  }

  async #foreign(name: string): Promise<BusObject> {
    const known = this.#objects.get(name);
    if (known !== undefined) {
      const object = await known.object;
      if (object.goneWith === undefined) return object;
      if (this.#objects.get(name) === known) this.#objects.delete(name);
      return this.#foreign(name);
    }
    const looked = this.serviceInfo(name);
    const foreign: Foreign = { serviceId: undefined, object: looked.then((info) => this.#fetch(info)) };
    foreign.object.catch(() => {}); // told below
    this.#objects.set(name, foreign);
    try {
      foreign.serviceId = (await looked).serviceId;
      return await foreign.object;
    } catch (error) {
      if (this.#objects.get(name) === foreign) this.#objects.delete(name);
      throw error;
    }
  }

  async #fetch(info: ServiceInfo): Promise<BusObject> {
    const { peer, clock, timeoutMs, reach } = this.#options;
    const host = reach === undefined ? peer : await reach(info);
    try {
      return await fetchObject(host, info.serviceId, { clock, timeoutMs, uid: info.objectUid });
    } catch (error) {
      if (asQiwayError(error).code !== 'object-gone') throw error;
      throw new QiwayError('service-gone', `Service ${info.name} is registered, but its host does not serve it.`, {
        data: { service: info.name },
        cause: error,
      });
    }
  }

  #added(serviceId: number, name: string): void {
    this.#returning.appeared(name, serviceId);
    for (const listener of [...this.#listeners]) listener.serviceAdded?.({ serviceId, name });
  }

  #removed(serviceId: number, name: string): void {
    const error = new QiwayError('service-gone', `Service ${name} left the bus.`, { data: { service: name } });
    this.#own.drop(serviceId, error);
    const known = this.#objects.get(name);
    if (known?.serviceId === serviceId) {
      this.#objects.delete(name);
      known.object.then(
        (object) => object.release(),
        () => {},
      );
    }
    this.#options.peer.endService(serviceId, error);
    this.#options.onServiceRemoved?.(serviceId, error);
    for (const listener of [...this.#listeners]) listener.serviceRemoved?.({ serviceId, name });
  }

  async #leave(): Promise<void> {
    await this.#own.leave();
    this.#end('closed', new QiwayError('closed', 'The bus was closed here.'));
  }

  #lost(error: QiwayError): void {
    // The peer may be closed before the directory has answered that our services are off.
    if (this.#closing === undefined) this.#end('down', error);
    else this.#end('closed', new QiwayError('closed', 'The bus was closed here.', { cause: error }));
  }

  #end(state: 'down' | 'closed', error: QiwayError): void {
    // From `down` there is no way but to `closed`, and from `closed` none.
    if (this.#state === 'closed' || this.#state === state) return;
    this.#state = state;
    this.#returning.clear();
    this.#own.end(error);
    for (const { object } of this.#objects.values())
      object.then(
        (one) => one.release(),
        () => {},
      );
    this.#objects.clear();
    for (const listener of [...this.#listeners]) listener.stateChanged?.(state, error);
    if (state === 'closed') this.#directory.object.release();
  }

  async #explain(thrown: unknown, name: string): Promise<QiwayError> {
    const error = asQiwayError(thrown);
    return (await this.#options.explain?.(error, { name, services: () => this.services() })) ?? error;
  }

  #refuseClosed(): void {
    if (this.#state === 'closed') throw new QiwayError('closed', 'The bus is closed.');
    if (this.#state === 'down')
      throw new QiwayError('bus-down', 'The service directory cannot be reached at the moment.');
  }
}

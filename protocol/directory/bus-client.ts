// A bus behind a service directory on the other side of a peer: a robot's, over TCP, or an agent's, over a link.
// Layer 4. It knows no sockets: how the host of a service is reached is an argument.
import type { Bus, BusListener, BusObject, BusState, HostedService, ServiceInfo } from '../bus/bus.ts';
import type { Peer } from '../bus/peer.ts';
import type { Clock } from '../clock.ts';
import { asQiwayError, QiwayError } from '../errors.ts';
import { AskedDirectory, type HostIdentity } from './asked-directory.ts';
import type { DescribedService } from './describe-services.ts';
import type { explainError } from './explain-error.ts';
import { fetchObject } from './fetch-object.ts';
import { ForeignServices } from './foreign-services.ts';
import type { KnownServices } from './known-services.ts';
import { OwnServices } from './own-services.ts';
import { DIRECTORY_ID, DIRECTORY_NAME } from './registry.ts';

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
  /** What is remembered of the services from before: what did not change is not fetched. */
  readonly known?: KnownServices | undefined;
  /** Asks for all services at once. Undefined: the other side does not tell. Never rejects. */
  readonly describe?: () => Promise<ReadonlyMap<string, DescribedService> | undefined>;
  /** Can the directory be asked? While it cannot, answers come from what is known. Default: it can. */
  readonly isReachable?: () => boolean;
}

/** Joins: asks for the directory, subscribes to its changes, learns its machine. @throws `timeout`, `link-lost`, … */
export async function joinDirectory(options: BusClientOptions): Promise<BusClient> {
  const client = new BusClient(options);
  await client.join();
  return client;
}

export class BusClient implements Bus {
  readonly #options: BusClientOptions;
  readonly #listeners = new Set<BusListener>();
  readonly #own: OwnServices;
  readonly #foreign: ForeignServices;
  /** Undefined before it was joined for the first time. */
  #directory: AskedDirectory | undefined;
  #closing: Promise<void> | undefined;
  #machineId = '';
  /** Counts attempts to join. */
  #joins = 0;
  #state: BusState = 'up';

  /** Knows what is remembered, until `join` has asked. */
  constructor(options: BusClientOptions) {
    this.#options = options;
    const { peer, reach = async () => peer, isReachable = () => true } = options;
    this.#own = new OwnServices({
      directory: () => this.#asked(),
      stopped: (serviceId, error) => {
        peer.stopServing(serviceId, error);
        options.onServiceRemoved?.(serviceId, error);
      },
      explain: (thrown, name) => this.#explain(thrown, name),
    });
    this.#foreign = new ForeignServices({
      ...options,
      reach,
      isReachable,
      serviceInfo: (name) => this.serviceInfo(name),
      left: (name, serviceId) => {
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

  /** The other side has begun anew, and knows nothing of this one. `join` is to follow. */
  forgotten(): void {
    this.#own.forgotten();
    this.#foreign.forgotten();
  }

  /**
   * Learns of changes from here on, and the machine. After `forgotten`, services hosted here are registered again. Main
   * objects of others go on where the same service is there again. @throws `timeout`, and as calls do: then it is to be
   * called again
   */
  async join(): Promise<void> {
    const { peer, describe, known } = this.#options;
    this.#joins += 1;
    const joins = this.#joins;
    const isAgain = this.#directory !== undefined;
    const directory = this.#directory ?? (await this.#fetchDirectory());
    peer.settle(directory.peerObject, DIRECTORY_ID);
    // Asked behind the subscriptions: what changes after the answers is told.
    const listening = isAgain ? undefined : this.#listenTo(directory);
    const asked = Promise.all([directory.machineId(), describe?.()]);
    asked.catch(() => {}); // told below
    await listening;
    const [machineId, described] = await asked;
    this.#machineId = machineId;
    await this.#own.registerAgain();
    const isListed = described === undefined && (isAgain || known !== undefined);
    const listed = isListed ? await directory.services() : undefined;
    if (joins !== this.#joins) return; // it has begun anew meanwhile, and is joined again
    this.#foreign.describe(described);
    if (described !== undefined) known?.listed([...described.values()].map((each) => this.#infoOf(each)));
    else if (listed !== undefined) known?.listed(listed);
    await this.#foreign.bringBack('all', described ?? byName(listed));
    for (const listener of [...this.#listeners]) listener.stateChanged?.('up');
  }

  /** Looks for services that were answered from memory meanwhile. @throws what is to be asked again */
  async lookForRemembered(): Promise<void> {
    if (this.#foreign.hasRemembered)
      await this.#foreign.bringBack('remembered', byName(await this.#asked().services()));
  }

  /** Of a service of others that is used here. */
  nameOf(serviceId: number): string | undefined {
    return this.#foreign.nameOf(serviceId);
  }

  /** While the directory cannot be asked: those there were last. */
  async services(): Promise<readonly ServiceInfo[]> {
    const { known, isReachable } = this.#options;
    if (known !== undefined && known.services.length > 0 && isReachable?.() === false) {
      this.#refuseClosed();
      return known.services;
    }
    const infos = await this.#asked().services();
    known?.listed(infos);
    return infos;
  }

  async serviceInfo(name: string): Promise<ServiceInfo> {
    try {
      return await this.#asked().service(name);
    } catch (error) {
      throw await this.#explain(error, name);
    }
  }

  async service(name: string): Promise<BusObject> {
    this.#refuseClosed();
    const object =
      this.#own.byName(name) ?? (name === DIRECTORY_NAME ? this.#asked().object : await this.#foreign.get(name));
    object.retain();
    return object;
  }

  /**
   * The object of a service of this id, with one reference; undefined where the directory does not tell its name, by which
   * alone it is known what its members do. @throws as `service`
   */
  async serviceAt(serviceId: number): Promise<BusObject | undefined> {
    const listed = async (): Promise<string | undefined> =>
      (await this.services()).find((info) => info.serviceId === serviceId)?.name;
    const name = this.nameOf(serviceId) ?? this.#foreign.describedName(serviceId) ?? (await listed());
    return name === undefined || name === DIRECTORY_NAME ? undefined : this.#foreign.at(serviceId, name);
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

  async #fetchDirectory(): Promise<AskedDirectory> {
    const { peer, clock, timeoutMs, identity } = this.#options;
    const object = await fetchObject(peer, DIRECTORY_ID, { clock, timeoutMs });
    return new AskedDirectory(object, { clock, timeoutMs, identity, check: () => this.#refuseClosed() });
  }

  async #listenTo(directory: AskedDirectory): Promise<void> {
    this.#directory = directory;
    try {
      await directory.listen({
        added: (serviceId, name) => this.#added(serviceId, name),
        removed: (serviceId, name) => this.#removed(serviceId, name),
        gone: (error) => this.#directory === directory && this.#lost(error),
      });
    } catch (error) {
      this.#directory = undefined;
      directory.object.release();
      throw error;
    }
  }

  /** @throws `offline` before it was joined */
  #asked(): AskedDirectory {
    this.#refuseClosed();
    if (this.#directory !== undefined) return this.#directory;
    throw new QiwayError(
      'offline',
      'There was no link to the robot yet, and this is not remembered from before; try again when it is online.',
    );
  }

  /** As complete as it is known. */
  #infoOf(place: Pick<ServiceInfo, 'serviceId' | 'name'> & Partial<ServiceInfo>): ServiceInfo {
    const { serviceId, name, objectUid = new Uint8Array(0) } = place;
    const known = this.#options.known?.services.find((each) => each.name === name && each.serviceId === serviceId);
    if (known !== undefined) return { ...known, objectUid };
    return { name, serviceId, machineId: this.#machineId, processId: 0, endpoints: [], sessionId: '', objectUid };
  }

  #added(serviceId: number, name: string): void {
    this.#options.known?.added(this.#infoOf({ serviceId, name }));
    this.#foreign.added(serviceId, name);
    for (const listener of [...this.#listeners]) listener.serviceAdded?.({ serviceId, name });
  }

  #removed(serviceId: number, name: string): void {
    const { known, peer, onServiceRemoved } = this.#options;
    const error = new QiwayError('service-gone', `Service ${name} left the bus.`, { data: { service: name } });
    known?.removed(serviceId);
    this.#own.drop(serviceId, error);
    this.#foreign.removed(serviceId, name);
    peer.endService(serviceId, error);
    onServiceRemoved?.(serviceId, error);
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
    this.#own.end(error);
    this.#foreign.end();
    for (const listener of [...this.#listeners]) listener.stateChanged?.(state, error);
    if (state === 'closed') this.#directory?.object.release();
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

function byName(infos: readonly ServiceInfo[] = []): ReadonlyMap<string, ServiceInfo> {
  return new Map(infos.map((info) => [info.name, info]));
}

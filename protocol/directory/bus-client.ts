// A bus behind a service directory on the other side of a peer: a robot's, over TCP, or an agent's, over a link.
// Layer 4. It knows no sockets: how the host of a service is reached is an argument.
import type { Bus, BusListener, BusObject, BusState, HostedService, ServiceInfo } from '../bus/bus.ts';
import { NO_OBJECTS, type Payload } from '../bus/bus.ts';
import { callObject } from '../bus/call.ts';
import type { Peer } from '../bus/peer.ts';
import type { PeerObject } from '../bus/peer-object.ts';
import type { Clock } from '../clock.ts';
import { asQiwayError, QiwayError } from '../errors.ts';
import { decodeValue, encodeValue } from '../wire/value.ts';
import { within } from '../within.ts';
import type { explainError } from './explain-error.ts';
import { fetchObject } from './fetch-object.ts';
import { DIRECTORY_ID, DIRECTORY_NAME } from './registry.ts';
import { isLost, Returning } from './returning.ts';
import { fromWire, type WireServiceInfo } from './service-info.ts';

/** Reaches the host of a service. @throws `endpoint-unreachable` */
export type Reach = (info: ServiceInfo) => Promise<Peer>;

/** What a service hosted here is registered with. */
export interface HostIdentity {
  readonly machineId: string;
  readonly processId: number;
  readonly sessionId: string;
  /** Where this process listens for those who want its services. */
  readonly endpoints: () => readonly string[];
}

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

const Action = {
  service: 100,
  services: 101,
  registerService: 102,
  unregisterService: 103,
  serviceReady: 104,
  serviceAdded: 106,
  serviceRemoved: 107,
  machineId: 108,
} as const;

interface Question {
  readonly signature: string;
  readonly args: readonly unknown[];
  readonly late?: (reply: Payload) => void;
}

interface Foreign {
  /** Undefined until the directory has answered. */
  serviceId: number | undefined;
  readonly object: Promise<BusObject>;
}

interface Own {
  readonly name: string;
  readonly object: BusObject;
  readonly ended: (reason: QiwayError | undefined) => void;
  /** Another one after the other side has begun anew. */
  serviceId: number;
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
  readonly #directory: BusObject;
  readonly #listeners = new Set<BusListener>();
  /** Objects of services hosted elsewhere, by name; one reference of each is held here. */
  readonly #objects = new Map<string, Foreign>();
  readonly #own = new Map<number, Own>();
  readonly #ownByName = new Map<string, Own>();
  /** Hosted here, and not known to a directory that has begun anew. */
  readonly #unregistered = new Set<Own>();
  readonly #returning: Returning;
  #closing: Promise<void> | undefined;
  #machineId = '';
  #state: BusState = 'up';

  constructor(options: BusClientOptions, directory: BusObject) {
    this.#options = options;
    this.#directory = directory;
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

  /** The subscriptions every libqi client makes before it counts as joined. */
  async begin(): Promise<void> {
    const changes = [
      { signal: Action.serviceAdded, tell: (serviceId: number, name: string) => this.#added(serviceId, name) },
      { signal: Action.serviceRemoved, tell: (serviceId: number, name: string) => this.#removed(serviceId, name) },
    ];
    const subscriptions = changes.map(({ signal, tell }) =>
      this.#directory.subscribe(signal, {
        event: (payload) => {
          const news = readNews(payload.bytes);
          if (news !== undefined) tell(...news);
        },
        gone: () => {},
      }),
    );
    this.#directory.onGone((error) => this.#lost(error));
    const confirmed = Promise.all(subscriptions.map((subscription) => subscription.ready));
    await within(confirmed, this.#options, 'The service directory did not confirm the subscriptions');
    this.#machineId = String(await this.#ask(Action.machineId, { signature: '()', args: [] }));
  }

  /** The other side has begun anew, and knows nothing of this one. `rejoin` is to follow. */
  forgotten(): void {
    for (const own of this.#own.values()) this.#unregistered.add(own);
    this.#own.clear();
  }

  /**
   * After `forgotten`: services hosted here are registered again, and main objects of others go on where the same service is
   * there again. @throws as `begin`: then it is to be called again
   */
  async rejoin(): Promise<void> {
    const { peer } = this.#options;
    peer.settle(this.#directory as PeerObject, DIRECTORY_ID);
    this.#machineId = String(await this.#ask(Action.machineId, { signature: '()', args: [] }));
    for (const own of [...this.#unregistered]) await this.#registerAgain(own);
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

  async services(): Promise<readonly ServiceInfo[]> {
    const infos = (await this.#ask(Action.services, { signature: '()', args: [] })) as WireServiceInfo[];
    return infos.map(fromWire);
  }

  async serviceInfo(name: string): Promise<ServiceInfo> {
    try {
      return fromWire((await this.#ask(Action.service, { signature: '(s)', args: [name] })) as WireServiceInfo);
    } catch (error) {
      throw await this.#explain(error, name);
    }
  }

  async service(name: string): Promise<BusObject> {
    this.#refuseClosed();
    const object =
      this.#ownByName.get(name)?.object ?? (name === DIRECTORY_NAME ? this.#directory : await this.#foreign(name));
    object.retain();
    return object;
  }

  async host(name: string, object: BusObject): Promise<HostedService> {
    let serviceId: number;
    try {
      serviceId = await this.#register({ name, object }, (id) => void this.#unregister(id));
    } catch (error) {
      object.release();
      throw await this.#explain(error, name);
    }
    let ended: (reason: QiwayError | undefined) => void = () => {};
    const closed = new Promise<QiwayError | undefined>((resolve) => {
      ended = resolve;
    });
    const own: Own = { name, object, ended, serviceId };
    this.#own.set(serviceId, own);
    this.#ownByName.set(name, own);
    try {
      await this.#ask(Action.serviceReady, { signature: '(I)', args: [serviceId], late: () => {} });
    } catch (error) {
      // In a new session it is registered no more, and is not to be.
      if (this.#unregistered.delete(own)) this.#forgetOwn(own, asQiwayError(error));
      else {
        this.#dropOwn(own.serviceId, asQiwayError(error));
        void this.#unregister(own.serviceId); // or its name would be taken as long as this program runs
      }
      throw error;
    }
    const close = async (): Promise<void> => {
      const isUnregistered = this.#unregistered.delete(own);
      if (this.#own.get(own.serviceId) === own) {
        this.#dropOwn(own.serviceId, undefined);
        await this.#unregister(own.serviceId);
      } else if (isUnregistered) this.#forgetOwn(own, undefined);
    };
    return {
      name,
      get serviceId() {
        return own.serviceId;
      },
      close,
      closed,
    };
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
    return this.#own.get(serviceId)?.object;
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

  /** @param late is told the id when nobody waits for it any more */
  async #register({ name, object }: Pick<Own, 'name' | 'object'>, late: (serviceId: number) => void): Promise<number> {
    const { machineId, processId, sessionId, endpoints } = this.#options.identity;
    const info: WireServiceInfo = {
      name,
      serviceId: 0,
      machineId,
      processId,
      endpoints: endpoints(),
      sessionId,
      objectUid: object.uid,
    };
    return (await this.#ask(Action.registerService, {
      signature: this.#registerSignature(),
      args: [info],
      late: (reply) => late(decodeValue(reply.signature, reply.bytes) as number),
    })) as number;
  }

  /** Its old id means nothing any more. A name that somebody else has by now ends it. */
  async #registerAgain(own: Own): Promise<void> {
    const isRegistered = (): boolean => this.#own.get(own.serviceId) === own;
    const register = (serviceId: number): void => {
      if (!this.#unregistered.has(own)) return void this.#unregister(serviceId); // closed meanwhile
      own.serviceId = serviceId;
      this.#own.set(serviceId, own);
    };
    try {
      if (!isRegistered())
        await this.#register(own, register).then(register, (error: unknown) => {
          // An attempt before this one, whose answer came late, may have done it.
          if (!isRegistered()) throw error;
        });
      if (!isRegistered()) return;
      await this.#ask(Action.serviceReady, { signature: '(I)', args: [own.serviceId], late: () => {} });
      this.#unregistered.delete(own);
    } catch (thrown) {
      const error = asQiwayError(thrown);
      if (isLost(error)) throw error; // to be registered with the next attempt
      this.#unregistered.delete(own);
      if (isRegistered()) this.#dropOwn(own.serviceId, error);
      else this.#forgetOwn(own, error);
    }
  }

  /** @param question.late what changes the directory is not taken back when nobody waits any more: it takes the answer then */
  async #ask(action: number, question: Question): Promise<unknown> {
    const { signature, args, late } = question;
    this.#refuseClosed();
    const payload: Payload = { signature, bytes: encodeValue(signature, args), objects: NO_OBJECTS };
    const { clock, timeoutMs } = this.#options;
    const limit = { clock, timeoutMs, ...(late !== undefined && { late }) };
    const reply = await callObject(this.#directory, { action, payload }, limit);
    return reply.signature === 'v' ? undefined : decodeValue(reply.signature, reply.bytes, { dynamics: 'unwrapped' });
  }

  /** A directory that is not there, or does not answer, is not to be told. */
  async #unregister(serviceId: number): Promise<void> {
    if (this.#state === 'up')
      await this.#ask(Action.unregisterService, { signature: '(I)', args: [serviceId], late: () => {} }).catch(
        () => {},
      );
  }

  /** As the directory declares it: six or seven fields. */
  #registerSignature(): string {
    return this.#directory.metaObject.methods.get(Action.registerService)?.parametersSignature ?? '()';
  }

  #added(serviceId: number, name: string): void {
    this.#returning.appeared(name, serviceId);
    for (const listener of [...this.#listeners]) listener.serviceAdded?.({ serviceId, name });
  }

  #removed(serviceId: number, name: string): void {
    const error = new QiwayError('service-gone', `Service ${name} left the bus.`, { data: { service: name } });
    this.#dropOwn(serviceId, error);
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

  #dropOwn(serviceId: number, error: QiwayError | undefined): void {
    const own = this.#own.get(serviceId);
    if (own === undefined) return;
    this.#own.delete(serviceId);
    const reason =
      error ??
      new QiwayError('service-gone', `Service ${own.name} was taken off the bus.`, { data: { service: own.name } });
    this.#options.peer.stopServing(serviceId, reason);
    this.#options.onServiceRemoved?.(serviceId, reason);
    this.#forgetOwn(own, error);
  }

  #forgetOwn(own: Own, error: QiwayError | undefined): void {
    if (this.#ownByName.get(own.name) === own) this.#ownByName.delete(own.name);
    own.object.release();
    own.ended(error);
  }

  async #leave(): Promise<void> {
    await Promise.all([...this.#own.keys()].map((serviceId) => this.#unregister(serviceId)));
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
    for (const own of this.#unregistered) if (this.#own.get(own.serviceId) !== own) this.#forgetOwn(own, error);
    this.#unregistered.clear();
    for (const serviceId of [...this.#own.keys()]) this.#dropOwn(serviceId, error);
    for (const { object } of this.#objects.values())
      object.then(
        (one) => one.release(),
        () => {},
      );
    this.#objects.clear();
    for (const listener of [...this.#listeners]) listener.stateChanged?.(state, error);
    if (state === 'closed') this.#directory.release();
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

/** Undefined: it cannot be read. One bad event is not to cost the bus, with the services that are there. */
function readNews(bytes: Uint8Array): [serviceId: number, name: string] | undefined {
  try {
    return decodeValue('(Is)', bytes) as [number, string];
  } catch {
    return undefined;
  }
}

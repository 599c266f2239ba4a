// Main objects of services that others host: fetched once, or known from before and only checked; kept over new sessions;
// answered from memory while nobody can be asked. Layer 4. It knows no services of this side.
import type { BusObject, ServiceInfo } from '../bus/bus.ts';
import type { Peer } from '../bus/peer.ts';
import type { PeerObject } from '../bus/peer-object.ts';
import type { Clock } from '../clock.ts';
import { asQiwayError, QiwayError } from '../errors.ts';
import { hashMetaObject, isSameHash } from '../wire/metaobject-hash.ts';
import type { DescribedService } from './describe-services.ts';
import { fetchObject } from './fetch-object.ts';
import type { KnownServices } from './known-services.ts';
import { Returning } from './returning.ts';

export interface ForeignServicesOptions {
  readonly peer: Peer;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The peer of its host. @throws `endpoint-unreachable` */
  readonly reach: (info: ServiceInfo) => Promise<Peer>;
  /** Asks the directory. */
  readonly serviceInfo: (name: string) => Promise<ServiceInfo>;
  /** Its object has ended: it did not come back. */
  readonly left: (name: string, serviceId: number) => void;
  readonly known?: KnownServices | undefined;
  /** Can the directory be asked? */
  readonly isReachable: () => boolean;
}

interface Foreign {
  /** On the other side as it is now; undefined until it is known. */
  serviceId: number | undefined;
  readonly object: Promise<BusObject>;
}

/** Where a service is now, and what is known of its metaobject. */
type Place = Pick<DescribedService, 'serviceId'> & Partial<DescribedService>;

const NO_UID = new Uint8Array(0);

export class ForeignServices {
  readonly #options: ForeignServicesOptions;
  /** By name; one reference of each is held here. */
  readonly #objects = new Map<string, Foreign>();
  /** Names of those that were answered from memory, and not looked for since. */
  readonly #remembered = new Set<string>();
  readonly #returning: Returning;
  /** What the other side told of all at once, and what did not change since; undefined: it does not tell. */
  #described: Map<string, DescribedService> | undefined;

  constructor(options: ForeignServicesOptions) {
    this.#options = options;
    this.#returning = new Returning({
      ...options,
      returned: (name, serviceId) => {
        const foreign = this.#objects.get(name);
        if (foreign !== undefined) foreign.serviceId = serviceId;
      },
      left: (name) => {
        const serviceId = this.#objects.get(name)?.serviceId ?? 0;
        this.#objects.delete(name);
        options.left(name, serviceId);
      },
    });
  }

  /** Are there objects that were answered from memory? */
  get hasRemembered(): boolean {
    return this.#remembered.size > 0;
  }

  /** Of a service that is used here. */
  nameOf(serviceId: number): string | undefined {
    for (const [name, foreign] of this.#objects) if (foreign.serviceId === serviceId) return name;
    return undefined;
  }

  /** No reference is added. @throws as the directory and the host do */
  async get(name: string): Promise<BusObject> {
    const held = this.#objects.get(name);
    if (held !== undefined) {
      const object = await held.object;
      if (object.goneWith === undefined) return object;
      if (this.#objects.get(name) === held) this.#objects.delete(name);
      return this.get(name);
    }
    const foreign: Foreign = { serviceId: undefined, object: Promise.resolve().then(() => this.#find(name, foreign)) };
    this.#objects.set(name, foreign);
    try {
      return await foreign.object;
    } catch (error) {
      if (this.#objects.get(name) === foreign) this.#objects.delete(name);
      throw error;
    }
  }

  added(serviceId: number, name: string): void {
    this.#described?.delete(name);
    this.#returning.appeared(name, serviceId);
  }

  removed(serviceId: number, name: string): void {
    if (this.#described?.get(name)?.serviceId === serviceId) this.#described.delete(name);
    const known = this.#objects.get(name);
    if (known?.serviceId !== serviceId) return;
    this.#objects.delete(name);
    known.object.then(
      (object) => object.release(),
      () => {},
    );
  }

  /** With one reference; undefined: there is no service of this id and name here. @throws as `get` */
  async at(serviceId: number, name: string): Promise<BusObject | undefined> {
    const object = await this.get(name);
    await this.#returning.taken(name);
    if (this.#objects.get(name)?.serviceId !== serviceId || object.goneWith !== undefined) return undefined;
    object.retain();
    return object;
  }

  /** As the other side told. */
  describedName(serviceId: number): string | undefined {
    for (const [name, described] of this.#described ?? []) if (described.serviceId === serviceId) return name;
    return undefined;
  }

  /** The other side has begun anew, and told this of its services. */
  describe(services: ReadonlyMap<string, DescribedService> | undefined): void {
    this.#described = services && new Map(services);
  }

  /** Nothing that it told is true any more: the ids of its services are those of others by now. */
  forgotten(): void {
    this.#described = undefined;
    for (const foreign of this.#objects.values()) foreign.serviceId = undefined;
  }

  /**
   * These go on where the same service is there, and end where it is another one by now.
   * @param which `all`: the other side has begun anew. `remembered`: it has not, and those were answered from memory
   * @throws what is to be asked again
   */
  async bringBack(which: 'all' | 'remembered', places: ReadonlyMap<string, Place>): Promise<void> {
    if (which === 'all') this.#returning.clear();
    const back: [name: string, object: PeerObject, place: Place][] = [];
    for (const name of which === 'all' ? [...this.#objects.keys()] : [...this.#remembered]) {
      const object = (await this.#objects.get(name)?.object.catch(() => undefined)) as PeerObject | undefined;
      if (object === undefined || object.goneWith !== undefined) this.#remembered.delete(name);
      else {
        const place = places.get(name);
        if (place === undefined) this.#returning.wait(name, object);
        else back.push([name, object, place]);
      }
    }
    for (const [name, object, { serviceId, hash }] of back) {
      const isSame =
        hash === undefined || hash.length === 0 ? undefined : isSameHash(hash, hashMetaObject(object.metaObject.bytes));
      await this.#returning.take(name, object, { serviceId, isSame });
      this.#remembered.delete(name);
    }
  }

  /** All end: their owner closes the peers. */
  end(): void {
    this.#returning.clear();
    for (const { object } of this.#objects.values())
      object.then(
        (one) => one.release(),
        () => {},
      );
    this.#objects.clear();
    this.#remembered.clear();
  }

  async #find(name: string, foreign: Foreign): Promise<BusObject> {
    const { serviceInfo, reach, known, peer, isReachable } = this.#options;
    const stored = await known?.metaObject(name);
    const described = this.#described?.get(name);
    if (described !== undefined && stored !== undefined && isSameHash(described.hash, hashMetaObject(stored))) {
      foreign.serviceId = described.serviceId;
      return held(peer, described, stored);
    }
    if (stored !== undefined && this.#described === undefined && !isReachable()) {
      const remembered = this.#remember(name, stored);
      if (remembered !== undefined) return remembered;
    }
    const info = described ?? (await serviceInfo(name));
    foreign.serviceId = info.serviceId;
    const object = await this.#fetch(described === undefined ? await reach(info as ServiceInfo) : peer, info);
    known?.learned(name, object.metaObject.bytes);
    return object;
  }

  async #fetch(
    host: Peer,
    { serviceId, name, objectUid }: Pick<ServiceInfo, 'serviceId' | 'name' | 'objectUid'>,
  ): Promise<BusObject> {
    const { clock, timeoutMs } = this.#options;
    try {
      return await fetchObject(host, serviceId, { clock, timeoutMs, uid: objectUid });
    } catch (error) {
      if (asQiwayError(error).code !== 'object-gone') throw error;
      throw new QiwayError('service-gone', `Service ${name} is registered, but its host does not serve it.`, {
        data: { service: name },
        cause: error,
      });
    }
  }

  /** Its calls fail until it is known where it is. Undefined: it was not among the last services. */
  #remember(name: string, metaObject: Uint8Array): BusObject | undefined {
    const { known, peer } = this.#options;
    const info = known?.services.find((each) => each.name === name);
    if (info === undefined) return undefined;
    const object = peer.suspendedObject({ metaObject, ...uidOf(info) });
    object.suspendFor(
      new QiwayError(
        'offline',
        `There is no link to the robot at the moment: service ${name} is what is remembered of it, and nothing was sent. To have a call wait for the robot, use queue().`,
      ),
    );
    this.#remembered.add(name);
    return object;
  }
}

function held(peer: Peer, { serviceId, objectUid }: DescribedService, metaObject: Uint8Array): BusObject {
  return peer.remoteObject(serviceId, 1, { metaObject, ...uidOf({ objectUid }) });
}

function uidOf({ objectUid = NO_UID }: { readonly objectUid?: Uint8Array }): { readonly uid?: Uint8Array } {
  return objectUid.length === 20 ? { uid: objectUid } : {};
}

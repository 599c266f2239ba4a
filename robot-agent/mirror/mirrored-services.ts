// The robot's services on the agent's own bus: which there are, which are away, which left. Robot-agent; knows buses only.
// Names stay taken while the robot's bus is down (docs/decisions/0008).
import type { Bus, BusObject, ServiceInfo } from '@qiway/protocol/bus/bus';
import type { Clock } from '@qiway/protocol/clock';
import type { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { asQiwayError, QiwayError, sentenceOf } from '@qiway/protocol/errors';
import type { Logger } from '../logger.ts';
import { MirroredService } from './mirrored-service.ts';

export interface MirroredServicesOptions {
  readonly outer: EmbeddedBus;
  readonly inner: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What is said of a service of the robot. */
export type Announced = Pick<ServiceInfo, 'name' | 'serviceId'> & Partial<ServiceInfo>;

/** One registration on the robot's bus; another one is another object, even of the same id: ids begin anew with the directory. */
interface Registration {
  readonly serviceId: number;
}

interface Entry {
  readonly name: string;
  /** On the agent's bus. */
  readonly outerId: number;
  /** Undefined: the service is away. */
  registration: Registration | undefined;
  /** Once somebody asked for it. */
  object: MirroredService | undefined;
  retryMs: number;
  stopRetry: () => void;
}

/** For a service to come back after the robot's bus did, ms: a robot starts its programs one after the other. */
const RETURN_MS = 120_000;
/** Bytes of an object's uid that are handed on to everybody; libqi's have 20. */
const MAX_UID_BYTES = 64;
/** Between attempts to reach the host of a service that is registered and lost, ms. */
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;

export class MirroredServices {
  /** Owner of all of them in the agent's registry. */
  readonly owner: object = {};
  readonly #options: MirroredServicesOptions;
  readonly #entries = new Map<string, Entry>();
  #away: QiwayError = new QiwayError('bus-down', "The robot's bus was not reached yet; the agent goes on trying.");
  #stopReturnTimer: () => void = () => {};
  #isClosed = false;

  constructor(options: MirroredServicesOptions) {
    this.#options = options;
  }

  /** A service is on the robot's bus. False: its name is taken on the agent's. */
  add(info: Announced): boolean {
    const known = this.#entries.get(info.name);
    if (this.#isClosed || known?.registration?.serviceId === info.serviceId) return true;
    if (known === undefined) return this.#show(info);
    if (known.registration === undefined) void this.#returned(known, info);
    else this.#replace(known, info);
    return true;
  }

  /** It left the robot's bus, which is up: at once, and for good. */
  remove({ name, serviceId }: { readonly name: string; readonly serviceId: number }): void {
    const entry = this.#entries.get(name);
    // One that we take for away was back for a moment that we did not see.
    if (entry !== undefined && (entry.registration?.serviceId ?? serviceId) === serviceId)
      this.#drop(entry, left(name));
  }

  /** The robot's bus is lost: all are away until they are announced again. */
  busLost(reason: QiwayError): void {
    this.#stopReturnTimer();
    this.#away = new QiwayError(
      'bus-down',
      `The robot's bus is down: ${sentenceOf(reason)} The agent goes on trying; calls work again when it is back.`,
      { cause: reason },
    );
    for (const entry of this.#entries.values()) {
      entry.registration = undefined;
      entry.stopRetry();
      entry.object?.leave(this.#away);
    }
  }

  /** The robot's bus is back. Resolves once those it has now can be called, or cannot be reached. */
  async busBack(infos: readonly ServiceInfo[]): Promise<void> {
    this.#stopReturnTimer();
    const away = new QiwayError(
      'bus-down',
      "The robot's bus is back, and the service is not there yet; calls work again when it is.",
    );
    this.#away = away;
    this.#stopReturnTimer = this.#options.clock.after(RETURN_MS, () => this.#dropAway());
    const returning = infos.map((info) => {
      const known = this.#entries.get(info.name);
      if (known !== undefined && known.registration === undefined) return this.#returned(known, info);
      this.add(info);
      return undefined;
    });
    for (const { object, registration } of this.#entries.values()) if (registration === undefined) object?.leave(away);
    await Promise.all(returning);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopReturnTimer();
    for (const entry of [...this.#entries.values()]) this.#drop(entry, left(entry.name));
  }

  #show(info: Announced): boolean {
    const { outer, logger } = this.#options;
    const { name, serviceId } = info;
    const objectUid = uidOf(info);
    try {
      const outerId = outer.registerSource(name, () => this.#provide(entry), {
        owner: this.owner,
        info: objectUid === undefined ? {} : { objectUid },
      });
      const entry: Entry = {
        name,
        outerId,
        registration: { serviceId },
        object: undefined,
        retryMs: FIRST_RETRY_MS,
        stopRetry: () => {},
      };
      this.#entries.set(name, entry);
      if (objectUid === undefined) void this.#learnUid(entry);
      else outer.registry.ready(outerId);
      return true;
    } catch (error) {
      logger.warn(`service ${name} of the robot is not shown: ${asQiwayError(error).message}`);
      return false;
    }
  }

  /** The robot announces a service without the uid of its object, by which clients know it: shown once that is known. */
  async #learnUid(entry: Entry): Promise<void> {
    const { inner, outer } = this.#options;
    const info = await inner.serviceInfo(entry.name).catch(() => undefined);
    if (this.#entries.get(entry.name) !== entry || outer.registry.byId(entry.outerId) === undefined) return;
    const objectUid = uidOf(info);
    if (objectUid !== undefined) outer.registry.identify(entry.outerId, objectUid);
    outer.registry.ready(entry.outerId);
  }

  /** The object for the agent's bus, which asks when somebody first wants it. */
  async #provide(entry: Entry): Promise<BusObject> {
    const { registration, name } = entry;
    if (registration === undefined) throw this.#away;
    let object: BusObject;
    try {
      object = await this.#options.inner.service(name);
    } catch (error) {
      // Nobody but us was asked: nothing was executed, whatever cut the question.
      throw entry.registration === undefined ? this.#away : error;
    }
    if (this.#entries.get(name) !== entry || entry.registration !== registration) {
      object.release();
      throw this.#entries.get(name) === entry ? this.#away : left(name);
    }
    const { clock } = this.#options;
    entry.object = new MirroredService(object, { name, clock, onLost: () => this.#retryLater(entry) });
    return entry.object;
  }

  #returned(entry: Entry, info: Announced): Promise<void> {
    entry.registration = { serviceId: info.serviceId };
    entry.retryMs = FIRST_RETRY_MS;
    const objectUid = uidOf(info);
    if (objectUid !== undefined) this.#options.outer.registry.identify(entry.outerId, objectUid);
    return this.#reach(entry);
  }

  /** Puts the object that the robot has now behind the one we show; tries again later if its host cannot be reached. */
  async #reach(entry: Entry): Promise<void> {
    const { inner } = this.#options;
    const { registration, object: shown, name } = entry;
    entry.stopRetry();
    if (registration === undefined || shown === undefined || !shown.isAway) return;
    let object: BusObject;
    try {
      const info = await inner.serviceInfo(name);
      if (this.#isStale(entry, registration)) return;
      // We did not hear yet that it left and that another one came.
      if (info.serviceId !== registration.serviceId) return this.#replace(entry, info);
      object = await inner.service(name);
    } catch {
      return this.#retryLater(entry);
    }
    if (this.#isStale(entry, registration) || object.goneWith !== undefined) {
      object.release();
      return this.#retryLater(entry);
    }
    if (!isSame(object.metaObject.bytes, shown.metaObject.bytes)) {
      object.release();
      return this.#replace(entry, { name, serviceId: registration.serviceId, objectUid: object.uid });
    }
    entry.retryMs = FIRST_RETRY_MS;
    shown.attach(object);
  }

  #isStale(entry: Entry, registration: Registration): boolean {
    return this.#entries.get(entry.name) !== entry || entry.registration !== registration;
  }

  #retryLater(entry: Entry): void {
    entry.stopRetry();
    if (this.#entries.get(entry.name) !== entry || entry.registration === undefined) return;
    entry.stopRetry = this.#options.clock.after(entry.retryMs, () => void this.#reach(entry));
    entry.retryMs = Math.min(entry.retryMs * 2, LAST_RETRY_MS);
  }

  /** Another service under the same name: handles of the old one are dead. */
  #replace(entry: Entry, info: Announced): void {
    this.#drop(entry, left(entry.name));
    this.#show(info);
  }

  #dropAway(): void {
    for (const entry of [...this.#entries.values()]) {
      if (entry.registration !== undefined) continue;
      this.#options.logger.info('a service of the robot did not come back with its bus', { service: entry.name });
      this.#drop(entry, left(entry.name));
    }
  }

  #drop(entry: Entry, error: QiwayError): void {
    const { registry } = this.#options.outer;
    this.#entries.delete(entry.name);
    entry.registration = undefined;
    entry.stopRetry();
    entry.object?.end(error);
    if (registry.byId(entry.outerId) !== undefined) registry.unregister(entry.outerId);
  }
}

function left(name: string): QiwayError {
  return new QiwayError('service-gone', `Service ${name} left the bus.`, { data: { service: name } });
}

function uidOf(info: Pick<Announced, 'objectUid'> | undefined): Uint8Array | undefined {
  return info?.objectUid !== undefined && info.objectUid.length <= MAX_UID_BYTES ? info.objectUid : undefined;
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

// Services of this side on a bus behind a service directory: registered, taken off, and registered again where the other
// side has begun anew. Layer 4. It knows no services of others.
import type { BusObject, HostedService } from '../bus/bus.ts';
import { asQiwayError, QiwayError } from '../errors.ts';
import type { AskedDirectory } from './asked-directory.ts';
import { isLost } from './returning.ts';

export interface OwnServicesOptions {
  /** @throws when nothing can be asked yet */
  readonly directory: () => AskedDirectory;
  /** A service is served no more: whatever is under way there ends. */
  readonly stopped: (serviceId: number, error: QiwayError) => void;
  /** Of a directory that refuses in words. */
  readonly explain: (thrown: unknown, name: string) => Promise<QiwayError>;
}

interface Own {
  readonly name: string;
  readonly object: BusObject;
  readonly ended: (reason: QiwayError | undefined) => void;
  /** Another one after the other side has begun anew. */
  serviceId: number;
}

export class OwnServices {
  readonly #options: OwnServicesOptions;
  readonly #byId = new Map<number, Own>();
  readonly #byName = new Map<string, Own>();
  /** Hosted here, and not known to a directory that has begun anew. */
  readonly #unregistered = new Set<Own>();

  constructor(options: OwnServicesOptions) {
    this.#options = options;
  }

  byId(serviceId: number): BusObject | undefined {
    return this.#byId.get(serviceId)?.object;
  }

  byName(name: string): BusObject | undefined {
    return this.#byName.get(name)?.object;
  }

  /** Takes the object over, also when it fails. @throws as the directory refuses */
  async host(name: string, object: BusObject): Promise<HostedService> {
    const { directory, explain } = this.#options;
    let serviceId: number;
    try {
      serviceId = await directory().register({ name, object }, (id) => void directory().unregister(id));
    } catch (error) {
      object.release();
      throw await explain(error, name);
    }
    const { promise: closed, resolve: ended } = Promise.withResolvers<QiwayError | undefined>();
    const own: Own = { name, object, ended, serviceId };
    this.#byId.set(serviceId, own);
    this.#byName.set(name, own);
    try {
      await directory().ready(serviceId);
    } catch (error) {
      // In a new session it is registered no more, and is not to be.
      if (this.#unregistered.delete(own)) this.#forget(own, asQiwayError(error));
      else {
        this.drop(own.serviceId, asQiwayError(error));
        void directory().unregister(own.serviceId); // or its name would be taken as long as this program runs
      }
      throw error;
    }
    return {
      name,
      get serviceId() {
        return own.serviceId;
      },
      close: () => this.#close(own),
      closed,
    };
  }

  /** It left the bus; undefined: as was asked here. */
  drop(serviceId: number, error: QiwayError | undefined): void {
    const own = this.#byId.get(serviceId);
    if (own === undefined) return;
    this.#byId.delete(serviceId);
    this.#options.stopped(
      serviceId,
      error ??
        new QiwayError('service-gone', `Service ${own.name} was taken off the bus.`, { data: { service: own.name } }),
    );
    this.#forget(own, error);
  }

  /** The other side has begun anew, and knows none of them. */
  forgotten(): void {
    for (const own of this.#byId.values()) this.#unregistered.add(own);
    this.#byId.clear();
  }

  /** After `forgotten`. @throws when a question was lost: then it is to be called again */
  async registerAgain(): Promise<void> {
    for (const own of [...this.#unregistered]) await this.#registerAgain(own);
  }

  /** Takes all off; they end with `end`, or when the directory says that they left. */
  async leave(): Promise<void> {
    await Promise.all([...this.#byId.keys()].map((serviceId) => this.#options.directory().unregister(serviceId)));
  }

  end(error: QiwayError): void {
    for (const own of this.#unregistered) if (this.#byId.get(own.serviceId) !== own) this.#forget(own, error);
    this.#unregistered.clear();
    for (const serviceId of [...this.#byId.keys()]) this.drop(serviceId, error);
  }

  async #close(own: Own): Promise<void> {
    const isUnregistered = this.#unregistered.delete(own);
    if (this.#byId.get(own.serviceId) === own) {
      this.drop(own.serviceId, undefined);
      await this.#options.directory().unregister(own.serviceId);
    } else if (isUnregistered) this.#forget(own, undefined);
  }

  /** Its old id means nothing any more. A name that somebody else has by now ends it. */
  async #registerAgain(own: Own): Promise<void> {
    const directory = this.#options.directory();
    const isRegistered = (): boolean => this.#byId.get(own.serviceId) === own;
    const register = (serviceId: number): void => {
      if (!this.#unregistered.has(own)) return void directory.unregister(serviceId); // closed meanwhile
      own.serviceId = serviceId;
      this.#byId.set(serviceId, own);
    };
    try {
      if (!isRegistered())
        await directory.register(own, register).then(register, (error: unknown) => {
          // An attempt before this one, whose answer came late, may have done it.
          if (!isRegistered()) throw error;
        });
      if (!isRegistered()) return;
      await directory.ready(own.serviceId);
      this.#unregistered.delete(own);
    } catch (thrown) {
      const error = asQiwayError(thrown);
      if (isLost(error)) throw error; // to be registered with the next attempt
      this.#unregistered.delete(own);
      if (isRegistered()) this.drop(own.serviceId, error);
      else this.#forget(own, error);
    }
  }

  #forget(own: Own, error: QiwayError | undefined): void {
    if (this.#byName.get(own.name) === own) this.#byName.delete(own.name);
    own.object.release();
    own.ended(error);
  }
}

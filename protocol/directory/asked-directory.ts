// The service directory on the other side, as questions: what it is asked, and what it tells. Layer 4. It knows no services.
import { type BusObject, NO_OBJECTS, type Payload, type ServiceInfo } from '../bus/bus.ts';
import { callObject } from '../bus/call.ts';
import type { PeerObject } from '../bus/peer-object.ts';
import type { Clock } from '../clock.ts';
import type { QiwayError } from '../errors.ts';
import { decodeValue, encodeValue } from '../wire/value.ts';
import { within } from '../within.ts';
import { fromWire, type WireServiceInfo } from './service-info.ts';

/** What a service hosted here is registered with. */
export interface HostIdentity {
  readonly machineId: string;
  readonly processId: number;
  readonly sessionId: string;
  /** Where this process listens for those who want its services. */
  readonly endpoints: () => readonly string[];
}

export interface AskedDirectoryOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly identity: HostIdentity;
  /** Throws when nothing can be asked at the moment. */
  readonly check: () => void;
}

export interface DirectoryListener {
  added(serviceId: number, name: string): void;
  removed(serviceId: number, name: string): void;
  gone(error: QiwayError): void;
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

/** What changes the directory is not taken back when nobody waits for its answer any more: `late` takes it then. */
interface Question {
  readonly signature: string;
  readonly args: readonly unknown[];
  readonly late?: (reply: Payload) => void;
}

const NOTHING: Question = { signature: '()', args: [] };

export class AskedDirectory {
  readonly #options: AskedDirectoryOptions;
  /** The one who made this releases it. */
  readonly object: BusObject;

  constructor(object: BusObject, options: AskedDirectoryOptions) {
    this.object = object;
    this.#options = options;
  }

  /** The same, as an object of the peer behind which it is. */
  get peerObject(): PeerObject {
    return this.object as PeerObject;
  }

  /** The subscriptions every libqi client makes before it counts as joined; resolves when they are confirmed. */
  async listen(listener: DirectoryListener): Promise<void> {
    const subscriptions = [
      { signal: Action.serviceAdded, tell: (id: number, name: string) => listener.added(id, name) },
      { signal: Action.serviceRemoved, tell: (id: number, name: string) => listener.removed(id, name) },
    ].map(({ signal, tell }) =>
      this.object.subscribe(signal, {
        event: (payload) => {
          const news = readNews(payload.bytes);
          if (news !== undefined) tell(...news);
        },
        gone: () => {},
      }),
    );
    this.object.onGone((error) => listener.gone(error));
    const confirmed = Promise.all(subscriptions.map((subscription) => subscription.ready));
    await within(confirmed, this.#options, 'The service directory did not confirm the subscriptions');
  }

  async machineId(): Promise<string> {
    return String(await this.#ask(Action.machineId, NOTHING));
  }

  async services(): Promise<readonly ServiceInfo[]> {
    return ((await this.#ask(Action.services, NOTHING)) as WireServiceInfo[]).map(fromWire);
  }

  async service(name: string): Promise<ServiceInfo> {
    return fromWire((await this.#ask(Action.service, { signature: '(s)', args: [name] })) as WireServiceInfo);
  }

  /** Gives the id; to `late` when nobody waits for it any more. */
  async register(
    { name, object }: { readonly name: string; readonly object: BusObject },
    late: (serviceId: number) => void,
  ): Promise<number> {
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
      // As the directory declares it: six or seven fields.
      signature: this.object.metaObject.methods.get(Action.registerService)?.parametersSignature ?? '()',
      args: [info],
      late: (reply) => late(decodeValue(reply.signature, reply.bytes) as number),
    })) as number;
  }

  async ready(serviceId: number): Promise<void> {
    await this.#ask(Action.serviceReady, { signature: '(I)', args: [serviceId], late: () => {} });
  }

  /** Never rejects: a directory that is not there, or does not answer, is not to be told. */
  async unregister(serviceId: number): Promise<void> {
    await this.#ask(Action.unregisterService, { signature: '(I)', args: [serviceId], late: () => {} }).catch(() => {});
  }

  async #ask(action: number, { signature, args, late }: Question): Promise<unknown> {
    const { clock, timeoutMs, check } = this.#options;
    check();
    const payload: Payload = { signature, bytes: encodeValue(signature, args), objects: NO_OBJECTS };
    const limit = { clock, timeoutMs, ...(late !== undefined && { late }) };
    const reply = await callObject(this.object, { action, payload }, limit);
    return reply.signature === 'v' ? undefined : decodeValue(reply.signature, reply.bytes, { dynamics: 'unwrapped' });
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

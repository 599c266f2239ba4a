// The service directory as a qi object: what it answers to whom. Layer 4. Error texts are those of libqi.

import { type BusObject, type Payload, releasePayload, type ServiceInfo } from '../bus/bus.ts';
import type { Peer } from '../bus/peer.ts';
import { QiwayError } from '../errors.ts';
import {
  type CallContext,
  createObject,
  type HostedObject,
  type MethodMember,
  method,
  signal,
} from '../objects/hosted-object.ts';
import type { Registry } from './registry.ts';
import { withoutRelative } from './relative-endpoints.ts';
import { checkLength, fromWire, SERVICE_INFO_SIGNATURE, type WireServiceInfo } from './service-info.ts';

/** Services of one client of the door: so that it cannot use up those that all may have together. */
const MAX_SERVICES_OUTSIDE = 1024;

/** What the directory object needs of its bus. */
export interface DirectoryHost {
  readonly registry: Registry;
  readonly machineId: string;
  /** One ready service. @throws `service-not-found` */
  serviceInfo(name: string): Promise<ServiceInfo>;
  /** Who calls, by its peer; undefined for code of this process. */
  callerOf(peer: object): DirectoryCaller | undefined;
  registerSource(
    name: string,
    source: () => Promise<BusObject>,
    options: { readonly info: Partial<ServiceInfo>; readonly owner: object },
  ): number;
}

/** How the directory sees who calls it; kept by whoever serves the bus to a peer. */
export interface DirectoryCaller {
  readonly peer: Peer;
  /** Understands `qi:Name` endpoints. */
  readonly hasRelativeEndpoints: boolean;
  /**
   * `inside`: a program of the robot's own bus, which may change any service, as with libqi. `outside`: a client of the
   * door; it changes what it registered itself, and what it registers is reached over this very peer.
   */
  readonly place: 'inside' | 'outside';
  /** False: it takes no calls on the socket that it opened itself. */
  readonly takesCalls?: boolean;
  /** Where a caller from outside is told that all services are: at the door it came in by. Default: as registered. */
  readonly endpoints?: () => readonly string[];
  /** The object of a service that the caller registered. */
  fetch(serviceId: number): Promise<BusObject>;
}

/** Ids are history: 106 and 107 are signals, in the middle of the methods. */
export function createDirectoryObject(host: DirectoryHost): HostedObject {
  const { registry } = host;
  const callerOf = ({ caller }: CallContext): DirectoryCaller | undefined =>
    caller === undefined ? undefined : host.callerOf(caller);
  const at = (uid: number, member: MethodMember): MethodMember => ({ ...member, uid });
  const told = (infos: readonly ServiceInfo[], call: CallContext): ServiceInfo[] => {
    const caller = callerOf(call);
    const common = caller?.endpoints?.();
    return infos.map((info) => {
      const endpoints =
        caller?.hasRelativeEndpoints === true
          ? registry.relativeEndpoints(info, common)
          : withoutRelative(common ?? info.endpoints);
      return { ...info, endpoints, machineId: common === undefined ? info.machineId : host.machineId };
    });
  };
  const register = (wire: WireServiceInfo, call: CallContext): number => {
    const caller = callerOf(call);
    if (caller === undefined) throw new QiwayError('unsupported', 'Services are registered over a socket or a link.');
    if (caller.place === 'outside' && caller.takesCalls === false)
      throw new QiwayError(
        'unsupported',
        'Services from outside are called on the socket they are registered by: announce the capability ClientServerSocket.',
        { data: { what: 'ClientServerSocket' } },
      );
    if (caller.place === 'outside' && registry.countOf(caller.peer) >= MAX_SERVICES_OUTSIDE)
      throw new QiwayError('limit-exceeded', `More than ${MAX_SERVICES_OUTSIDE} services of one program outside.`, {
        data: { limit: 'servicesOutside', maximum: MAX_SERVICES_OUTSIDE },
      });
    const registered = fromWire(wire);
    checkLength(registered);
    const { name, endpoints, machineId, processId, ...info } = registered;
    // What outside hosts is reached through this process: machine and endpoints are ours, or nobody would find it.
    const place = caller.place === 'outside' ? {} : { endpoints, machineId, processId };
    let serviceId = 0;
    serviceId = host.registerSource(name, () => caller.fetch(serviceId), {
      info: { ...info, ...place },
      owner: caller.peer,
    });
    return serviceId;
  };
  /**
   * Programs on the bus may change any service, as with libqi. Who comes in from outside may not, and who is not known,
   * such as an HTTP client, changes nothing.
   */
  const checkOwner = (serviceId: number, call: CallContext): void => {
    const caller = callerOf(call);
    const entry = registry.byId(serviceId);
    if (caller?.place === 'inside' || entry === undefined || (caller !== undefined && entry.owner === caller.peer))
      return;
    throw new QiwayError('forbidden', `Service #${serviceId} was registered by somebody else.`, {
      data: { reason: 'not the owner' },
    });
  };
  const update = (wire: WireServiceInfo, call: CallContext): void => {
    const info = fromWire(wire);
    checkLength(info);
    checkOwner(info.serviceId, call);
    // From outside only the object's uid may be said; see `register`.
    if (callerOf(call)?.place === 'outside' && registry.byId(info.serviceId) !== undefined)
      registry.identify(info.serviceId, info.objectUid);
    else registry.update(info);
  };
  const object = createObject({
    service: at(100, {
      ...method(
        '(s)',
        SERVICE_INFO_SIGNATURE,
        async (name: string, call: CallContext) => told([await host.serviceInfo(name)], call)[0],
      ),
      isQuestion: true,
    }),
    services: at(
      101,
      method('()', `[${SERVICE_INFO_SIGNATURE}]`, (call: CallContext) => told(registry.list(), call)),
    ),
    registerService: at(102, method(`(${SERVICE_INFO_SIGNATURE})`, 'I', register)),
    unregisterService: at(
      103,
      method('(I)', 'v', (serviceId: number, call: CallContext) => {
        checkOwner(serviceId, call);
        registry.unregister(serviceId);
      }),
    ),
    serviceReady: at(
      104,
      method('(I)', 'v', (serviceId: number, call: CallContext) => {
        checkOwner(serviceId, call);
        registry.ready(serviceId);
      }),
    ),
    updateServiceInfo: at(105, method(`(${SERVICE_INFO_SIGNATURE})`, 'v', update)),
    machineId: at(
      108,
      method('()', 's', () => host.machineId),
    ),
    _socketOfService: at(
      109,
      method('(I)', 'o', () => {
        throw new QiwayError('unsupported', 'Sockets are not handed out.');
      }),
    ),
    serviceAdded: { ...signal('(Is)'), uid: 106 },
    serviceRemoved: { ...signal('(Is)'), uid: 107 },
  });
  // A post says not who sent it, and whoever posted `serviceRemoved` would end a service for everybody: its signals are
  // the directory's own to send.
  return Object.assign(object, { post: (_action: number, payload: Payload): void => releasePayload(payload) });
}

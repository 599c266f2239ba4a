// The service directory as a qi object: what it answers to whom. Layer: directory. Error texts are those of libqi.

import type { BusObject, ServiceInfo } from '../bus/bus.ts';
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
import {
  fromWire,
  SERVICE_INFO_SIGNATURE,
  type WireServiceInfo,
  withoutRelativeEndpoints,
  withRelativeEndpoints,
} from './service-info.ts';

/** What the directory object needs of its bus. */
export interface DirectoryHost {
  readonly registry: Registry;
  readonly machineId: string;
  /** One ready service. @throws `service-not-found` */
  serviceInfo(name: string): Promise<ServiceInfo>;
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
  /** Services are reached over this very peer, so their infos need no endpoints of their own. */
  readonly isLink: boolean;
  /** The object of a service that the caller registered. */
  fetch(serviceId: number): Promise<BusObject>;
}

const callers = new WeakMap<object, DirectoryCaller>();

/** Says who a peer is, before it may call the directory. */
export function introduceCaller(caller: DirectoryCaller): void {
  callers.set(caller.peer, caller);
}

function callerOf(context: CallContext): DirectoryCaller | undefined {
  return context.caller === undefined ? undefined : callers.get(context.caller);
}

/** Ids are history: 106 and 107 are signals, in the middle of the methods. */
export function createDirectoryObject(host: DirectoryHost): HostedObject {
  const { registry } = host;
  const at = (uid: number, member: MethodMember): MethodMember => ({ ...member, uid });
  const told = (info: ServiceInfo, context: CallContext): ServiceInfo =>
    callerOf(context)?.hasRelativeEndpoints === true
      ? withRelativeEndpoints(info, registry.list())
      : withoutRelativeEndpoints(info);
  const register = (wire: WireServiceInfo, context: CallContext): number => {
    const caller = callerOf(context);
    if (caller === undefined) throw new QiwayError('unsupported', 'Services are registered over a socket or a link.');
    const { name, endpoints, machineId, processId, ...info } = fromWire(wire);
    // What a link hosts is reached in this process: its machine and endpoints are ours, or no other host would find it.
    const place = caller.isLink ? {} : { endpoints, machineId, processId };
    let serviceId = 0;
    serviceId = host.registerSource(name, () => caller.fetch(serviceId), {
      info: { ...info, ...place },
      owner: caller.peer,
    });
    return serviceId;
  };
  return createObject({
    service: at(
      100,
      method('(s)', SERVICE_INFO_SIGNATURE, async (name: string, context: CallContext) =>
        told(await host.serviceInfo(name), context),
      ),
    ),
    services: at(
      101,
      method('()', `[${SERVICE_INFO_SIGNATURE}]`, (context: CallContext) =>
        registry.list().map((info) => told(info, context)),
      ),
    ),
    registerService: at(102, method(`(${SERVICE_INFO_SIGNATURE})`, 'I', register)),
    unregisterService: at(
      103,
      method('(I)', 'v', (serviceId: number) => registry.unregister(serviceId)),
    ),
    serviceReady: at(
      104,
      method('(I)', 'v', (serviceId: number) => registry.ready(serviceId)),
    ),
    updateServiceInfo: at(
      105,
      method(`(${SERVICE_INFO_SIGNATURE})`, 'v', (wire: WireServiceInfo) => registry.update(fromWire(wire))),
    ),
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
}

// What the directory says of a service, as JSON. Pure.
import type { ServiceInfo } from '../bus/bus.ts';
import { toHex } from '../hex.ts';
import { type Json, toJson } from '../objects/json.ts';

export function describeService(info: ServiceInfo): Json {
  return {
    name: info.name,
    serviceId: info.serviceId,
    machineId: info.machineId,
    processId: info.processId,
    endpoints: info.endpoints.map((endpoint) => toJson('s', endpoint)),
    sessionId: info.sessionId,
    objectUid: toHex(info.objectUid),
  };
}

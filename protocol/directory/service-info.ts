// ServiceInfo on the wire: seven fields since libqi 4, six before. Layer 4.
import type { ServiceInfo } from '../bus/bus.ts';

/** Seven fields; what our own directory announces. */
export const SERVICE_INFO_SIGNATURE =
  '(sIsI[s]ss)<ServiceInfo,name,serviceId,machineId,processId,endpoints,sessionId,objectUid>';

/** As decoded: `objectUid` is text when its bytes happen to be UTF-8, and missing in directories older than libqi 4. */
export interface WireServiceInfo {
  readonly name: string;
  readonly serviceId: number;
  readonly machineId: string;
  readonly processId: number;
  readonly endpoints: readonly string[];
  readonly sessionId: string;
  readonly objectUid?: string | Uint8Array;
}

const encoder = new TextEncoder();
const NO_UID = new Uint8Array(0);

export function fromWire(info: WireServiceInfo): ServiceInfo {
  const { name, serviceId, machineId, processId, endpoints, sessionId, objectUid = NO_UID } = info;
  return {
    name,
    serviceId,
    machineId,
    processId,
    endpoints,
    sessionId,
    objectUid: typeof objectUid === 'string' ? encoder.encode(objectUid) : objectUid.slice(),
  };
}

/**
 * The endpoints of `info` as told to a client that understands relative ones: `qi:Other` for every ready service all of
 * whose endpoints are among them; `qi:ServiceDirectory` first, other relative ones, loopback, the rest; sorted within.
 */
export function withRelativeEndpoints(info: ServiceInfo, ready: Iterable<ServiceInfo>): ServiceInfo {
  const absolute = info.endpoints.filter((endpoint) => !isRelative(endpoint));
  const own = new Set(absolute);
  const relative: string[] = [];
  for (const other of ready) {
    const theirs = other.endpoints.filter((endpoint) => !isRelative(endpoint));
    if (theirs.length > 0 && theirs.every((endpoint) => own.has(endpoint))) relative.push(`qi:${other.name}`);
  }
  return {
    ...info,
    endpoints: [...relative, ...absolute].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0)),
  };
}

export function withoutRelativeEndpoints(info: ServiceInfo): ServiceInfo {
  return info.endpoints.some(isRelative)
    ? { ...info, endpoints: info.endpoints.filter((endpoint) => !isRelative(endpoint)) }
    : info;
}

function isRelative(endpoint: string): boolean {
  return endpoint.startsWith('qi:');
}

function rank(endpoint: string): number {
  if (endpoint === 'qi:ServiceDirectory') return 0;
  if (isRelative(endpoint)) return 1;
  return /^[a-z]+:\/\/(127\.|localhost[:/]|\[?::1)/.test(endpoint) ? 2 : 3;
}

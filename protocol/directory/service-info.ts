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

// ServiceInfo on the wire: seven fields since libqi 4, six before. Layer 4.
import type { ServiceInfo } from '../bus/bus.ts';
import { QiwayError } from '../errors.ts';
import { encodeText } from '../wire/bytes.ts';

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

const NO_UID = new Uint8Array(0);

/** Characters; shown to everybody with each change of the directory. */
export const MAX_NAME = 1024;
/** A computer of a robot has some five. */
const MAX_ENDPOINTS = 256;
/** Characters of an info together. Everybody who lists the services gets all infos. */
const MAX_TEXT = 32_768;

export function fromWire(info: WireServiceInfo): ServiceInfo {
  const { name, serviceId, machineId, processId, endpoints, sessionId, objectUid = NO_UID } = info;
  return {
    name,
    serviceId,
    machineId,
    processId,
    endpoints,
    sessionId,
    objectUid: typeof objectUid === 'string' ? encodeText(objectUid) : objectUid.slice(),
  };
}

/** @throws `limit-exceeded` for one that is too long to be handed on to everybody */
export function checkLength({ name, machineId, sessionId, objectUid, endpoints }: ServiceInfo): void {
  const check = (limit: string, value: number, maximum: number): void => {
    if (value <= maximum) return;
    throw new QiwayError('limit-exceeded', `The description of a service is too long (${limit}: at most ${maximum}).`, {
      data: { limit, maximum },
    });
  };
  check('serviceNameLength', name.length, MAX_NAME);
  check('endpointsOfService', endpoints.length, MAX_ENDPOINTS);
  const lengths = [name, machineId, sessionId, objectUid, ...endpoints].map(({ length }) => length);
  check(
    'serviceInfoLength',
    lengths.reduce((sum, length) => sum + length, 0),
    MAX_TEXT,
  );
}

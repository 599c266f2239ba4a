// Tells a directory where a service is now. Client side.
import { NO_OBJECTS } from '@qiway/protocol/bus/bus';
import { callObject } from '@qiway/protocol/bus/call';
import type { BusClient } from '@qiway/protocol/directory/bus-client';
import { DIRECTORY_NAME } from '@qiway/protocol/directory/registry';
import { encodeValue } from '@qiway/protocol/wire/value';
import type { TimeLimit } from '@qiway/protocol/within';

/** `updateServiceInfo` of every service directory. */
const UPDATE_ACTION = 105;

export interface MovedService {
  readonly name: string;
  readonly serviceId: number;
  readonly endpoints: readonly string[];
}

/** Nothing happens if the name is another service's by now. @throws what the directory answers, `timeout` */
export async function updateEndpoints(client: BusClient, service: MovedService, limit: TimeLimit): Promise<void> {
  const info = await client.serviceInfo(service.name);
  if (info.serviceId !== service.serviceId) return;
  const directory = await client.service(DIRECTORY_NAME);
  try {
    // As the directory declares it: six or seven fields.
    const signature = directory.metaObject.methods.get(UPDATE_ACTION)?.parametersSignature ?? '()';
    const bytes = encodeValue(signature, [{ ...info, endpoints: service.endpoints }]);
    await callObject(directory, { action: UPDATE_ACTION, payload: { signature, bytes, objects: NO_OBJECTS } }, limit);
  } finally {
    directory.release();
  }
}

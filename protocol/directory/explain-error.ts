// What the words mean in which a service directory of libqi refuses; our own says it by code. Layer 4.
import type { ServiceInfo } from '../bus/bus.ts';
import { QiwayError } from '../errors.ts';
import { serviceNotFound } from './service-not-found.ts';

/** @param services asks the directory, for names that look alike */
export async function explainError(
  error: QiwayError,
  { name, services }: { readonly name: string; readonly services: () => Promise<readonly ServiceInfo[]> },
): Promise<QiwayError> {
  if (/already registered/.test(error.message))
    return new QiwayError('service-name-taken', `A service named ${name} is on the bus already.`, {
      data: { service: name },
      cause: error,
    });
  if (error.code !== 'call-failed' || !/Cannot find/.test(error.message)) return error;
  const names = await services().then(
    (infos) => infos.map((info) => info.name),
    () => [],
  );
  return serviceNotFound(name, names, { cause: error });
}

// The error for a service that the bus has not. Layer 4; pure.
import { QiwayError } from '../errors.ts';
import { nearestNames, suggestion } from '../nearest-names.ts';

/**
 * @param names the services there are
 * @param more `text`: libqi's words, for qi programs
 */
export function serviceNotFound(
  service: string,
  names: readonly string[],
  { text, cause }: { readonly text?: string; readonly cause?: unknown } = {},
): QiwayError<'service-not-found'> {
  const nearest = nearestNames(service, names);
  const hint = nearest.length === 0 ? ' See services() for what there is.' : suggestion(nearest);
  return new QiwayError('service-not-found', `The bus has no service "${service}".${hint}`, {
    data: { service, nearest, ...(text === undefined ? {} : { text }) },
    cause,
  });
}

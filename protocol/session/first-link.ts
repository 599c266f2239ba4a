// How long a session that begins waits for its first link. Layer 5.
import { asQiwayError, type QiwayError } from '../errors.ts';
import { within } from '../within.ts';
import type { ClientSessionOptions } from './client-session-types.ts';

/**
 * @param first settles with the first attempt
 * Gives why there is no link yet, where the session may begin without. @throws as `first`, where it may not
 */
export async function firstLink(
  first: Promise<void>,
  { startsOffline, clock }: Pick<ClientSessionOptions, 'startsOffline' | 'clock'>,
): Promise<QiwayError | undefined> {
  const { afterMs: timeoutMs } = startsOffline ?? {};
  if (timeoutMs === undefined) {
    await first;
    return undefined;
  }
  const answered = within(first, { clock, timeoutMs }, 'The robot did not answer');
  return answered.then(() => undefined, asQiwayError);
}

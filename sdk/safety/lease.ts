// A lease, as an app holds it.
import { QiwayError } from '@qiway/protocol/errors';

export interface LeaseOptions {
  /** From whoever holds it: another session of this client, or of anybody if the agent lets this client. Default false. */
  readonly takeOver?: boolean;
}

/**
 * Exclusive control of services: calls of others are refused with `lease-held`, but what only asks, and what stops the
 * robot. Held while the agent hears this session; after a short break it goes on, and a new session takes it again if it
 * is free.
 */
export interface Lease extends AsyncDisposable {
  readonly services: readonly string[];
  /** Settles with why, when it ended without being released. */
  readonly lost: Promise<QiwayError>;
  /** Gives it back; without a link, with the next one. Idempotent. */
  release(): Promise<void>;
}

/** @param by who took it over, or stopped the robot; empty: it is not known */
export function leaseLost(reason: 'taken-over' | 'silence' | 'stopped' | 'agent-restarted', by = ''): QiwayError {
  const sentence = {
    'taken-over': `${by} took the lease over.`,
    stopped: `${by === '' ? 'Somebody else' : by} stopped the robot, and the lease ended; ask for it again to go on.`,
    silence: 'Nothing was heard of this session for so long that the lease ended; ask for it again.',
    'agent-restarted': 'The agent began a new session, and the lease could not be taken again.',
  }[reason];
  return new QiwayError('lease-lost', sentence, { data: { reason, ...(by !== '' && { holder: by }) } });
}

// The session object's members for leases: exclusive control of services, for as long as the session is heard.
import type { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { DIRECTORY_NAME } from '@qiway/protocol/directory/registry';
import { overLimit, QiwayError } from '@qiway/protocol/errors';
import { type Members, method, signal } from '@qiway/protocol/objects/hosted-object';
import { type LeaseTable, MAX_SERVICES } from './lease-table.ts';
import { inWords, type SafetySession } from './safety-session.ts';

export interface LeaseParts {
  readonly bus: Pick<EmbeddedBus, 'serviceInfo'>;
  readonly leases: LeaseTable;
  readonly now: () => number;
  /** Emits a signal of the session object. */
  readonly emit: (signal: string, ...args: unknown[]) => void;
}

const LEASE_INFO = '([s]sIbb)<LeaseInfo,services,holder,heldMs,isOwn,mayTakeOver>';

/** `takeLease`, `dropLease`, `leases`, and signals `leaseLost` (id, reason, by whom) and `leasesChanged`. */
export function leaseMembers(session: SafetySession, { bus, leases, now, emit }: LeaseParts): Members {
  const stopListening = leases.listen(() => emit('leasesChanged'));
  session.listen({ closed: stopListening });
  return {
    takeLease: {
      ...method(
        '([s]b)',
        'I',
        async (services: readonly string[], takeOver: boolean): Promise<number> => {
          if (services.includes(DIRECTORY_NAME))
            throw new QiwayError('forbidden', 'The service directory is for all; it cannot be leased.', {
              data: { reason: 'directory' },
            });
          if (services.length > MAX_SERVICES)
            throw overLimit(`A lease has at most ${MAX_SERVICES} services.`, {
              limit: 'services',
              maximum: MAX_SERVICES,
            });
          for (const name of services) await bus.serviceInfo(name);
          const { id } = leases.take(session, {
            services,
            takeOver,
            lost: (because, by) => emit('leaseLost', id, because, by === undefined ? '' : inWords(by)),
          });
          return id;
        },
        {
          description:
            'Exclusive control of services: all or none. Held while the session is heard, at least every 3 s.',
          parameters: ['services', { name: 'takeOver', description: 'From whoever holds them, if this client may' }],
          returnDescription: 'The id of the lease',
        },
      ),
      isQuestion: true, // when it fails, nothing was taken
    },
    dropLease: method('(I)', 'b', (id: number) => leases.drop(session, id), {
      description: 'Gives a lease back.',
      parameters: ['id'],
      returnDescription: 'False: it was lost already',
    }),
    leases: method(
      '()',
      `[${LEASE_INFO}]`,
      () =>
        leases.list().map(({ services, holder, sinceMs }) => ({
          services,
          holder: inWords(holder),
          heldMs: Math.round(now() - sinceMs),
          isOwn: holder === session,
          mayTakeOver: leases.mayTakeOver(session, holder),
        })),
      { description: 'Who has control of what.' },
    ),
    leaseLost: signal('(Iss)'),
    leasesChanged: signal('()'),
  };
}

// Asked before a call of somebody outside reaches an object: leases of others stand against it, and lateness against
// motion. The robot's own bus is not asked about.

import type { GuardedMessage, ServingGuard } from '@qiway/protocol/bus/serving-side';
import { QiwayError } from '@qiway/protocol/errors';
import { guardedMember } from '@qiway/protocol/objects/guarded-member';
import type { Lateness } from './lateness.ts';
import type { LeaseTable } from './lease-table.ts';
import type { MemberRules } from './member-rules.ts';
import type { SafetySession } from './safety-session.ts';

export interface CallGuardParts {
  readonly leases: LeaseTable;
  readonly rules: MemberRules;
  readonly latenessOf: (session: SafetySession) => Lateness;
  /** The name of a service by its id. */
  readonly nameOf: (serviceId: number) => string | undefined;
  /** Told of every refusal. */
  readonly refused?: (error: QiwayError) => void;
}

export class CallGuard {
  readonly #parts: CallGuardParts;

  constructor(parts: CallGuardParts) {
    this.#parts = parts;
  }

  /**
   * Last thing before somebody outside makes a call: why it is refused. One that stops the robot ends the control of others.
   * @param session undefined: the HTTP door, or a qi program
   */
  admit(session: SafetySession | undefined, service: string, member: string): QiwayError | undefined {
    const { leases, rules } = this.#parts;
    if (rules.isStopping(service, member)) leases.stop(service, session);
    else if (
      session !== undefined &&
      leases.wasStopped(session, service) &&
      rules.classOf(service, member) === 'motion'
    )
      return this.#counted(
        new QiwayError(
          'lease-lost',
          `${service}.${member} moves the robot, and somebody else stopped it while this session had control of ${service}: take the lease again to go on.`,
          { data: { reason: 'stopped' } },
        ),
      );
    return this.refusal(session, service, member);
  }

  /** Does a lease stand against a call? By names; nothing changes. */
  refusal(session: SafetySession | undefined, service: string, member: string): QiwayError | undefined {
    const { leases, rules } = this.#parts;
    const error = leases.refusal(session, service);
    return error === undefined || rules.isHarmless(service, member) ? undefined : this.#counted(error);
  }

  /** For the messages of one session, or of qi programs, which have none and hold no lease. */
  for(session: SafetySession | undefined): ServingGuard {
    const { leases } = this.#parts;
    const refuse = (message: GuardedMessage): QiwayError | undefined => this.#refuse(session, message);
    if (session === undefined)
      return {
        get isOnDuty() {
          return leases.size > 0;
        },
        isLate: false,
        refuse,
      };
    const lateness = this.#parts.latenessOf(session);
    return {
      get isOnDuty() {
        return leases.size > 0 || lateness.isLate || session.isStale || leases.wasStopped(session);
      },
      get isLate() {
        return lateness.isLate || session.isStale;
      },
      refuse,
    };
  }

  #refuse(session: SafetySession | undefined, message: GuardedMessage): QiwayError | undefined {
    const { rules, nameOf } = this.#parts;
    const service = nameOf(message.service);
    if (service === undefined) return undefined;
    const member = guardedMember(message);
    if (message.isLate && rules.classOf(service, member) === 'motion' && !rules.isStopping(service, member))
      return this.#counted(
        new QiwayError(
          'motion-stale',
          `${service}.${member} moves the robot and was sent before the link fell silent: it was not made. Decide anew.`,
          { data: { service, member } },
        ),
      );
    return this.admit(session, service, member);
  }

  #counted(error: QiwayError): QiwayError {
    this.#parts.refused?.(error);
    return error;
  }
}

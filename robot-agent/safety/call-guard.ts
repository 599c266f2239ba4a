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

  /** By names, for calls that do not come as messages: the HTTP door (no session), and what is made for a session. */
  refusal(session: SafetySession | undefined, service: string, member: string): QiwayError | undefined {
    const { leases, rules } = this.#parts;
    if (leases.size === 0) return undefined;
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
        return leases.size > 0 || lateness.isLate || session.isStale;
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
    return this.refusal(session, service, member);
  }

  #counted(error: QiwayError): QiwayError {
    this.#parts.refused?.(error);
    return error;
  }
}

// The agent's safety put together: one table of leases, one guard for every way in, and the members of session objects.
import type { ServingGuard } from '@qiway/protocol/bus/serving-side';
import type { Clock } from '@qiway/protocol/clock';
import type { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import type { QiwayError } from '@qiway/protocol/errors';
import type { ClassRule, ToldRule } from '@qiway/protocol/member-class';
import type { Members } from '@qiway/protocol/objects/hosted-object';
import type { Counts } from '../door/metrics.ts';
import type { Logger } from '../logger.ts';
import { CallGuard } from './call-guard.ts';
import { failsafeMembers } from './failsafe.ts';
import { latenessTable } from './lateness.ts';
import { leaseMembers } from './lease.ts';
import { LeaseTable } from './lease-table.ts';
import { createMemberRules, type MemberRules } from './member-rules.ts';
import type { SafetySession } from './safety-session.ts';

export interface SafetyParts {
  readonly bus: Pick<EmbeddedBus, 'service' | 'serviceInfo' | 'registry'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counts: Pick<Counts, 'failsafesFired' | 'failsafeCallsFailed' | 'callsHeldBack'>;
  readonly classes?: readonly ClassRule[];
  readonly takeOver?: readonly string[];
  readonly leaseMs?: number;
}

export interface Safety {
  readonly rules: MemberRules;
  /** For `classes` in welcomes. */
  readonly told: readonly ToldRule[];
  readonly leases: LeaseTable;
  /** For a session's serving side; without a session for qi programs. */
  guardFor(session?: SafetySession): ServingGuard;
  /** Before each call that comes by name: the HTTP door's. */
  refuse(service: string, member: string): QiwayError | undefined;
  /** Members of a session's object: failsafes and leases. */
  membersFor(session: SafetySession, emit: (signal: string, ...args: unknown[]) => void): Members;
}

export function createSafety(parts: SafetyParts): Safety {
  const { bus, clock, logger, counts, classes = [], takeOver = [], leaseMs } = parts;
  const rules = createMemberRules(classes);
  const leases = new LeaseTable({ clock, logger, takeOver, ...(leaseMs === undefined ? {} : { leaseMs }) });
  const latenessOf = latenessTable(clock);
  const guard = new CallGuard({
    leases,
    rules,
    latenessOf,
    nameOf: (serviceId) => bus.registry.byId(serviceId)?.info.name,
    refused: () => counts.callsHeldBack++,
  });
  return {
    rules,
    told: rules.told,
    leases,
    guardFor: (session) => guard.for(session),
    refuse: (service, member) => guard.admit(undefined, service, member),
    membersFor: (session, emit) => ({
      ...failsafeMembers(session, { bus, clock, date: Date.now, logger, guard, rules, latenessOf, counts, emit }),
      ...leaseMembers(session, { bus, leases, now: clock.now, emit }),
    }),
  };
}

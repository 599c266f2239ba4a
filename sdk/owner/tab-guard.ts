// What a tab asks for is looked at after it was silent for longer than its failsafe allows: the session is heard, so the agent
// cannot tell that it is late. See docs/safety.md, "Failsafe". Knows no ports.
import type { ServingGuard } from '@qiway/protocol/bus/serving-side';
import { QiwayError } from '@qiway/protocol/errors';
import type { Lateness } from '@qiway/protocol/lateness';
import { guardedMember } from '@qiway/protocol/objects/guarded-member';
import type { ClientSession } from '@qiway/protocol/session/client-session';

/** Refuses what moves the robot as long as the tab is late. */
export function tabGuard(session: Pick<ClientSession, 'bus' | 'classes'>, lateness: Lateness): ServingGuard {
  return {
    get isOnDuty() {
      return lateness.isLate;
    },
    get isLate() {
      return lateness.isLate;
    },
    refuse: (message) => {
      const service = session.bus.now?.nameOf(message.service);
      const member = guardedMember(message);
      if (!message.isLate || service === undefined || session.classes.classOf(service, member) !== 'motion')
        return undefined;
      return new QiwayError(
        'motion-stale',
        `${service}.${member} moves the robot and was asked for before this page was silent for too long: it was not made. Decide anew.`,
        { data: { service, member } },
      );
    },
  };
}

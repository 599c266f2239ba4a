// Which sessions are late: a radio that stalled gives all at once afterwards, what was sent before a failsafe fired, too.
import type { Clock } from '@qiway/protocol/clock';
import { Lateness } from '@qiway/protocol/lateness';
import type { SafetySession } from './safety-session.ts';

export type { Lateness } from '@qiway/protocol/lateness';

/** One for each session. */
export function latenessTable(clock: Clock): (session: SafetySession) => Lateness {
  const known = new WeakMap<SafetySession, Lateness>();
  return (session) => {
    const found = known.get(session) ?? new Lateness(clock);
    known.set(session, found);
    return found;
  };
}

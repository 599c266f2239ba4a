// How old what a session tells of its robot is while there is no link. Knows no requests.
import type { ClientSession } from '@qiway/protocol/session/client-session';
import type { KnownRobot } from '../metaobjects/known-robot.ts';

export interface AgeOptions {
  readonly session: Pick<ClientSession, 'sessionState' | 'listenSession'>;
  /** What a session that began without a link tells of. Heard of each link that ends. */
  readonly known: Pick<KnownRobot, 'changedMs' | 'seen'>;
  /** Milliseconds since 1970. */
  readonly today: () => number;
}

/** Returns how to ask for the age, ms; undefined: there is a link, and the robot can be asked. */
export function followAge({ session, known, today }: AgeOptions): () => number | undefined {
  let isLinked = session.sessionState === 'online';
  let seenAtMs = known.changedMs;
  session.listenSession({
    changed: () => {
      const wasLinked = isLinked;
      isLinked = session.sessionState === 'online';
      if (!wasLinked || isLinked) return;
      seenAtMs = today();
      known.seen();
    },
  });
  return () => (isLinked ? undefined : Math.max(0, today() - seenAtMs));
}

// Why what acts on the robot is off at the moment. Layer: robot; pure.
import type { Link } from './link.ts';

/** A sentence for whoever would press the button; undefined: it can be pressed. A break that is mended at once is none. */
export function offReason({ state, isAway, isBusUp }: Link): string | undefined {
  const now = state.value;
  const isLinked = now.kind === 'online' || (now.kind === 'lost' && now.wasOnline && !isAway.value);
  if (!isLinked) return 'There is no link to the robot at the moment';
  return isBusUp.value ? undefined : 'The robot’s own bus is down at the moment';
}

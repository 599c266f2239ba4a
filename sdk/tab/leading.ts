// A leader tab beside a session that a worker owns: told of the owner there is now, and of each that takes its place. A chunk of
// its own; knows no robot.
import { leaderOwnerAt } from '../leader/leader-port.ts';
import type { LeaderTab } from '../leader/leader-tab.ts';
import type { LeaderOwner } from '../leader/lending.ts';
import { movableOwner } from '../leader/movable-owner.ts';
import type { LedSession } from './owner-followers.ts';

/** @param stand stands for election with this owner; returns how to stop */
export function leadFor(
  { followOwner }: Pick<LedSession, 'followOwner'>,
  stand: (owner: LeaderOwner) => Pick<LeaderTab, 'ownerReplaced' | 'stop'>,
): () => void {
  const owner = movableOwner();
  let tab: Pick<LeaderTab, 'ownerReplaced' | 'stop'> | undefined;
  let ours: MessagePort | undefined;
  const stopFollowing = followOwner((give) => {
    ours?.close();
    ours = undefined;
    if (give === undefined) return owner.moveTo(undefined);
    const { port1, port2 } = new MessageChannel();
    ours = port1;
    give(port2);
    owner.moveTo(leaderOwnerAt(port1));
    tab?.ownerReplaced();
  });
  tab = stand(owner);
  return () => {
    tab.stop();
    stopFollowing();
    ours?.close();
  };
}

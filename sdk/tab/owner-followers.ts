// Those in a tab who have a port of their own to the owner, and want to hear of each owner that takes another's place. Knows
// neither robots nor what goes over the ports.
import type { ClientSession } from '@qiway/protocol/session/client-session';
import type { RobotSession } from '../dial/dial.ts';

/** Gives the owner its end of a port. */
export type GivePort = (port: MessagePort) => void;

/** Told at once, and with each change; undefined: there is no owner now. Must not throw. */
export type OwnerFollower = (give: GivePort | undefined) => void;

/** Returns how to stop. */
export type FollowOwner = (follower: OwnerFollower) => () => void;

/** A session whose owner may be another by and by. */
export interface LedSession extends RobotSession, Pick<ClientSession, 'machineId' | 'serviceInfo'> {
  readonly followOwner: FollowOwner;
}

export class OwnerFollowers {
  readonly #followers = new Set<OwnerFollower>();
  #give: GivePort | undefined;

  add(follower: OwnerFollower): () => void {
    this.#followers.add(follower);
    follower(this.#give);
    return () => this.#followers.delete(follower);
  }

  /** What it was told before is over. */
  tell(give: GivePort | undefined): void {
    if (give === undefined && this.#give === undefined) return;
    this.#give = give;
    for (const follower of this.#followers) follower(give);
  }
}

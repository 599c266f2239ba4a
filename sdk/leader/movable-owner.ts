// The owner there is now, as a leader tab has it: tabs outlive owners, and lines to them. Whoever makes the line anew says so here,
// and then tells the leader tab (`ownerReplaced`).
import { QiwayError } from '@qiway/protocol/errors';
import type { LeaderOwner } from './lending.ts';

export interface MovableOwner extends LeaderOwner {
  /** What is asked from now on is asked of `owner`; undefined while there is none. */
  moveTo(owner: LeaderOwner | undefined): void;
}

/** Without an owner what is asked is refused with `offline`; what ends is over in any case. */
export function movableOwner(): MovableOwner {
  let now: LeaderOwner | undefined;
  const needed = async (): Promise<LeaderOwner> => {
    if (now === undefined) throw new QiwayError('offline', 'There is no owner of the link at the moment; ask again.');
    return now;
  };
  return {
    moveTo: (owner) => {
      now = owner;
    },
    takeTurn: async (name, ticket, onLost) => (await needed()).takeTurn(name, ticket, onLost),
    dropTurn: (ticket) => now?.dropTurn(ticket),
    offerWay: async (way, open) => (await needed()).offerWay(way, open),
    withdrawWay: async (name, reason) => now?.withdrawWay(name, reason),
  };
}

// What the owner of a robot's session keeps for leader tabs: whose turn it is, and the ways that leaders lend. Each tab has its
// part of it, which ends with the tab. For the owner; tabs reach it over ports.
import type { Clock } from '@qiway/protocol/clock';
import { overLimit } from '@qiway/protocol/errors';
import { LentWays, type OpenLent, type WayOffer } from './lent-ways.ts';
import type { TurnGiver } from './turn.ts';
import { TurnQueue } from './turn-queue.ts';

/** What a leader tab asks of the owner; everything in it can cross a port. */
export interface LeaderOwner extends TurnGiver {
  /** The tab leads, and lends. An offer of the same name takes the place of the one before. @throws `limit-exceeded` */
  offerWay(way: WayOffer, open: OpenLent): Promise<void>;
  /** The tab lends no more; what it lent ends with `reason`. */
  withdrawWay(name: string, reason: string): Promise<void>;
}

/** The part of one tab. */
export interface TabLending extends LeaderOwner {
  /** The same for all that it lends. */
  withdrawAll(reason: string): void;
  /** The tab is gone: its turns are free, and what it lent ends. Idempotent; offers that come later are ignored. */
  leave(reason: string): void;
}

/** WebRTC, and a few ways of the future. */
const MAX_WAYS_OF_A_TAB = 8;

export class Lending {
  readonly ways: LentWays;
  readonly #turns = new TurnQueue();

  constructor(clock: Clock) {
    this.ways = new LentWays(clock);
  }

  /** A tab that may lead. */
  tab(): TabLending {
    const turns = this.#turns.tab();
    const offers = new Map<string, (reason: string) => void>();
    let isGone = false;
    const withdraw = (name: string, reason: string): void => {
      const takeBack = offers.get(name);
      offers.delete(name);
      takeBack?.(reason);
    };
    const withdrawAll = (reason: string): void => {
      for (const name of [...offers.keys()]) withdraw(name, reason);
    };
    return {
      takeTurn: (name, ticket) => turns.takeTurn(name, ticket),
      dropTurn: (ticket) => turns.dropTurn(ticket),
      offerWay: async (way, open) => {
        if (isGone) return;
        withdraw(way.name, 'its page offered it anew');
        if (offers.size >= MAX_WAYS_OF_A_TAB)
          throw overLimit('This tab offers more ways to the robot than there are; take back what is over.', {
            limit: 'ways',
            maximum: MAX_WAYS_OF_A_TAB,
          });
        offers.set(way.name, this.ways.offer(way, open));
      },
      withdrawWay: async (name, reason) => withdraw(name, reason),
      withdrawAll,
      leave: (reason) => {
        isGone = true;
        withdrawAll(reason);
        turns.leave();
      },
    };
  }
}

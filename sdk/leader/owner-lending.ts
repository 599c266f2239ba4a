// The owner's side of leader tabs, for one robot: what they lend, and the ports over which they say so. A chunk of its own, for
// owners that a tab offered to lead.
import type { Clock } from '@qiway/protocol/clock';
import { serveLeaderTab } from './leader-port.ts';
import { Lending, type TabLending } from './lending.ts';
import type { LentWays } from './lent-ways.ts';

export interface OwnerLending {
  readonly ways: LentWays;
  /** Takes over the port of a tab. */
  serve(port: MessagePort): TabLending;
}

export function openOwnerLending(clock: Clock): OwnerLending {
  const lending = new Lending(clock);
  return {
    ways: lending.ways,
    serve: (port) => {
      const tab = lending.tab();
      serveLeaderTab(port, { tab, clock });
      return tab;
    },
  };
}

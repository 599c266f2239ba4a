// A page that stands for leading one way to a robot: while it leads, it offers the owner of the session what only a page can
// open, and lends each transport that is asked for. Knows no session; what is lent it cannot read.
import type { Clock } from '@qiway/protocol/clock';
import { overLimit, QiwayError } from '@qiway/protocol/errors';
import type { Transport } from '@qiway/protocol/session/transport';
import { type Leadership, type LedPage, lead } from './lead.ts';
import { type LentTransport, lendTransport } from './lend-transport.ts';
import type { LeaderOwner } from './lending.ts';
import type { LendRequest, WayOffer } from './lent-ways.ts';
import type { LockGiver } from './turn.ts';

export interface LeaderTabOptions {
  /** Which robot, in a word that is the same in all tabs: its id, or the URL of its agent. */
  readonly robot: string;
  readonly way: WayOffer;
  /** Opens a transport as only a page can; in bounded time. */
  readonly open: (request: LendRequest) => Promise<Transport>;
  /** Leads to the owner there is now. */
  readonly owner: LeaderOwner;
  /** `navigator.locks`; undefined where there are none. */
  readonly locks?: LockGiver | undefined;
  readonly page?: LedPage | undefined;
  readonly clock: Clock;
  readonly newChannel?: () => MessageChannel;
}

/** A session takes one, and while it moves over another; each race abandons one at most. */
const MAX_LENT = 8;

/** Stands for election at once. */
export function leaderTab(options: LeaderTabOptions): LeaderTab {
  return new LeaderTab(options);
}

export class LeaderTab {
  readonly #options: LeaderTabOptions;
  readonly #leadership: Leadership;
  readonly #lent = new Set<LentTransport>();
  /** One for each time that it leads, and another for each owner; undefined while it does not lead. */
  #term: symbol | undefined;
  #opening = 0;

  constructor(options: LeaderTabOptions) {
    this.#options = options;
    const { robot, way, locks, owner, page, clock } = options;
    this.#leadership = lead({
      name: `${way.name} ${robot}`,
      locks,
      owner,
      page,
      clock,
      onLead: () => this.#offer(),
      onStop: (reason) => this.#withdraw(reason),
    });
  }

  get isLeading(): boolean {
    return this.#leadership.isLeading;
  }

  /** The owner is another: what was lent to the old one ends, and the new one is told of the offer. */
  ownerReplaced(): void {
    this.#end('the owner is another');
    this.#leadership.ownerReplaced();
    // By a lock it leads on.
    if (this.#options.locks !== undefined && this.isLeading) this.#offer();
  }

  /** Leads no more, and asks for it no more. Idempotent. */
  stop(): void {
    this.#leadership.stop();
  }

  #offer(): void {
    const { owner, way } = this.#options;
    const term = Symbol('term');
    this.#term = term;
    // An owner that cannot be told is being replaced: then it is offered again.
    owner.offerWay(way, (request) => this.#lend(request, term)).catch(() => {});
  }

  #withdraw(reason: string): void {
    const { owner, way } = this.#options;
    this.#end(reason);
    owner.withdrawWay(way.name, reason).catch(() => {});
  }

  #end(reason: string): void {
    this.#term = undefined;
    for (const lent of [...this.#lent]) lent.end(reason);
  }

  async #lend(request: LendRequest, term: symbol): Promise<MessagePort> {
    if (this.#term !== term) throw noLeader();
    if (this.#lent.size + this.#opening >= MAX_LENT)
      throw overLimit('This tab lends as many transports as it may; close one first.', {
        limit: 'lentTransports',
        maximum: MAX_LENT,
      });
    this.#opening += 1;
    const transport = await this.#options.open(request).finally(() => {
      this.#opening -= 1;
    });
    if (this.#term !== term) {
      transport.close(1000, 'this tab leads no more');
      throw noLeader();
    }
    const lent = lendTransport(transport, this.#options);
    this.#lent.add(lent);
    void lent.ended.then(() => this.#lent.delete(lent));
    return lent.port;
  }
}

function noLeader(): QiwayError {
  return new QiwayError('dial-failed', 'This tab leads no more; the next one will be asked.', {
    data: { reason: 'this tab leads no more' },
  });
}

// Ways to a robot that pages lend the owner of its session: who offers them now, and a transport over one when the dialer asks.
// For the owner. What a way is made of, and what goes over it, is not known here.
import type { Clock } from '@qiway/protocol/clock';
import { asQiwayError, overLimit, QiwayError } from '@qiway/protocol/errors';
import type { Transport } from '@qiway/protocol/session/transport';
import { within } from '@qiway/protocol/within';
import { type BorrowedTransport, borrowedTransport } from './borrowed-transport.ts';

/** What a page can hold, and others cannot. Crosses a port. */
export interface WayOffer {
  /** Such as `tab:webrtc`; the same for each leader in turn. For people, too. */
  readonly name: string;
  readonly route: Transport['route'];
  /** Addresses have 0; less is tried before them, more after. */
  readonly rank: number;
}

/** Crosses a port. */
export interface LendRequest {
  /** Whom the handshake will accept, if that is known. */
  readonly robot: string | undefined;
  /** After this nobody takes what is lent any more. */
  readonly timeoutMs: number;
}

/** Asks the page for a transport; the port is its other end, see `lendTransport`. */
export type OpenLent = (request: LendRequest) => Promise<MessagePort>;

/** One more way for a dialer, beside addresses. */
export interface ExtraWay {
  readonly name: string;
  readonly rank: number;
  /** A fresh transport; must be listened to in the turn in which it is here. @throws `dial-failed`, `timeout` */
  open(request: LendRequest): Promise<Transport>;
}

interface Offer {
  readonly way: WayOffer;
  readonly open: OpenLent;
  readonly lent: Set<BorrowedTransport>;
  /** Settles when the offer is taken back, with why. */
  readonly withdrawn: PromiseWithResolvers<string>;
}

/** Of one robot, from all pages together. One page leads, so it is one offer for each name, and two while one follows another. */
const MAX_OFFERS = 64;

export class LentWays {
  readonly #clock: Clock;
  /** The newest last. */
  #offers: readonly Offer[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * A page leads, and lends. Returns how to take the offer back, with the reason: transports that were lent end with it.
   * @throws `limit-exceeded`
   */
  offer(way: WayOffer, open: OpenLent): (reason: string) => void {
    if (this.#offers.length >= MAX_OFFERS)
      throw overLimit('More ways to the robot are offered than pages can lead; take back what is over.', {
        limit: 'offers',
        maximum: MAX_OFFERS,
      });
    const offer: Offer = { way, open, lent: new Set(), withdrawn: Promise.withResolvers() };
    this.#offers = [...this.#offers, offer];
    for (const listener of this.#listeners) listener();
    return (reason) => {
      this.#offers = this.#offers.filter((other) => other !== offer);
      offer.withdrawn.resolve(reason);
      for (const transport of [...offer.lent]) transport.lenderGone(reason);
      offer.lent.clear();
    };
  }

  /** The ways there are now, each name once. */
  readonly now = (): readonly ExtraWay[] => {
    const newest = new Map(this.#offers.map(({ way }) => [way.name, way]));
    return [...newest.values()].map(({ name, rank }) => ({
      name,
      rank,
      open: (request) => this.#open(name, request),
    }));
  };

  /** `run` is called with each new offer: a session that is looking for its robot looks again. */
  listen(run: () => void): () => void {
    this.#listeners.add(run);
    return () => this.#listeners.delete(run);
  }

  /** Asks the newest leader; when that one goes meanwhile, or cannot, the one that came after it, or was there before. */
  async #open(name: string, { robot, timeoutMs }: LendRequest): Promise<Transport> {
    const deadlineMs = this.#clock.now() + timeoutMs;
    const asked = new Set<Offer>();
    let failure: unknown = new QiwayError('dial-failed', `No page offers the way ${name} any more.`, {
      data: { url: name, reason: 'its page is gone' },
    });
    for (;;) {
      const offer = this.#offers.findLast((each) => each.way.name === name && !asked.has(each));
      const leftMs = deadlineMs - this.#clock.now();
      if (offer === undefined || leftMs <= 0) throw asQiwayError(failure, 'dial-failed');
      asked.add(offer);
      try {
        return await this.#ask(offer, { robot, timeoutMs: leftMs });
      } catch (error) {
        failure = error;
      }
    }
  }

  async #ask(offer: Offer, request: LendRequest): Promise<Transport> {
    const { way, open, lent, withdrawn } = offer;
    let isWanted = true;
    const borrowed = open(request).then((port) => {
      const transport = borrowedTransport(port, { route: way.route, onEnd: () => lent.delete(transport) });
      lent.add(transport);
      if (!isWanted) transport.lenderGone('nobody waits for it any more');
      return transport;
    });
    const gone = withdrawn.promise.then((reason): never => {
      throw new QiwayError('dial-failed', `The page that offered the way ${way.name} is gone: ${reason}.`, {
        data: { url: way.name, reason },
      });
    });
    try {
      const limit = { clock: this.#clock, timeoutMs: request.timeoutMs };
      return await within(Promise.race([borrowed, gone]), limit, 'The leader tab lent no transport');
    } finally {
      isWanted = false;
    }
  }
}

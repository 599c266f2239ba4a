// Services of pages and of qi programs outside, hosted on the robot's bus as ordinary services. Robot-agent; knows buses only.
// A name that is taken there is asked for again, with growing pauses.
import type { Bus, HostedService } from '@qiway/protocol/bus/bus';
import type { Clock } from '@qiway/protocol/clock';
import type { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { asQiwayError } from '@qiway/protocol/errors';
import type { Logger } from '../logger.ts';

export interface OfferedServicesOptions {
  readonly outer: EmbeddedBus;
  readonly inner: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A service of ours is off the robot's bus; `serviceId`: its last there, undefined if it never was. */
  readonly onLeft: (name: string, serviceId: number | undefined) => void;
}

interface Offer {
  readonly name: string;
  /** What is being done about it; settles always. */
  work: Promise<void>;
  hosted: HostedService | undefined;
  serviceId: number | undefined;
  hasWarned: boolean;
  retryMs: number;
  stopRetry: (() => void) | undefined;
}

/** Between attempts to register a name that the robot has already, ms. */
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;

export class OfferedServices {
  readonly #options: OfferedServicesOptions;
  readonly #offers = new Map<string, Offer>();
  /** Settles when a service that left us is off the robot's bus too. */
  readonly #leaving = new Map<string, Promise<void>>();

  constructor(options: OfferedServicesOptions) {
    this.#options = options;
  }

  /** Is a service of that name on the robot's bus ours, or about to be? */
  holds(name: string): boolean {
    return this.#offers.has(name) || this.#leaving.has(name);
  }

  /** Hosts it inside, as soon as the robot's bus is there. */
  offer(name: string): void {
    const known = this.#offers.get(name);
    if (known !== undefined) {
      known.work = known.work.then(() => this.#host(known));
      return;
    }
    const before = this.#leaving.get(name) ?? Promise.resolve();
    const offer: Offer = {
      name,
      work: before.then(() => this.#host(offer)),
      hosted: undefined,
      serviceId: undefined,
      hasWarned: false,
      retryMs: FIRST_RETRY_MS,
      stopRetry: undefined,
    };
    this.#offers.set(name, offer);
  }

  /** It left us: takes it off the robot's bus. */
  withdraw(name: string): void {
    const offer = this.#offers.get(name);
    if (offer === undefined) return;
    this.#offers.delete(name);
    this.#stopRetry(offer);
    const leaving = offer.work
      .then(() => offer.hosted?.close())
      .catch(() => {})
      .then(() => {
        if (this.#leaving.get(name) === leaving) this.#leaving.delete(name);
        this.#options.onLeft(name, offer.serviceId);
      });
    this.#leaving.set(name, leaving);
  }

  /** The name became free on the robot's bus. */
  nameFreed(name: string): void {
    const offer = this.#offers.get(name);
    if (offer?.stopRetry !== undefined) this.#retry(offer);
  }

  /** What could not be hosted is tried again when it is offered again. */
  busLost(): void {
    for (const offer of this.#offers.values()) {
      this.#stopRetry(offer);
      offer.hasWarned = false;
      offer.retryMs = FIRST_RETRY_MS;
    }
  }

  async close(): Promise<void> {
    for (const name of [...this.#offers.keys()]) this.withdraw(name);
    await Promise.all(this.#leaving.values());
  }

  async #host(offer: Offer): Promise<void> {
    const { outer, inner, logger } = this.#options;
    const { name } = offer;
    if (this.#offers.get(name) !== offer || offer.hosted !== undefined || inner.state !== 'up') return;
    try {
      const outerId = outer.registry.byName(name)?.info.serviceId;
      const hosted = await inner.host(name, await outer.service(name));
      offer.hosted = hosted;
      offer.serviceId = hosted.serviceId;
      offer.retryMs = FIRST_RETRY_MS;
      hosted.closed.then((reason) => {
        offer.serviceId = hosted.serviceId;
        offer.hosted = undefined;
        // A program of the robot may take any service off its bus: then its host outside is told, as one inside would be.
        if (reason !== undefined && outerId !== undefined && outer.registry.byId(outerId) !== undefined)
          outer.registry.unregister(outerId);
      });
    } catch (thrown) {
      const error = asQiwayError(thrown);
      // Without its bus the robot offers all of them anew.
      if (this.#offers.get(name) !== offer || inner.state !== 'up') return;
      if (!offer.hasWarned)
        logger.warn('a service cannot be offered to the robot yet', { service: name, reason: error.message });
      offer.hasWarned = true;
      this.#stopRetry(offer);
      offer.stopRetry = this.#options.clock.after(offer.retryMs, () => this.#retry(offer));
      offer.retryMs = Math.min(offer.retryMs * 2, LAST_RETRY_MS);
    }
  }

  #retry(offer: Offer): void {
    this.#stopRetry(offer);
    offer.work = offer.work.then(() => this.#host(offer));
  }

  #stopRetry(offer: Offer): void {
    offer.stopRetry?.();
    offer.stopRetry = undefined;
  }
}

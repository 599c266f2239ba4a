// A service that stays hosted while the directory comes and goes: one handle over many registrations.
import type { BusObject, HostedService } from '@qiway/protocol/bus/bus';
import type { BusClient } from '@qiway/protocol/directory/bus-client';
import { asQiwayError, QiwayError } from '@qiway/protocol/errors';
import type { Logger } from '../logger.ts';

export interface KeptServiceOptions {
  /** False: the first loss ends it. */
  readonly keepTrying: boolean;
  readonly after: (delayMs: number, run: () => void) => () => void;
  readonly logger: Logger | undefined;
  readonly onEnded: (service: KeptService) => void;
}

/**
 * Between attempts, ms, growing: the directory may not have noticed yet that our old socket is gone, so that the name
 * seems taken; or somebody else took it.
 */
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;

export class KeptService implements HostedService {
  readonly name: string;
  readonly closed: Promise<QiwayError | undefined>;
  readonly #object: BusObject;
  readonly #options: KeptServiceOptions;
  #settleClosed: (reason: QiwayError | undefined) => void = () => {};
  #registration: HostedService | undefined;
  #stopWaiting: () => void = () => {};
  #serviceId = 0;
  #isOver = false;

  /** Takes over one reference of `object`. */
  constructor(name: string, object: BusObject, options: KeptServiceOptions) {
    this.name = name;
    this.#object = object;
    this.#options = options;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
  }

  /** Of the last registration. */
  get serviceId(): number {
    return this.#serviceId;
  }

  async close(): Promise<void> {
    const registration = this.#registration;
    this.abandon(undefined);
    await registration?.close();
  }

  /** The first registration. @throws as `Bus.host` */
  async register(client: BusClient): Promise<void> {
    this.#object.retain();
    const registration = await client.host(this.name, this.#object);
    if (this.#isOver) {
      await registration.close();
      throw new QiwayError('closed', 'The bus was closed while the service was registered.');
    }
    this.#registration = registration;
    this.#serviceId = registration.serviceId;
    registration.closed.then((reason) => this.#left(registration, reason, client));
  }

  /** The directory is back: registers again, until it works or the directory is gone again. */
  restore(client: BusClient, retryMs: number = FIRST_RETRY_MS): void {
    // Not yet registered for the first time: whoever does that goes on.
    if (this.#isOver || this.#serviceId === 0) return;
    this.register(client).catch((thrown: unknown) => {
      const error = asQiwayError(thrown);
      if (this.#isOver || client.state !== 'up') return;
      if (retryMs === FIRST_RETRY_MS)
        this.#options.logger?.warn('A service could not be registered again; it is tried again and again.', {
          service: this.name,
          reason: error.message,
        });
      const again = Math.min(retryMs * 2, LAST_RETRY_MS);
      const retry = (nextMs: number): void => {
        stop();
        if (client.state === 'up') this.restore(client, nextMs);
      };
      const stopTimer = this.#options.after(retryMs, () => retry(again));
      const stopListening = client.listen({
        serviceRemoved: ({ name }) => name === this.name && retry(FIRST_RETRY_MS),
      });
      const stop = (): void => {
        stopTimer();
        stopListening();
      };
      this.#stopWaiting = stop;
    });
  }

  /** Ends it here; the directory is not told. */
  abandon(reason: QiwayError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopWaiting();
    this.#registration = undefined;
    this.#options.onEnded(this);
    this.#object.release();
    this.#settleClosed(reason);
  }

  #left(registration: HostedService, reason: QiwayError | undefined, client: BusClient): void {
    if (this.#registration !== registration) return;
    this.#registration = undefined;
    // Taken off the bus by somebody (any program may do that): that is meant. The directory gone: it comes back.
    if (this.#options.keepTrying && client.state !== 'up') return;
    this.abandon(reason);
  }
}

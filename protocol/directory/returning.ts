// Main objects of services that were used before the other side began anew: each goes on when the same service is there
// again, and ends when it is another one by now, or stays away. Layer 4.
import type { Peer } from '../bus/peer.ts';
import type { PeerObject } from '../bus/peer-object.ts';
import type { Clock } from '../clock.ts';
import { asQiwayError, QiwayError } from '../errors.ts';
import { fetchMetaObject } from './fetch-object.ts';

export interface ReturningOptions {
  readonly peer: Peer;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly returned: (name: string, serviceId: number) => void;
  /** Its object has ended. */
  readonly left: (name: string, error: QiwayError) => void;
}

/** Where its service is now. */
export interface ReturnPlace {
  readonly serviceId: number;
  /** Is its metaobject the same? Undefined: it is to be asked. */
  readonly isSame?: boolean | undefined;
}

/** As for services of a robot whose bus was down: programs that were started again register again within seconds, mostly. */
const GRACE_MS = 120_000;
/** Of questions that the other side did not get, or forgot. */
const LOST: ReadonlySet<string> = new Set(['link-lost', 'offline', 'closed', 'timeout']);

/** Was the question lost, and should it be asked again? */
export function isLost(error: QiwayError): boolean {
  return LOST.has(error.code);
}

export class Returning {
  readonly #options: ReturningOptions;
  readonly #awaited = new Map<string, { readonly object: PeerObject; readonly stopTimer: () => void }>();
  /** Those that appeared, and are looked at. */
  readonly #appeared = new Map<string, Promise<void>>();

  constructor(options: ReturningOptions) {
    this.#options = options;
  }

  /** Its service is there: goes on, or ends if that is another one. @throws what is to be asked again */
  async take(name: string, object: PeerObject, { serviceId, isSame }: ReturnPlace): Promise<void> {
    const { peer, returned } = this.#options;
    const goesOn = isSame ?? (await this.#isSame(object, serviceId));
    if (object.goneWith !== undefined) return;
    if (!goesOn) return this.#giveUp(name, object, 'is another one now; get it again');
    peer.settle(object, serviceId);
    returned(name, serviceId);
  }

  /** Its service is not there yet. */
  wait(name: string, object: PeerObject): void {
    this.#awaited.get(name)?.stopTimer();
    object.suspendFor(
      new QiwayError(
        'bus-down',
        `Service ${name} has not come back yet since the agent was started again; nothing was sent.`,
      ),
    );
    const stopTimer = this.#options.clock.after(GRACE_MS, () => {
      this.#awaited.delete(name);
      this.#giveUp(name, object, 'did not come back');
    });
    this.#awaited.set(name, { object, stopTimer });
  }

  /** A service appeared, perhaps one that is waited for. */
  appeared(name: string, serviceId: number): void {
    const awaited = this.#awaited.get(name);
    if (awaited === undefined) return;
    awaited.stopTimer();
    this.#awaited.delete(name);
    const taken = this.take(name, awaited.object, { serviceId })
      .catch(() => {}) // the next time that the other side begins anew
      .finally(() => this.#appeared.get(name) === taken && this.#appeared.delete(name));
    this.#appeared.set(name, taken);
  }

  /** If a service of this name has appeared, it is known now whether it goes on. Never rejects. */
  async taken(name: string): Promise<void> {
    await this.#appeared.get(name);
  }

  /** The other side begins anew, or is gone: nothing is waited for any more. */
  clear(): void {
    for (const { stopTimer } of this.#awaited.values()) stopTimer();
    this.#awaited.clear();
  }

  async #isSame({ metaObject: { bytes } }: PeerObject, serviceId: number): Promise<boolean> {
    const { peer, clock, timeoutMs } = this.#options;
    try {
      const found = await fetchMetaObject(peer, serviceId, { clock, timeoutMs });
      return found.length === bytes.length && found.every((byte, index) => byte === bytes[index]);
    } catch (thrown) {
      if (isLost(asQiwayError(thrown))) throw thrown;
      return false;
    }
  }

  #giveUp(name: string, object: PeerObject, what: string): void {
    const error = new QiwayError('service-gone', `Service ${name} ${what}.`, { data: { service: name } });
    this.#options.peer.giveUp(object, error);
    this.#options.left(name, error);
  }
}

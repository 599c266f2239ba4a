// Where calls are kept: in the store that outlives the page, or in memory while that does not take them. Knows no order of
// sending and no session.
import type { Clock } from '@qiway/protocol/clock';
import { QiwayError } from '@qiway/protocol/errors';
import { within } from '@qiway/protocol/within';
import type { QueueStore, StoredCall } from './queue-types.ts';
import type { WaitingCall } from './waiting-call.ts';

export interface CallShelfOptions {
  readonly robotId: string;
  readonly store: QueueStore | undefined;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/** A database that answers no faster is stuck behind another tab, ms. */
const STORE_MS = 3_000;

export class CallShelf {
  readonly #options: CallShelfOptions;
  #isDurable: boolean;
  /** Of those that are stored, as far as it is known. */
  #lastOrder = 0;

  constructor(options: CallShelfOptions) {
    this.#options = options;
    this.#isDurable = options.store !== undefined;
  }

  /** Was the last call taken by the store? */
  get isDurable(): boolean {
    return this.#isDurable;
  }

  /** Gives the call its position. Never rejects. */
  async add(call: WaitingCall): Promise<void> {
    const order = await this.#store(call);
    this.saw(order);
    call.stored = { ...call.stored, order };
  }

  /** There is a call at that position; those to come are behind it. */
  saw(order: number): void {
    this.#lastOrder = Math.max(this.#lastOrder, order);
  }

  async update(call: WaitingCall, stored: StoredCall): Promise<void> {
    const { store, onError } = this.#options;
    call.stored = stored;
    if (call.isDurable) await store?.update(stored).catch(onError);
  }

  async remove(call: WaitingCall): Promise<void> {
    const { store, onError } = this.#options;
    if (call.isDurable) await store?.remove(call.stored.order).catch(onError);
  }

  /** What the store holds of the robot, in order; undefined where there is none, or it does not answer. */
  async load(): Promise<readonly StoredCall[] | undefined> {
    const { store, robotId, clock } = this.#options;
    if (store === undefined) return undefined;
    try {
      return await within(store.load(robotId), { clock, timeoutMs: STORE_MS }, 'The queue was not read');
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  async #store(call: WaitingCall): Promise<number> {
    const { store, clock } = this.#options;
    if (store !== undefined) {
      try {
        const { order: _order, ...rest } = call.stored;
        const adding = store.add(rest);
        const order = await within(adding, { clock, timeoutMs: STORE_MS }, 'The call was not stored').catch((error) => {
          // Stored after all, and nobody counts on it.
          adding.then((late) => store.remove(late)).catch(() => {});
          throw error;
        });
        call.isDurable = true;
        this.#isDurable = true;
        return order;
      } catch (error) {
        this.#failed(error);
      }
    }
    // Behind those that are stored, before those to come.
    return this.#lastOrder + 0.001;
  }

  /** Calls go on in memory; that is told once until a call can be stored again. */
  #failed(error: unknown): void {
    if (!this.#isDurable) return;
    this.#isDurable = false;
    this.#options.onError(
      new QiwayError('unsupported', 'Calls that wait for the robot cannot be stored here, and end with this page.', {
        data: { what: 'store' },
        cause: error,
      }),
    );
  }
}

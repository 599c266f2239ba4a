// The event logs of a door, one for each signal that somebody listens to or left a moment ago. Pure.
import type { BusObject } from '../bus/bus.ts';
import { QiwayError } from '../errors.ts';
import { type TimeLimit, within } from '../within.ts';
import { EventLog, type EventLogOptions } from './event-log.ts';

/** How long a log outlives its last reader, so that a client that comes back resumes. */
const KEEP_MS = 120_000;
/** Logs kept without a reader; the one left longest ago goes first. */
const MAX_IDLE_LOGS = 64;

/** A signal, or a property by its id. */
export interface LogKey {
  readonly service: string;
  readonly signal: number;
}

interface Held {
  readonly service: string;
  readonly log: EventLog;
  readonly object: BusObject;
  readers: number;
  stopTimer: (() => void) | undefined;
}

/** A reader's hold on a log. */
export interface LogHold {
  readonly log: EventLog;
  /** Idempotent. */
  release(): void;
}

export class EventLogs {
  readonly #limit: TimeLimit;
  readonly #newEpoch: () => string;
  readonly #held = new Map<string, Held>();

  /** @param limit for a service to confirm a subscription */
  constructor(limit: TimeLimit, newEpoch: () => string) {
    this.#limit = limit;
    this.#newEpoch = newEpoch;
  }

  /**
   * The log of a signal of `object`, whose reference is taken over.
   * @throws as `Subscription.ready`; `timeout`
   */
  async open(place: LogKey, object: BusObject, toText: EventLogOptions['toText']): Promise<LogHold> {
    const key = `${place.signal} ${place.service}`;
    const known = this.#held.get(key);
    const isUsable = known !== undefined && !known.log.isGone && known.object.goneWith === undefined;
    if (known !== undefined && !isUsable) this.#drop(key, known);
    if (isUsable) object.release();
    const held = isUsable ? known : this.#make(key, place, object, toText);
    held.readers++;
    held.stopTimer?.();
    held.stopTimer = undefined;
    const hold = this.#holdOn(key, held);
    try {
      await within(held.log.ready, this.#limit, 'The service did not confirm the subscription');
    } catch (error) {
      this.#drop(key, held);
      throw error;
    }
    return hold;
  }

  /** The service left the bus. */
  endService(service: string, error: QiwayError): void {
    for (const held of this.#held.values()) if (held.service === service) held.log.end(error);
  }

  /** Readers are told the end. */
  close(): void {
    const error = new QiwayError('closed', 'The agent is closing.');
    for (const [key, held] of [...this.#held]) {
      held.log.end(error);
      this.#drop(key, held);
    }
  }

  #make(key: string, { service, signal }: LogKey, object: BusObject, toText: EventLogOptions['toText']): Held {
    const log = new EventLog(object, signal, { epoch: this.#newEpoch(), toText });
    const held: Held = { service, log, object, readers: 0, stopTimer: undefined };
    this.#held.set(key, held);
    return held;
  }

  #holdOn(key: string, held: Held): LogHold {
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      held.readers--;
      if (held.readers > 0 || this.#held.get(key) !== held) return;
      // Put last: the map is in order of leaving.
      this.#held.delete(key);
      this.#held.set(key, held);
      held.stopTimer = this.#limit.clock.after(KEEP_MS, () => this.#drop(key, held));
      const idle = [...this.#held].filter(([, other]) => other.readers === 0);
      for (const [oldKey, old] of idle.slice(0, Math.max(0, idle.length - MAX_IDLE_LOGS))) this.#drop(oldKey, old);
    };
    return { log: held.log, release };
  }

  /** The service is not waited for: no event reaches the log any more, and a service that hangs must hold up nobody. */
  #drop(key: string, held: Held): void {
    if (this.#held.get(key) !== held) return;
    this.#held.delete(key);
    held.stopTimer?.();
    void held.log.close();
    held.object.release();
  }
}

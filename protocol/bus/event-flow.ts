// What becomes of events for a side that takes them more slowly than they come: each subscription has a demand. Layer 2,
// between an object's events and what is written to the peer; it knows no values, and time by the clock it is given.
import type { Clock } from '../clock.ts';
import { AddressTable } from './address-table.ts';
import { type Payload, releasePayload } from './bus.ts';
import { type Demand, EVERY } from './demand.ts';
import { EventRate } from './event-rate.ts';

/** What waits for the other side, told by whoever sends (the outbox of a session). */
export interface Flow {
  /** False while no link is there: nothing goes then, what is sent waits. */
  readonly isAttached: boolean;
  /**
   * Bytes that were sent and not acknowledged or not sent yet: of small frames all, of large ones only events that wait.
   * A reply of a hundred megabytes on its way is no reason to thin events, since they overtake it.
   */
  readonly queuedBytes: number;
  /** Calls `run` once, maybe at once, when a link is there and no more than `bytes` are queued; returns how to stop. */
  whenBelow(bytes: number, run: () => void): () => void;
}

/** Counts that the events of many sessions raise. */
export interface EventCounts {
  /** Dropped as the subscriber wished: a newer one came. */
  eventsThinned: number;
  /** Dropped although every one was wanted; the subscriber is told how many. */
  eventsMissed: number;
}

export interface EventFlowsOptions {
  readonly flow: Flow;
  readonly clock: Clock;
  readonly counts?: EventCounts;
  /** Bytes that may be queued before events of which every one is wanted are left out. */
  readonly budgetBytes?: number;
  /** The same while no link is there. */
  readonly detachedBudgetBytes?: number;
  /** Bytes that may be queued before events of which only the newest is wanted wait. */
  readonly waitAboveBytes?: number;
}

/** Half of what a session may keep waiting: the rest is for answers. */
export const EVENT_BUDGET_BYTES: number = 16 * 1024 * 1024;
/**
 * For who is away: it comes back for the present. What it missed meanwhile would keep that back, on a slow path for minutes,
 * and many that are away would take up what all have together.
 */
const DETACHED_EVENT_BUDGET_BYTES = 1024 * 1024;
/** A receiver acknowledges every 64 KiB at the latest, so one such part is no sign of a queue; as much again may be under way. */
export const WAIT_ABOVE_BYTES: number = 128 * 1024;
/** Demands of one session: as many as it may have registrations, and they may come before those. */
const MAX_DEMANDS = 65_536;

/** Where a subscription's events go; called in order. */
export interface EventOutput {
  /** Takes over the references of the payload. */
  event(payload: Payload): void;
  gap(missed: number | undefined): void;
  /** They are wanted otherwise from now on: for who passes that on. */
  wanted?(demand: Demand): void;
}

/** A signal of an object. */
export interface SignalAddress {
  readonly service: number;
  readonly object: number;
  readonly signal: number;
}

/** The registrations of one signal, and how they want its events. */
interface Signal {
  demand: Demand;
  readonly flows: Set<EventFlow>;
}

/** Of one session: the demands that its client told, and the flows of its registrations. */
export class EventFlows {
  readonly #options: EventFlowsOptions;
  readonly #budgetBytes: number;
  readonly #detachedBudgetBytes: number;
  readonly #waitAboveBytes: number;
  readonly #signals = new AddressTable<Map<number, Signal>>();
  #count = 0;
  /** Flows with an event that waits, by turns, and flows that count what they leave out. */
  readonly #waiting = new Set<EventFlow>();
  readonly #counting = new Set<EventFlow>();
  #stopWaiting: (() => void) | undefined;
  #stopCounting: (() => void) | undefined;

  constructor(options: EventFlowsOptions) {
    this.#options = options;
    this.#budgetBytes = options.budgetBytes ?? EVENT_BUDGET_BYTES;
    this.#detachedBudgetBytes = Math.min(options.detachedBudgetBytes ?? DETACHED_EVENT_BUDGET_BYTES, this.#budgetBytes);
    this.#waitAboveBytes = options.waitAboveBytes ?? WAIT_ABOVE_BYTES;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  /** How the client wants the events of a signal, from the next on; may come before the registration. */
  set(address: SignalAddress, demand: Demand): void {
    const known = this.#find(address);
    if (known === undefined && (demand === EVERY || this.#count >= MAX_DEMANDS)) return;
    const signal = known ?? this.#add(address);
    signal.demand = demand;
    for (const flow of signal.flows) flow.demandChanged(demand);
    this.#dropUnused(address, signal);
  }

  /** The way of one registration's events; to be closed with it. */
  open(address: SignalAddress, output: EventOutput): EventFlow {
    const signal = this.#find(address) ?? this.#add(address);
    const flow: EventFlow = new EventFlow({
      flows: this,
      output,
      demand: signal.demand,
      onClose: () => {
        signal.flows.delete(flow);
        this.#waiting.delete(flow);
        this.#counting.delete(flow);
        // A demand lasts as long as what it was made for.
        if (signal.flows.size === 0) signal.demand = EVERY;
        this.#dropUnused(address, signal);
      },
    });
    signal.flows.add(flow);
    return flow;
  }

  // ---- used by the flows -------------------------------------------------------------------------------------------

  get isOverBudget(): boolean {
    const { flow } = this.#options;
    return flow.queuedBytes > (flow.isAttached ? this.#budgetBytes : this.#detachedBudgetBytes);
  }

  /** Nothing waits: what is sent now goes now. */
  get isFree(): boolean {
    const { flow } = this.#options;
    return flow.isAttached && flow.queuedBytes <= this.#waitAboveBytes;
  }

  thinned(): void {
    if (this.#options.counts !== undefined) this.#options.counts.eventsThinned += 1;
  }

  missed(): void {
    if (this.#options.counts !== undefined) this.#options.counts.eventsMissed += 1;
  }

  /** Calls `flow.sendNewest()` in its turn. */
  wait(flow: EventFlow): void {
    this.#waiting.add(flow);
    if (this.#stopWaiting !== undefined) return;
    let hasRun = false;
    const stop = this.#options.flow.whenBelow(this.#waitAboveBytes, () => {
      hasRun = true;
      this.#stopWaiting = undefined;
      this.#sendWaiting();
    });
    if (!hasRun) this.#stopWaiting = stop;
  }

  /** Calls `flow.tellMissed()` when there is room: half the budget, so that gaps and events do not take turns. */
  count(flow: EventFlow): void {
    this.#counting.add(flow);
    if (this.#stopCounting !== undefined) return;
    let hasRun = false;
    const stop = this.#options.flow.whenBelow(this.#budgetBytes / 2, () => {
      hasRun = true;
      this.#stopCounting = undefined;
      for (const one of [...this.#counting]) {
        this.#counting.delete(one);
        one.tellMissed();
      }
    });
    if (!hasRun) this.#stopCounting = stop;
  }

  /** The session has ended. */
  close(): void {
    this.#stopWaiting?.();
    this.#stopCounting?.();
    for (const signals of this.#signals.entries())
      for (const { flows } of [...signals.values()]) for (const flow of [...flows]) flow.close();
  }

  #sendWaiting(): void {
    for (const flow of [...this.#waiting]) {
      if (!this.isFree) break;
      this.#waiting.delete(flow);
      flow.sendNewest();
    }
    const [next] = this.#waiting;
    if (next !== undefined) this.wait(next);
  }

  #find({ service, object, signal }: SignalAddress): Signal | undefined {
    return this.#signals.get(service, object)?.get(signal);
  }

  #add({ service, object, signal }: SignalAddress): Signal {
    let signals = this.#signals.get(service, object);
    if (signals === undefined) {
      signals = new Map();
      this.#signals.set(service, object, signals);
    }
    const added: Signal = { demand: EVERY, flows: new Set() };
    signals.set(signal, added);
    this.#count += 1;
    return added;
  }

  #dropUnused({ service, object, signal }: SignalAddress, unused: Signal): void {
    const signals = this.#signals.get(service, object);
    if (unused.flows.size > 0 || unused.demand !== EVERY || signals?.get(signal) !== unused) return;
    signals.delete(signal);
    this.#count -= 1;
    if (signals.size === 0) this.#signals.delete(service, object);
  }
}

interface EventFlowOptions {
  readonly flows: EventFlows;
  readonly output: EventOutput;
  readonly demand: Demand;
  readonly onClose: () => void;
}

/** The events of one registration on their way out. */
export class EventFlow {
  readonly #options: EventFlowOptions;
  #demand: Demand;
  /** At most `maxHz` go through it; made when that is asked for. */
  #rate: EventRate<Payload> | undefined;
  /** The newest event while another waits for room. */
  #newest: Payload | undefined;
  /** Since the last event that went: how many were left out, undefined: nobody knows. */
  #missed: number | undefined = 0;
  #isOpen = true;

  constructor(options: EventFlowOptions) {
    this.#options = options;
    this.#demand = options.demand;
  }

  get demand(): Demand {
    return this.#demand;
  }

  /** Takes over the references of `payload`. */
  event(payload: Payload): void {
    if (!this.#isOpen) return releasePayload(payload);
    const { maxHz } = this.#demand;
    if (maxHz > 0 || this.#rate?.isWaiting === true) this.#rateOf(maxHz).push(payload);
    else this.#pass(payload);
  }

  /** Events were missed before they came here. */
  gap(missed: number | undefined): void {
    if (!this.#isOpen) return;
    if (this.#missed === 0) this.#options.output.gap(missed);
    else this.#missed = this.#missed === undefined || missed === undefined ? undefined : this.#missed + missed;
  }

  /** Idempotent; what waits is dropped. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#rate?.close();
    if (this.#newest !== undefined) releasePayload(this.#newest);
    this.#newest = undefined;
    this.#options.onClose();
  }

  // ---- used by the flows of the session ----------------------------------------------------------------------------

  demandChanged(demand: Demand): void {
    this.#demand = demand;
    this.#rate?.setMaxHz(demand.maxHz);
    this.#options.output.wanted?.(demand);
  }

  sendNewest(): void {
    const newest = this.#newest;
    this.#newest = undefined;
    if (newest !== undefined) this.#options.output.event(newest);
  }

  tellMissed(): void {
    const missed = this.#missed;
    this.#missed = 0;
    if (missed !== 0) this.#options.output.gap(missed);
  }

  #rateOf(maxHz: number): EventRate<Payload> {
    const { flows } = this.#options;
    this.#rate ??= new EventRate<Payload>({
      clock: flows.clock,
      maxHz,
      pass: (payload) => this.#pass(payload),
      drop: (payload) => {
        flows.thinned();
        releasePayload(payload);
      },
    });
    return this.#rate;
  }

  #pass(payload: Payload): void {
    if (this.#demand.policy === 'latest') this.#passLatest(payload);
    else this.#passEvery(payload);
  }

  #passEvery(payload: Payload): void {
    const { flows, output } = this.#options;
    if (this.#missed === 0 && !flows.isOverBudget) {
      if (this.#newest !== undefined) this.sendNewest(); // of the time when only the newest was wanted
      return output.event(payload);
    }
    if (this.#missed === 0) flows.count(this);
    if (this.#missed !== undefined) this.#missed += 1;
    flows.missed();
    releasePayload(payload);
  }

  #passLatest(payload: Payload): void {
    const { flows, output } = this.#options;
    if (this.#missed !== 0) {
      // Left out while every one was wanted: told first.
      this.tellMissed();
    }
    if (this.#newest === undefined && flows.isFree) return output.event(payload);
    if (this.#newest !== undefined) {
      flows.thinned();
      releasePayload(this.#newest);
    }
    this.#newest = payload;
    flows.wait(this);
  }
}

// Makes the calls that wait, while the robot can be reached and it is this tab's turn: one after the other for each service,
// services beside each other. Knows no store and no tabs.
import { type Payload, releasePayload } from '@qiway/protocol/bus/bus';
import type { Clock } from '@qiway/protocol/clock';
import { asQiwayError, type QiwayError } from '@qiway/protocol/errors';
import type { FlushTurn } from './flush-turn.ts';
import type { CallMaker } from './make-call.ts';
import type { QueuePort, StoredCall } from './queue-types.ts';
import type { WaitingCall } from './waiting-call.ts';

export interface FlusherOptions {
  readonly port: QueuePort;
  readonly maker: CallMaker;
  readonly turn: FlushTurn;
  readonly clock: Clock;
  /** Those that there are; the flusher reads them and sets their state. */
  readonly calls: ReadonlyMap<string, WaitingCall>;
  /** Called when the turn begins: what other tabs did before it. */
  readonly reload: () => Promise<void>;
  readonly changed: (call: WaitingCall, kind: 'sending' | 'waiting') => void;
  readonly store: (call: WaitingCall, stored: StoredCall) => Promise<void>;
  /** True: its time was over, it was taken out. */
  readonly expire: (call: WaitingCall) => boolean;
  readonly done: (call: WaitingCall, payload: Payload) => Promise<void>;
  readonly failed: (call: WaitingCall, error: QiwayError) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** Between attempts when the robot says that it is there, and the call finds that it is not, ms. */
const RETRY_MS = 500;
/** Outcomes are told to the agent together, ms after the first of them. */
const TAKEN_MS = 1_000;
const MAX_TAKEN = 500;

/** A service that is not there may still come back for so long after the robot itself did: its program registers again. */
const RETURN_MS = 120_000;
const AWAY: ReadonlySet<string> = new Set(['service-not-found', 'service-gone']);
/** Failures after which the call is made again under the same key. */
const PASSING: ReadonlySet<string> = new Set(['offline', 'link-lost', 'bus-down']);

export class Flusher {
  readonly #options: FlusherOptions;
  readonly #stopListening: () => void;
  /** Services whose calls are being made. */
  readonly #lanes = new Map<string, Promise<void>>();
  #state: 'open' | 'suspended' | 'closed' = 'open';
  /** Waits for the turn, or has it. */
  #turn: AbortController | undefined;
  #isMine: (() => boolean) | undefined;
  /** Ends the turn as soon as no call is under way. */
  #endTurn: () => void = () => {};
  /** Undefined: the robot cannot be reached. */
  #readySinceMs: number | undefined;
  /** Counts changes of the port. */
  #news = 0;
  #taken: string[] = [];
  #stopTaken: (() => void) | undefined;

  constructor(options: FlusherOptions) {
    this.#options = options;
    const { port, clock } = options;
    this.#readySinceMs = port.isReady ? clock.now() : undefined;
    this.#stopListening = port.onChange(() => {
      this.#news += 1;
      this.#readySinceMs = port.isReady ? (this.#readySinceMs ?? clock.now()) : undefined;
      this.kick();
    });
  }

  /** Something changed: looks whether there is something to do. */
  kick(): void {
    if (!this.#canSend()) {
      if (this.#isMine === undefined) this.#turn?.abort();
      this.#endIfIdle();
      return;
    }
    if (this.#isMine !== undefined) return this.#mayMake() ? this.#fill() : this.#endIfIdle();
    if (this.#turn !== undefined || this.#nextOf(undefined) === undefined) return;
    const turn = new AbortController();
    this.#turn = turn;
    this.#options
      .turn(turn.signal, (isMine) => this.#work(isMine))
      .catch(this.#options.onError)
      .finally(() => {
        if (this.#turn === turn) this.#turn = undefined;
        // Calls came when the turn was over already, or it was given up and is wanted again.
        if (this.#canSend()) this.kick();
      });
  }

  /** Lets go of the turn at once; calls under way are made again under their key, by whoever has it next. */
  suspend(): void {
    if (this.#state === 'closed') return;
    this.#state = 'suspended';
    for (const call of this.#options.calls.values()) {
      if (call.state !== 'sending') continue;
      call.stop = undefined;
      call.state = 'waiting';
      this.#options.changed(call, 'waiting');
    }
    this.#lanes.clear();
    this.#turn?.abort();
    this.#endTurn();
  }

  resume(): void {
    if (this.#state !== 'suspended') return;
    this.#state = 'open';
    this.kick();
  }

  close(): void {
    this.#state = 'closed';
    this.#stopListening();
    this.#stopTaken?.();
    this.#turn?.abort();
    this.#endTurn();
  }

  async #work(isMine: () => boolean): Promise<void> {
    try {
      await this.#options.reload();
      if (!this.#canSend()) return;
      const ended = new Promise<void>((resolve) => {
        this.#endTurn = resolve;
      });
      this.#isMine = isMine;
      this.#fill();
      this.#endIfIdle();
      await ended;
    } finally {
      this.#isMine = undefined;
      this.#endTurn = () => {};
    }
  }

  /** It can, and it is this tab's turn: a turn may be lost while the page sleeps. */
  #mayMake(): boolean {
    return this.#canSend() && this.#isMine?.() === true;
  }

  #canSend(): boolean {
    return this.#state === 'open' && this.#options.port.isReady;
  }

  #fill(): void {
    for (const { state, stored } of this.#options.calls.values()) {
      const { service } = stored;
      if (state !== 'waiting' || this.#lanes.has(service)) continue;
      const lane = this.#run(service)
        .catch(this.#options.onError)
        .finally(() => {
          if (this.#lanes.get(service) !== lane) return; // it was put aside
          this.#lanes.delete(service);
          // One that came while the lane ended.
          if (this.#mayMake() && this.#nextOf(service) !== undefined) this.#fill();
          else this.#endIfIdle();
        });
      this.#lanes.set(service, lane);
    }
  }

  #endIfIdle(): void {
    if (this.#lanes.size === 0) this.#endTurn();
  }

  async #run(service: string): Promise<void> {
    while (this.#mayMake()) {
      const call = this.#nextOf(service);
      if (call === undefined) return;
      if (this.#options.expire(call)) continue;
      const news = this.#news;
      const isThrough = await this.#send(call);
      // Where the robot went away and came back meanwhile there is nothing to wait for.
      if (!isThrough && this.#canSend() && news === this.#news) await this.#pause();
    }
  }

  /** The first that waits, of one service or of any. */
  #nextOf(service: string | undefined): WaitingCall | undefined {
    let next: WaitingCall | undefined;
    for (const call of this.#options.calls.values()) {
      if (call.state !== 'waiting' || (service !== undefined && call.stored.service !== service)) continue;
      if (next === undefined || call.stored.order < next.stored.order) next = call;
    }
    return next;
  }

  /** False: it is to be tried again. */
  async #send(call: WaitingCall): Promise<boolean> {
    const { maker, changed, store, done, failed } = this.#options;
    const { wasSent, journal } = call.stored;
    let abort: (() => void) | undefined;
    let isStopped = false;
    const stop = (): void => {
      isStopped = true;
      abort?.();
    };
    call.state = 'sending';
    call.stop = stop;
    changed(call, 'sending');
    /** The page was put aside meanwhile, or another tab settled the call. */
    const isOver = (): boolean => call.stop !== stop || call.state !== 'sending';
    const keep = (stored: StoredCall): Promise<void> => store(call, stored);
    const mayAbort = (abortCall: () => void): void => {
      abort = abortCall;
      if (isStopped) abortCall();
    };
    try {
      const payload = await maker.make(call.stored, keep, mayAbort);
      if (isOver()) {
        releasePayload(payload);
        return true;
      }
      call.stop = undefined;
      await done(call, payload);
      this.#tookOutcome(call);
    } catch (thrown) {
      if (isOver()) return true;
      call.stop = undefined;
      const error = asQiwayError(thrown);
      if (!isStopped && this.#isPassing(error, call)) {
        // What certainly did not begin leaves no trace.
        if (!error.maybeExecuted && !wasSent) await keep({ ...call.stored, wasSent, journal });
        call.state = 'waiting';
        changed(call, 'waiting');
        return false;
      }
      await failed(call, error);
      this.#tookOutcome(call);
    }
    return true;
  }

  #isPassing({ code, maybeExecuted }: QiwayError, { stored }: WaitingCall): boolean {
    const { port, clock } = this.#options;
    if (AWAY.has(code) && !maybeExecuted)
      return this.#readySinceMs === undefined || clock.now() - this.#readySinceMs < RETURN_MS;
    // Its link is away: whether it ran is asked under the same key.
    if (code === 'timeout') return !port.isReady;
    if (code === 'closed' || code === 'object-gone') return !port.isReady && this.#state !== 'closed';
    if (code === 'bus-down' && maybeExecuted) return stored.memberClass === 'idempotent';
    return PASSING.has(code);
  }

  /** The agent is told that its record is not needed any more. */
  #tookOutcome({ stored: { id, memberClass } }: WaitingCall): void {
    if (memberClass === 'idempotent') return;
    this.#taken.push(id);
    if (this.#taken.length >= MAX_TAKEN) return this.#tellTaken();
    this.#stopTaken ??= this.#options.clock.after(TAKEN_MS, () => this.#tellTaken());
  }

  #tellTaken(): void {
    this.#stopTaken?.();
    this.#stopTaken = undefined;
    const taken = this.#taken;
    this.#taken = [];
    void this.#options.maker.taken(taken);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.after(RETRY_MS, resolve);
    });
  }
}

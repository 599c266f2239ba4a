// What happened to each call, post and event of a simulation, and the laws it must have followed. Support of the tests;
// it knows sessions only by what they promise.
import type { QiwayError } from '../../protocol/errors.ts';

/** How the callee answers. `never`: not before it is asked to stop. */
export type Answer =
  | { readonly how: 'reply' | 'error'; readonly delayMs: number; readonly bytes: number }
  | { readonly how: 'never' };

export type Outcome =
  | { readonly kind: 'reply'; readonly isRight: boolean }
  | { readonly kind: 'error'; readonly code: string; readonly maybeExecuted: boolean }
  | { readonly kind: 'canceled' };

/** One call or post. */
export interface Operation {
  readonly id: number;
  readonly kind: 'call' | 'post';
  readonly isMotion: boolean;
  readonly caller: string;
  readonly callee: string;
  readonly bodyBytes: number;
  readonly answer: Answer;
  readonly madeAt: number;
  /** The cable on which the session was when it was made; undefined: there was no link. */
  readonly madeOn: number | undefined;
  /** There was a link, and room for it: it is not to be lost as long as the session lives. */
  readonly isTaken: boolean;
  readonly runs: { readonly at: number; readonly on: number | undefined }[];
  readonly outcomes: (Outcome & { readonly at: number })[];
  isCancelAsked: boolean;
  /** It is bulk, or is behind some: then it may wait on this side, on a link that is alive. */
  readonly isBehindBulk: boolean;
}

/** Somebody waits for a promise. */
export interface Wait {
  readonly owner: string;
  readonly what: string;
}

/** One subscription. */
export interface Listening {
  readonly id: number;
  readonly emitter: string;
  /** In the order in which they came: the number of an event, or how many were missed. */
  readonly heard: ({ readonly event: number } | { readonly missed: number | undefined })[];
  /** Events up to this number need not be heard; undefined: not confirmed yet. */
  afterEvent: number | undefined;
  /** It was asked to end, or told that it ended. */
  state: 'open' | 'closing' | 'ended';
}

export interface HistoryOptions {
  readonly now: () => number;
  /** The cable whose message is being handed over. */
  readonly deliveringOn: () => number | undefined;
  /** Longest time for which one message was under way. */
  readonly mostDelayMs: () => number;
  /** Silence after which motion in replayed frames is refused, ms. */
  readonly staleAfterMs: number;
  readonly trace: (line: () => string) => void;
}

export class History {
  readonly #options: HistoryOptions;
  readonly operations: Operation[] = [];
  readonly listenings: Listening[] = [];
  /** Events of each emitter are numbered from 1. */
  readonly #emitted = new Map<string, number>();
  readonly #lastRun = new Map<string, number>();
  readonly #waits = new Map<Promise<unknown>, Wait>();
  readonly #violations: string[] = [];
  #objects = 0;
  /** From here on both sides let go of what they have. */
  endsAt: number = Number.POSITIVE_INFINITY;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** The first violation of a law, in words. */
  get violation(): string | undefined {
    return this.#violations[0];
  }

  violate(sentence: string): void {
    this.#options.trace(() => `VIOLATION ${sentence}`);
    this.#violations.push(`at ${this.#options.now().toFixed(1)} ms: ${sentence}`);
  }

  /** Of one more object. */
  freshUid(): Uint8Array {
    const uid = new Uint8Array(20);
    this.#objects += 1;
    new DataView(uid.buffer).setUint32(0, this.#objects);
    return uid;
  }

  // ---- calls and posts ---------------------------------------------------------------------------------------------

  make(made: Omit<Operation, 'id' | 'madeAt' | 'runs' | 'outcomes' | 'isCancelAsked' | 'isBehindBulk'>): Operation {
    const operation: Operation = {
      ...made,
      id: this.operations.length,
      madeAt: this.#options.now(),
      runs: [],
      outcomes: [],
      isCancelAsked: false,
      isBehindBulk: this.#isBehindBulk(made),
    };
    this.operations.push(operation);
    this.#options.trace(() => `${nameOf(operation)}, ${operation.bodyBytes} bytes`);
    return operation;
  }

  #isBehindBulk({ caller, callee, bodyBytes }: Pick<Operation, 'caller' | 'callee' | 'bodyBytes'>): boolean {
    const isSameRow = (each: Operation): boolean => each.caller === caller && each.callee === callee;
    return (
      bodyBytes > BULK_BYTES ||
      this.operations.some((each) => each.bodyBytes > BULK_BYTES && each.runs.length === 0 && isSameRow(each))
    );
  }

  /** The callee has it. Undefined: nobody made such a call. */
  ran(id: number, bodyBytes: number): Operation | undefined {
    const operation = this.operations[id];
    if (operation === undefined) {
      this.violate(`a call ${id} ran that nobody made`);
      return undefined;
    }
    const at = this.#options.now();
    const on = this.#options.deliveringOn();
    this.#options.trace(() => `${nameOf(operation)} runs`);
    operation.runs.push({ at, on });
    if (operation.runs.length > 1) this.violate(`${nameOf(operation)} ran twice`);
    if (operation.bodyBytes !== bodyBytes)
      this.violate(`${nameOf(operation)} came with ${bodyBytes} bytes instead of ${operation.bodyBytes}`);
    const row = `${operation.caller} > ${operation.callee}`;
    const last = this.#lastRun.get(row) ?? -1;
    if (last > id) this.violate(`${nameOf(operation)} ran after ${last}, which was made later`);
    this.#lastRun.set(row, Math.max(last, id));
    const [outcome] = operation.outcomes;
    if (outcome?.kind === 'error' && !outcome.maybeExecuted)
      this.violate(`${nameOf(operation)} ran after its caller was told ${outcome.code}, not executed`);
    if (operation.isMotion) this.#checkMotion(operation, { at, on });
    return operation;
  }

  settled(operation: Operation, outcome: Outcome): void {
    this.#options.trace(() => `${nameOf(operation)} settles: ${describe(outcome)}`);
    operation.outcomes.push({ ...outcome, at: this.#options.now() });
    if (operation.outcomes.length > 1) this.violate(`${nameOf(operation)} settled twice`);
    const hasRun = operation.runs.length > 0;
    if (outcome.kind === 'reply' && !hasRun) this.violate(`${nameOf(operation)} was answered and did not run`);
    if (outcome.kind === 'reply' && !outcome.isRight) this.violate(`${nameOf(operation)} got the answer of another`);
    if (outcome.kind === 'reply' && operation.answer.how !== 'reply')
      this.violate(`${nameOf(operation)} was answered as nobody answered it`);
    if (outcome.kind === 'error' && !outcome.maybeExecuted && hasRun && outcome.code !== 'call-failed')
      this.violate(`${nameOf(operation)} ran, and its caller was told ${outcome.code}, not executed`);
  }

  #checkNotLost(operation: Operation): void {
    const { kind, runs, outcomes } = operation;
    const [outcome] = outcomes;
    if (kind === 'post' && runs.length === 0) this.violate(`${nameOf(operation)} was sent, and lost`);
    const isEnd =
      outcome !== undefined && outcome.at >= this.endsAt && outcome.kind === 'error' && outcome.maybeExecuted;
    if (outcome?.kind === 'error' && !EXPECTED.has(outcome.code) && !isEnd)
      this.violate(`${nameOf(operation)} failed with ${outcome.code}, although its session went on`);
  }

  // ---- events ------------------------------------------------------------------------------------------------------

  /** The number of the next event. */
  emit(emitter: string): number {
    const number = this.lastEvent(emitter) + 1;
    this.#emitted.set(emitter, number);
    this.#options.trace(() => `${emitter} emits ${number}`);
    return number;
  }

  lastEvent(emitter: string): number {
    return this.#emitted.get(emitter) ?? 0;
  }

  listen(emitter: string): Listening {
    const listening: Listening = {
      id: this.listenings.length,
      emitter,
      heard: [],
      afterEvent: undefined,
      state: 'open',
    };
    this.listenings.push(listening);
    this.#options.trace(() => `subscription ${listening.id} to ${emitter}`);
    return listening;
  }

  confirmed(listening: Listening): void {
    listening.afterEvent = this.lastEvent(listening.emitter);
    this.#options.trace(() => `subscription ${listening.id} is confirmed after event ${listening.afterEvent}`);
  }

  heard(listening: Listening, event: number): void {
    this.#options.trace(() => `subscription ${listening.id} hears ${event}`);
    const before = listening.heard.findLast((each) => 'event' in each);
    if (before !== undefined && before.event >= event)
      this.violate(`subscription ${listening.id} heard event ${event} after ${before.event}`);
    this.#take(listening, { event });
  }

  missed(listening: Listening, missed: number | undefined): void {
    this.#options.trace(() => `subscription ${listening.id} missed ${missed ?? 'some'}`);
    this.#take(listening, { missed });
  }

  #take(listening: Listening, one: Listening['heard'][number]): void {
    listening.heard.push(one);
    if (listening.state === 'ended') this.violate(`subscription ${listening.id} heard something after its end`);
  }

  // ---- promises ----------------------------------------------------------------------------------------------------

  /** It must settle before the end; its rejection is no fault. */
  waitFor<T>(wait: Wait, promise: Promise<T>): Promise<T> {
    this.#waits.set(promise, wait);
    promise.then(
      () => this.#waits.delete(promise),
      () => this.#waits.delete(promise),
    );
    return promise;
  }

  /**
   * Laws that hold once everything has come to rest, and all is closed.
   * @param killed programs that ended without a word: what became of their calls nobody was told
   * @param isIntact no session was lost: then nothing that was sent may be
   */
  checkEnd(killed: ReadonlySet<string>, isIntact: boolean): void {
    for (const { owner, what } of this.#waits.values())
      if (!killed.has(owner)) this.violate(`${what} of ${owner} never settles`);
    for (const operation of this.operations) {
      const [outcome] = operation.outcomes;
      if (operation.kind === 'call' && outcome === undefined && !killed.has(operation.caller))
        this.violate(`${nameOf(operation)} never settles`);
      if (isIntact && operation.isTaken && !operation.isMotion) this.#checkNotLost(operation);
    }
    for (const listening of this.listenings) this.#reach(listening);
  }

  /** What is open has heard of everything up to now, if only of a gap. */
  checkUpToDate(listening: Listening): void {
    if (listening.state !== 'open' || listening.afterEvent === undefined) return;
    const last = this.lastEvent(listening.emitter);
    if (last <= listening.afterEvent) return;
    if (this.#reach(listening) < last)
      this.violate(`subscription ${listening.id} did not hear the last event, ${last}`);
  }

  /** The last event that was heard or told as missed; Infinity when nobody knows how many were missed. */
  #reach(listening: Listening): number {
    const { afterEvent, heard, id } = listening;
    if (afterEvent === undefined) return Number.POSITIVE_INFINITY;
    /** Events up to here are accounted for at the most, and at the least. */
    let most = afterEvent;
    let least = 0;
    for (const one of heard) {
      if ('missed' in one) {
        if (one.missed === undefined) most = Number.POSITIVE_INFINITY;
        else most += one.missed;
        // Told of events before it was confirmed, it may be told of more than it missed.
        if (one.missed !== undefined && least > afterEvent) least += one.missed;
        continue;
      }
      const { event } = one;
      if (event > most + 1)
        this.violate(`subscription ${id} heard event ${event}, and of those after ${most} neither event nor gap`);
      if (event <= least) this.violate(`subscription ${id} heard event ${event}, which was told as missed`);
      most = Math.max(event, event > afterEvent ? event : most);
      least = event;
    }
    return most;
  }

  /** Motion runs while it is fresh: never from a replay after a silence, nor after its caller was told it is given up. */
  #checkMotion(operation: Operation, run: { readonly at: number; readonly on: number | undefined }): void {
    if (run.on === operation.madeOn) return;
    const { staleAfterMs, mostDelayMs } = this.#options;
    const [outcome] = operation.outcomes;
    // What left before is on its way for so long, also over a link that it moved to.
    if (outcome !== undefined && run.at - outcome.at > mostDelayMs())
      this.violate(`${nameOf(operation)}, motion, was replayed after its caller was told that it is given up`);
    const ageMs = run.at - operation.madeAt;
    if (!operation.isBehindBulk && ageMs > staleAfterMs + mostDelayMs())
      this.violate(`${nameOf(operation)}, motion, was replayed ${ageMs.toFixed(0)} ms after it was made`);
  }
}

const BULK_BYTES = 16 * 1024;
/** What calls may fail with in a session that goes on: the callee said no; bounds; the end. */
const EXPECTED: ReadonlySet<string> = new Set(['call-failed', 'limit-exceeded', 'closed', 'canceled']);

function nameOf({ id, kind, caller, callee, isMotion }: Operation): string {
  return `${kind} ${id} (${caller} > ${callee}${isMotion ? ', motion' : ''})`;
}

function describe(outcome: Outcome): string {
  return outcome.kind === 'error' ? `${outcome.code}${outcome.maybeExecuted ? ', may have run' : ''}` : outcome.kind;
}

/** An error as an outcome. */
export function failed(error: QiwayError): Outcome {
  return { kind: 'error', code: error.code, maybeExecuted: error.maybeExecuted };
}

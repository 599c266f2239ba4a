// One page among all of an origin is the leader: it asks for the turn, has it, gives it up when the page is left or put away,
// and asks again when it is back. Knows neither what leading is good for nor where turns come from.
import type { Clock } from '@qiway/protocol/clock';
import { type AskTurn, askLocks, askOwner, type LockGiver, type Turn, type TurnGiver } from './turn.ts';

/** The parts of `window` and `document` that are used. */
export interface LedPage {
  readonly window: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;
  readonly document?: Pick<EventTarget, 'addEventListener' | 'removeEventListener'> | undefined;
}

export interface LeadOptions {
  /** What is led; pages of the same origin that give the same name have one leader. */
  readonly name: string;
  /** `navigator.locks`, where there are. */
  readonly locks?: LockGiver | undefined;
  /** Asked where there are no locks: pages on plain http have none. */
  readonly owner?: TurnGiver | undefined;
  /** Undefined outside pages: then nothing is put away. */
  readonly page?: LedPage | undefined;
  readonly clock: Clock;
  /** The turn is here. Must not throw. */
  readonly onLead: () => void;
  /** The turn is over: called once after each `onLead`, and in the same turn as the event that ends it. Must not throw. */
  readonly onStop: (reason: string) => void;
}

export interface Leadership {
  readonly isLeading: boolean;
  /** The owner is another: a turn that the old one gave is none any more. Nothing happens to a turn that is a lock. */
  ownerReplaced(): void;
  /** Gives the turn up, and asks for none any more. Idempotent. */
  stop(): void;
}

type State =
  | { readonly kind: 'asking'; readonly abort: AbortController }
  | { readonly kind: 'leading'; readonly turn: Turn }
  /** Asking failed. */
  | { readonly kind: 'resting'; readonly stopTimer: () => void }
  /** Nobody sees the page, and it may run no code: in the back/forward cache, frozen, or on its way out. */
  | { readonly kind: 'away' }
  | { readonly kind: 'stopped' };

/** Who could not even ask, asks again after this; the owner may just be starting. */
const REST_MS = 1000;
/** A page in the back/forward cache keeps its lock (measured), so it gives it up itself. */
const GOING = { window: ['pagehide'], document: ['freeze'] } as const;
const COMING = { window: ['pageshow'], document: ['resume'] } as const;

/** Asks for the turn at once. Without locks and owner nobody else can lead: the turn is here in a microtask. */
export function lead(options: LeadOptions): Leadership {
  return new Candidate(options);
}

class Candidate implements Leadership {
  readonly #options: LeadOptions;
  readonly #ask: AskTurn;
  readonly #stopListening: () => void;
  #state: State = { kind: 'away' };

  constructor(options: LeadOptions) {
    this.#options = options;
    const { name, locks, owner } = options;
    this.#ask = locks === undefined ? askOwner(owner, name) : askLocks(locks, name);
    this.#stopListening = listenTo(options.page, {
      going: () => this.#leave({ kind: 'away' }, 'its page was left or put away'),
      coming: () => {
        if (this.#state.kind === 'away') this.#request();
      },
    });
    this.#request();
  }

  get isLeading(): boolean {
    return this.#state.kind === 'leading';
  }

  ownerReplaced(): void {
    if (this.#options.locks !== undefined || this.#state.kind === 'away') return;
    if (this.#leave({ kind: 'away' }, 'who gave the turn is gone')) this.#request();
  }

  stop(): void {
    this.#leave({ kind: 'stopped' }, 'it was told to stop');
    this.#stopListening();
  }

  #request(): void {
    const abort = new AbortController();
    const asking: State = { kind: 'asking', abort };
    this.#state = asking;
    this.#ask(abort.signal).then(
      (turn) => {
        if (this.#state === asking) this.#begin(turn);
        else turn.release();
      },
      () => {
        if (this.#state === asking) this.#rest();
      },
    );
  }

  #begin(turn: Turn): void {
    const leading: State = { kind: 'leading', turn };
    this.#state = leading;
    void turn.lost.then(() => {
      if (this.#state !== leading) return;
      if (this.#leave({ kind: 'away' }, 'the turn was taken away')) this.#rest();
    });
    this.#options.onLead();
  }

  #rest(): void {
    const stopTimer = this.#options.clock.after(REST_MS, () => this.#request());
    this.#state = { kind: 'resting', stopTimer };
  }

  /** False: it was stopped, before or by what it told. */
  #leave(to: State, reason: string): boolean {
    const from = this.#state;
    if (from.kind === 'stopped') return false;
    this.#state = to;
    if (from.kind === 'asking') from.abort.abort();
    else if (from.kind === 'resting') from.stopTimer();
    else if (from.kind === 'leading') {
      // First the end of what was led: the next leader begins when the turn is free.
      this.#options.onStop(reason);
      from.turn.release();
    }
    return this.#state === to;
  }
}

function listenTo(
  page: LedPage | undefined,
  on: { readonly going: () => void; readonly coming: () => void },
): () => void {
  const all: readonly (readonly [LedPage['document'], string, () => void])[] = [
    ...GOING.window.map((type) => [page?.window, type, on.going] as const),
    ...GOING.document.map((type) => [page?.document, type, on.going] as const),
    ...COMING.window.map((type) => [page?.window, type, on.coming] as const),
    ...COMING.document.map((type) => [page?.document, type, on.coming] as const),
  ];
  for (const [target, type, run] of all) target?.addEventListener(type, run);
  return () => {
    for (const [target, type, run] of all) target?.removeEventListener(type, run);
  };
}

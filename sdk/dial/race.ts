// Candidates one after the other, each a little later than the one before, until the first succeeds: happy eyeballs
// (RFC 8305). Knows nothing of what is tried.
import type { Clock } from '@qiway/protocol/clock';

/** What an attempt is told. */
export interface Abandon {
  /** Runs `run` when the attempt is no longer wanted; at once if it is not by now. */
  onAbandoned(run: () => void): void;
}

export interface RaceOptions<C, T> {
  /** The most promising first. */
  readonly candidates: readonly C[];
  /** Gives up by itself in bounded time. */
  readonly attempt: (candidate: C, abandon: Abandon) => Promise<T>;
  readonly clock: Clock;
  /** Between the beginnings of two attempts, unless one fails sooner. */
  readonly staggerMs: number;
  /** Is given how to end the race at once: it is then lost, with the failures so far. */
  readonly onStart?: (stop: () => void) => void;
}

export interface Failure<C> {
  readonly candidate: C;
  readonly error: unknown;
}

export type RaceResult<C, T> =
  | { readonly kind: 'won'; readonly candidate: C; readonly value: T; readonly failures: readonly Failure<C>[] }
  | { readonly kind: 'lost'; readonly failures: readonly Failure<C>[] };

/** Never rejects. The others are abandoned once one has won; what they come to after that is nobody's. */
export function race<C, T>({
  candidates,
  attempt,
  clock,
  staggerMs,
  onStart,
}: RaceOptions<C, T>): Promise<RaceResult<C, T>> {
  return new Promise((resolve) => {
    const waiting = [...candidates];
    const failures: Failure<C>[] = [];
    const running = new Set<Running>();
    let isOver = false;
    let stopTimer = (): void => {};

    const settle = (result: RaceResult<C, T>): void => {
      if (isOver) return;
      isOver = true;
      stopTimer();
      for (const each of running) each.abandon();
      resolve(result);
    };
    const next = (): void => {
      stopTimer();
      if (waiting.length === 0) {
        if (running.size === 0) settle({ kind: 'lost', failures });
        return;
      }
      const candidate = waiting.shift() as C;
      const one = abandonable();
      running.add(one);
      stopTimer = clock.after(staggerMs, next);
      attempt(candidate, one).then(
        (value) => {
          running.delete(one);
          if (isOver) one.abandon();
          else settle({ kind: 'won', candidate, value, failures });
        },
        (error: unknown) => {
          running.delete(one);
          failures.push({ candidate, error });
          if (!isOver) next();
        },
      );
    };
    onStart?.(() => settle({ kind: 'lost', failures }));
    next();
  });
}

interface Running extends Abandon {
  abandon(): void;
}

function abandonable(): Running {
  let whenAbandoned: (() => void)[] | undefined = [];
  return {
    onAbandoned: (run) => {
      if (whenAbandoned === undefined) run();
      else whenAbandoned.push(run);
    },
    abandon: () => {
      const runs = whenAbandoned ?? [];
      whenAbandoned = undefined;
      for (const run of runs) run();
    },
  };
}

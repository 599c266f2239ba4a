// Statistics and tracing of one hosted object: actions 80 to 85 and signal 86 of every qi object. Layer 3; the time
// comes in as an argument. Only wall time is measured: processor time per call cannot be known here and is 0.

/** In the field names of qi's MinMaxSum; seconds. */
interface MinMaxSum {
  readonly minValue: number;
  readonly maxValue: number;
  readonly cumulatedValue: number;
}

interface MethodStatistics {
  readonly count: number;
  readonly wall: MinMaxSum;
  readonly user: MinMaxSum;
  readonly system: MinMaxSum;
}

/** In the field names of qi's EventTrace. */
interface EventTrace {
  readonly id: number;
  readonly kind: number;
  readonly slotId: number;
  readonly arguments: unknown;
  readonly timestamp: { readonly tv_sec: number; readonly tv_usec: number };
  readonly userUsTime: number;
  readonly systemUsTime: number;
  readonly callerContext: number;
  readonly calleeContext: number;
}

/** Kinds of EventTrace (libqi: manageable.hpp). */
export const TraceKind = { call: 1, reply: 2, error: 3 } as const;

const ZERO: MinMaxSum = { minValue: 0, maxValue: 0, cumulatedValue: 0 };

export class Statistics {
  readonly #byMethod = new Map<number, MethodStatistics>();
  isEnabled = false;
  isTracing = false;
  #nextTrace = 1;

  /** @param wallMs how long the call took */
  record(action: number, wallMs: number): void {
    const seconds = wallMs / 1000;
    const known = this.#byMethod.get(action);
    const wall: MinMaxSum = known === undefined ? { minValue: seconds, maxValue: seconds, cumulatedValue: seconds } : {
      minValue: Math.min(known.wall.minValue, seconds),
      maxValue: Math.max(known.wall.maxValue, seconds),
      cumulatedValue: known.wall.cumulatedValue + seconds,
    };
    this.#byMethod.set(action, { count: (known?.count ?? 0) + 1, wall, user: ZERO, system: ZERO });
  }

  /** The value of `stats()`. */
  snapshot(): ReadonlyMap<number, MethodStatistics> {
    return this.#byMethod;
  }

  clear(): void {
    this.#byMethod.clear();
  }

  /** A number for one call; its events carry it. */
  traceId(): number {
    return this.#nextTrace++;
  }
}

/** One event of `traceObject`. @param nowMs since the epoch */
export function eventTrace(call: { readonly id: number; readonly slotId: number }, kind: number, content: { readonly value: unknown; readonly nowMs: number }): EventTrace {
  const seconds = Math.floor(content.nowMs / 1000);
  return {
    ...call,
    kind,
    arguments: content.value,
    timestamp: { tv_sec: seconds, tv_usec: Math.floor((content.nowMs - seconds * 1000) * 1000) },
    userUsTime: 0,
    systemUsTime: 0,
    callerContext: 0,
    calleeContext: 0,
  };
}

// Statistics and tracing of one hosted object: actions 80 to 85 and signal 86 of every qi object. Layer 3; the time
// comes in as an argument. Only wall time is measured: processor time per call cannot be known here and is 0.
import type { ReplySink } from '../bus/bus.ts';
import { errorText } from '../bus/encode-error.ts';
import type { Dynamic } from '../wire/value.ts';
import { tracedResult } from './traced-values.ts';

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

/** Kinds of EventTrace, as libqi numbers them. */
const TraceKind = { call: 1, reply: 2, error: 3 } as const;

const ZERO: MinMaxSum = { minValue: 0, maxValue: 0, cumulatedValue: 0 };

interface Observer {
  readonly statistics: Statistics;
  /** Emits an event of `traceObject`. */
  readonly trace: (event: EventTrace) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export class Statistics {
  readonly #byMethod = new Map<number, MethodStatistics>();
  isEnabled = false;
  #nextTrace = 1;

  /** @param wallMs how long the call took */
  record(action: number, wallMs: number): void {
    const seconds = wallMs / 1000;
    const known = this.#byMethod.get(action);
    const wall: MinMaxSum =
      known === undefined
        ? { minValue: seconds, maxValue: seconds, cumulatedValue: seconds }
        : {
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
function eventTrace(
  call: { readonly id: number; readonly slotId: number },
  kind: number,
  content: { readonly value: unknown; readonly nowMs: number },
): EventTrace {
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

/** The sink of a call, which also records and, when its arguments are given, traces it. */
export function observed(
  call: { readonly action: number; readonly args: Dynamic | undefined; readonly sink: ReplySink },
  { statistics, trace, now }: Observer,
): ReplySink {
  const { action, args, sink } = call;
  const { isEnabled } = statistics;
  const startedMs = now();
  const id = statistics.traceId();
  const tell = (kind: number, value: unknown): void => {
    if (args !== undefined) trace(eventTrace({ id, slotId: action }, kind, { value, nowMs: now() }));
  };
  const done = (kind: number, value: () => unknown): void => {
    if (isEnabled) statistics.record(action, now() - startedMs);
    if (args !== undefined) tell(kind, value());
  };
  tell(TraceKind.call, args);
  return {
    reply: (payload) => {
      done(TraceKind.reply, () => tracedResult(payload));
      sink.reply(payload);
    },
    error: (error) => {
      done(TraceKind.error, () => errorText(error));
      sink.error(error);
    },
    canceled: () => {
      done(TraceKind.error, () => 'canceled');
      sink.canceled();
    },
  };
}

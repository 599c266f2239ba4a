// What remote objects look like to TypeScript. Layer 3; types only.
import type { QiwayError } from '../errors.ts';

/** The part of the platform's AbortSignal that is used here, so that this layer needs no DOM. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** How long, and beside which others, a call may wait for the robot: what `queue()` and `latest()` make. */
export interface OfflinePolicy {
  /** `queue`: every call waits, in order. `latest`: only the newest of its kind does. */
  readonly kind: 'queue' | 'latest';
  /** Milliseconds that it may wait. */
  readonly ttlMs: number;
  /** What makes calls of one kind. */
  readonly key?: string;
}

/** Options of one call: `robot.say.with({ timeoutMs: 2000 })('hi')`. */
export interface CallOptions {
  /** Aborting asks the robot to stop the call; the promise rejects with `canceled` at once. */
  readonly signal?: AbortSignalLike;
  /** Milliseconds to wait for the answer, then `timeout`; 0 waits for ever. Default: what `connect` was given, or 30 s. */
  readonly timeoutMs?: number;
  /**
   * What becomes of the call while the robot's bus is down. `fail` (default): `bus-down` at once. `wait`: it is made again
   * when the bus is back, as long as it certainly has not run, until the time is over (`timeout`); its arguments are read
   * each time. Services that move the robot do not wait: `forbidden`.
   */
  readonly whenBusDown?: 'fail' | 'wait';
  /**
   * Lets the call wait while the robot cannot be reached, also over a reload of the page where the browser has a store, and
   * makes it once: `queue({ ttlMs })` or `latest()`. Methods that move the robot never wait: `forbidden`.
   */
  readonly offline?: OfflinePolicy;
}

/** Stops a subscription: no callback runs after the call; the promise resolves once the robot knows. Idempotent. */
export type Off = () => Promise<void>;

/** How events are wanted that come faster than the way to here, or the reader, takes them. */
export interface FlowOptions {
  /**
   * `every` (default): all of them; where too much waits, some are left out, and a gap tells how many. `latest`: while the
   * way is not free only the newest is kept, which is all that telemetry and images are worth.
   */
  readonly policy?: 'every' | 'latest';
  /** Events a second at most, up to 1000: the newest of each time, the last one always. Default, and 0: as they come. */
  readonly maxHz?: number;
}

export interface ConnectOptions extends FlowOptions {
  /**
   * Called when events may have been missed, between those before and those after; undefined: nobody knows how many. The
   * subscription goes on: who needs the present state asks for it now.
   */
  readonly gap?: (missed: number | undefined) => void;
  /** Called once when no event can follow any more although nobody asked for that: the service or the link is gone. */
  readonly gone?: (error: QiwayError) => void;
}

/** Events one after the other. `break` unsubscribes. */
export interface EventIterator<T> extends AsyncIterableIterator<T> {
  /**
   * Events not seen: dropped, oldest first, because more than 256 waited to be read, left out on the way, or missed while
   * the robot's bus was down; a gap of unknown size counts as one. What policy `latest` and `maxHz` leave out is not
   * counted: it was not wanted.
   */
  readonly missed: number;
}

/** A signal with arguments `A`, e.g. `Signal<[word: string]>`. */
export interface Signal<A extends readonly unknown[] = unknown[]> {
  /**
   * Runs `callback` for every event. Resolves once the robot confirmed; an error that it throws is reported, nothing else.
   * @throws `object-gone`, `service-gone`, `link-lost`, `closed`; `invalid-argument` for options that are none
   */
  connect(callback: (...args: A) => unknown, options?: ConnectOptions): Promise<Off>;
  /** Emits the signal to all its subscribers; nothing tells whether it arrived. @throws `invalid-argument` */
  emit(...args: A): void;
  /** Subscribes at once; each event is the array of its arguments. With policy `latest` only the newest waits to be read. */
  events(options?: FlowOptions): EventIterator<A>;
  /** As `events()`. */
  [Symbol.asyncIterator](): EventIterator<A>;
}

/** A property of type `T`. */
export interface Property<T = unknown> {
  /** The value now. */
  value(): Promise<T>;
  /** @throws `invalid-argument` before anything is sent; `call-failed` when the object refuses the value */
  setValue(value: T): Promise<void>;
  /** Runs `callback` for every new value, as {@link Signal.connect}. */
  connect(callback: (value: T) => unknown, options?: ConnectOptions): Promise<Off>;
  /** New values one after the other, as {@link Signal.events}. */
  values(options?: FlowOptions): EventIterator<T>;
  /** As `values()`. */
  [Symbol.asyncIterator](): EventIterator<T>;
}

type Call<A extends readonly unknown[], R> = (...args: A) => Promise<Awaited<R>>;
/** Nothing was inferred for this place of an overload pattern: it takes no part in the intersection. */
type Inferred<A extends readonly unknown[], R> = unknown[] extends A
  ? unknown extends R
    ? unknown
    : Call<A, R>
  : Call<A, R>;

/** The same function with promised results, every overload (up to six). */
export type AsyncForm<F> = F extends {
  (...args: infer A1): infer R1;
  (...args: infer A2): infer R2;
  (...args: infer A3): infer R3;
  (...args: infer A4): infer R4;
  (...args: infer A5): infer R5;
  (...args: infer A6): infer R6;
}
  ? Inferred<A1, R1> & Inferred<A2, R2> & Inferred<A3, R3> & Inferred<A4, R4> & Inferred<A5, R5> & Call<A6, R6>
  : F extends {
        (...args: infer A1): infer R1;
        (...args: infer A2): infer R2;
        (...args: infer A3): infer R3;
        (...args: infer A4): infer R4;
      }
    ? Inferred<A1, R1> & Inferred<A2, R2> & Inferred<A3, R3> & Call<A4, R4>
    : F extends { (...args: infer A1): infer R1; (...args: infer A2): infer R2; (...args: infer A3): infer R3 }
      ? Inferred<A1, R1> & Inferred<A2, R2> & Call<A3, R3>
      : F extends { (...args: infer A1): infer R1; (...args: infer A2): infer R2 }
        ? Inferred<A1, R1> & Call<A2, R2>
        : F extends (...args: infer A) => infer R
          ? Call<A, R>
          : never;

/** A method: call it, or say how first. */
export type RemoteMethod<F = (...args: unknown[]) => unknown> = AsyncForm<F> & {
  /** The same method with options for its calls. */
  with(options: CallOptions): AsyncForm<F>;
  /** Calls without waiting: nothing tells whether it ran. @throws `invalid-argument`, `argument-mismatch` */
  readonly post: F extends (...args: infer A) => unknown ? (...args: A) => void : never;
  /**
   * As `post`, where only the newest is worth anything, as of velocities: it goes at once, or not at all. While the way is
   * busy the next one takes its place; nothing is kept while offline; a call or post to the same object puts an end to one
   * that waits.
   */
  readonly postLatest: F extends (...args: infer A) => unknown ? (...args: A) => void : never;
};

/** Of an object that nobody described: every member may be anything. */
export interface LooseMembers {
  readonly [member: string]: RemoteMethod & Signal & Property;
}

/** What every remote object has beside its members. */
export interface Releasable {
  /** Gives the object back: later uses fail with `object-gone`. Happens by itself when nobody refers to it any more. */
  release(): void;
  [Symbol.dispose](): void;
}

type MemberForm<M> = M extends (...args: never[]) => unknown ? RemoteMethod<M> : M;

/**
 * An object of the robot. `T` is an interface of plain methods, {@link Signal}s and {@link Property}s; methods become
 * asynchronous. Without `T` every member is loosely typed.
 */
export type RemoteObject<T = LooseMembers> = {
  readonly [K in keyof T]: T extends LooseMembers ? T[K] : MemberForm<T[K]>;
} & Releasable;

/** What may be passed where an object is expected: one of the bus, or a function or plain object that is then hosted. */
export type ObjectArgument = object;

// Control of the motors: while somebody drives from this page the motors are this session's (lease), and the robot stops
// by itself when the page falls silent (failsafe). Layer: robot; no DOM.
import { type ReadonlySignal, signal } from '@preact/signals';
import { type Failsafe, type FailsafeStatus, isQiwayError, type Lease, type LeaseInfo, type Robot } from '@qiway/sdk';

/** What this page has, or why not. */
export interface Control {
  /** Somebody else's control of the motors. */
  readonly other: ReadonlySignal<LeaseInfo | undefined>;
  /** Another tab of this browser has the motors: tabs share a session, and what it holds. */
  readonly isElsewhere: ReadonlySignal<boolean>;
  /** The motors are this page's alone. */
  readonly isOwn: ReadonlySignal<boolean>;
  /** What stands ready to stop the robot; undefined: nothing. */
  readonly failsafe: ReadonlySignal<FailsafeStatus | undefined>;
  /** When the failsafe last stopped the robot for this page, until it drives again; milliseconds since the epoch. */
  readonly firedAtMs: ReadonlySignal<number | undefined>;
  /** Resolves once nobody else can drive, and the robot stops without this page. @throws `lease-held`, or what failed */
  take(options?: { readonly takeOver: boolean }): Promise<void>;
  /** Nothing moves any more: failsafe and lease are taken back; after a take-over the lease a while later. */
  ease(options?: { readonly lingers: boolean }): void;
  /** Follows another robot; undefined: none at the moment. */
  follow(robot: ControlledRobot | undefined): void;
}

export type ControlledRobot = Pick<Robot, 'failsafe' | 'lease' | 'watchLeases' | 'onStatusChange'>;

export interface ControlOptions {
  /** Calls back after a while; returns how to prevent it. */
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** Told when control ended although this page did not give it back. */
  readonly lost: (error: unknown) => void;
}

const SERVICE = 'ALMotion';
/** Signs of life come three times in this; a person sees half a second of driving on, and a robot goes 25 cm in it. */
const FAILSAFE_MS = 500;
/** For a hand to reach the joystick after taking over. */
const LINGER_MS = 5_000;

export function createControl({ after, lost }: ControlOptions): Control {
  const other = signal<LeaseInfo | undefined>(undefined);
  const isOwn = signal(false);
  const isElsewhere = signal(false);
  const state = signal<FailsafeStatus | undefined>(undefined);
  const firedAtMs = signal<number | undefined>(undefined);
  let robot: ControlledRobot | undefined;
  /** The session's lease is this page's, as far as it knows; what was given back is still told for a moment. */
  let isTaken = false;
  let lease: Promise<Lease> | undefined;
  let failsafe: Promise<Failsafe> | undefined;
  let stopWatching = (): void => undefined;
  let stopLingering = (): void => undefined;

  const quietly = (done: Promise<unknown>): void => void done.catch(() => undefined);

  /** The link's own notice says what ended with it. */
  function tell(error: unknown): void {
    if (!isQiwayError(error) || !GONE.includes(error.code)) lost(error);
  }

  /** Of one robot: what is held there is of no use with the next. */
  function forget(): void {
    stopLingering();
    stopWatching();
    stopWatching = () => undefined;
    lease = undefined;
    failsafe = undefined;
    other.value = undefined;
    isOwn.value = false;
    isElsewhere.value = false;
    isTaken = false;
    state.value = undefined;
  }

  function lead(from: ControlledRobot, takeOver: boolean): Promise<Lease> {
    const asked = from.lease([SERVICE], { takeOver });
    lease = asked;
    isTaken = true;
    isElsewhere.value = false;
    asked.then(
      async (taken) => {
        const error = await taken.lost;
        if (lease !== asked) return;
        lease = undefined;
        isOwn.value = false;
        tell(error);
      },
      () => {
        if (lease === asked) lease = undefined;
      },
    );
    return asked;
  }

  function watch(from: ControlledRobot): Promise<Failsafe> {
    const asked = from.failsafe({ afterMs: FAILSAFE_MS, calls: [`${SERVICE}.stopMove`] });
    failsafe = asked;
    asked.then(
      async (set) => {
        const error = await set.lost;
        if (failsafe !== asked) return;
        failsafe = undefined;
        tell(error);
      },
      () => {
        if (failsafe === asked) failsafe = undefined;
      },
    );
    return asked;
  }

  function ease({ lingers } = { lingers: false }): void {
    const set = failsafe;
    failsafe = undefined;
    if (set !== undefined) quietly(set.then((one) => one.clear()));
    stopLingering();
    stopLingering = after(lingers ? LINGER_MS : 0, () => {
      const held = lease;
      lease = undefined;
      isOwn.value = false;
      if (held !== undefined) quietly(held.then((one) => one.release()));
    });
  }

  return {
    other,
    isOwn,
    isElsewhere,
    failsafe: state,
    firedAtMs,
    async take({ takeOver } = { takeOver: false }) {
      const from = robot;
      if (from === undefined) throw new Error('There is no link to the robot.');
      stopLingering();
      firedAtMs.value = undefined;
      try {
        await Promise.all([lease ?? lead(from, takeOver), failsafe ?? watch(from)]);
      } catch (error) {
        if (robot === from) ease();
        throw error;
      }
      // It may be given back by now.
      if (robot === from && lease !== undefined) isOwn.value = true;
    },
    ease,
    follow(next) {
      if (next === robot) return;
      robot = next;
      forget();
      if (next === undefined) return;
      const stopFollowing = next.onStatusChange(({ failsafe: now }) => {
        state.value = now;
        if (now?.firedAtMs !== undefined) firedAtMs.value = now.firedAtMs;
      });
      stopWatching = stopFollowing;
      const take = (leases: readonly LeaseInfo[]): void => {
        if (robot !== next) return;
        const held = leases.filter(({ services }) => services.includes(SERVICE));
        other.value = held.find(({ isOwn: mine }) => !mine);
        const isOurs = held.some(({ isOwn: mine }) => mine);
        if (lease === undefined && !isOurs) isTaken = false;
        isElsewhere.value = isOurs && !isTaken;
      };
      next.watchLeases(take).then(
        (stop) => {
          if (robot !== next) return stop();
          stopWatching = () => {
            stopFollowing();
            stop();
          };
          return undefined;
        },
        (error: unknown) => {
          if (robot === next) tell(error);
        },
      );
    },
  };
}

const GONE: readonly string[] = ['link-lost', 'closed', 'offline', 'object-gone'];

// Keeps this page linked with its robot. The robot's session mends broken links by itself; this file makes the first one,
// dials anew when a session ended for good, and tells what a person sees of it. Layer: robot; no DOM.
import { computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import { isQiwayError, QiwayError, type Robot, type Status } from '@qiway/sdk';
import type { Services } from './robot-services.ts';

export type LinkState =
  | { readonly kind: 'no-token' }
  | { readonly kind: 'dialling' }
  | { readonly kind: 'online'; readonly robot: Robot<Services> }
  /**
   * The link broke or could not be made; it is tried again by itself. `robot`: its session looks for it and goes on then;
   * undefined: this page dials anew.
   */
  | {
      readonly kind: 'lost';
      readonly error: QiwayError;
      readonly wasOnline: boolean;
      readonly isTrying: boolean;
      readonly robot: Robot<Services> | undefined;
    }
  /** Trying again would not help. */
  | { readonly kind: 'refused'; readonly error: QiwayError };

export interface Link {
  readonly state: ReadonlySignal<LinkState>;
  /** Of this page, whether its link stands or is being made anew. */
  readonly robot: ReadonlySignal<Robot<Services> | undefined>;
  /** The last that is known of the robot. */
  readonly status: ReadonlySignal<Status | undefined>;
  /**
   * There is no link for longer than an eye overlooks: what is shown is old. A break that is mended at once is none, nor is
   * a page that finds its robot at once.
   */
  readonly isAway: ReadonlySignal<boolean>;
  readonly rttMs: ReadonlySignal<number | undefined>;
  /** Whether the robot's own bus answers. */
  readonly isBusUp: ReadonlySignal<boolean>;
  /** Dials now, with the page's present address. */
  dial(): void;
  close(): void;
}

export interface LinkOptions {
  /** The agent's URL, or undefined without a token. */
  readonly url: () => string | undefined;
  readonly connect: (url: string) => Promise<Robot<Services>>;
  /** Calls back after a while; returns how to prevent it. */
  readonly after: (delayMs: number, run: () => void) => () => void;
}

/** Waits before the first, second … new try, the last one from then on. Milliseconds. */
const RETRY_MS = [500, 1000, 2000, 4000, 8000];
/** A link that is back sooner was never seen to be gone. */
const BLINK_MS = 400;
const HOPELESS: readonly string[] = ['unauthorized', 'forbidden', 'protocol-mismatch', 'invalid-argument'];

export function createLink({ url, connect, after }: LinkOptions): Link {
  const state = signal<LinkState>({ kind: 'dialling' });
  const shownRobot = signal<Robot<Services> | undefined>(undefined);
  const status = signal<Status | undefined>(undefined);
  const isAway = signal(false);
  const rttMs = signal<number | undefined>(undefined);
  const isBusUp = signal(true);
  let attempt = 0;
  let tries = 0;
  let cancelRetry = (): void => undefined;
  let current: Robot<Services> | undefined;
  /** There was a link since this robot was asked for. */
  let wasLinked = false;

  const gone = computed((): 'no' | 'perhaps' | 'yes' => {
    const now = state.value;
    if (now.kind === 'lost') return now.wasOnline ? 'perhaps' : 'yes';
    return now.kind === 'dialling' ? 'perhaps' : 'no';
  });
  effect(() => {
    if (gone.value === 'perhaps') return isAway.peek() ? undefined : after(BLINK_MS, () => (isAway.value = true));
    isAway.value = gone.value === 'yes';
    return undefined;
  });

  function lose(error: unknown, wasOnline: boolean): void {
    const reason = reasonOf(error);
    rttMs.value = undefined;
    shownRobot.value = undefined;
    if (HOPELESS.includes(reason.code)) {
      state.value = { kind: 'refused', error: reason };
      return;
    }
    state.value = { kind: 'lost', error: reason, wasOnline, isTrying: false, robot: undefined };
    cancelRetry = after(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)] ?? 0, dial);
    tries += 1;
  }

  /** What it says of itself; false: it has ended. */
  function take(robot: Robot<Services>, now: Status): boolean {
    status.value = now;
    isBusUp.value = now.bus !== 'down';
    rttMs.value = now.state === 'online' ? now.rttMs : undefined;
    if (now.state === 'online') wasLinked = true;
    if (now.state === 'online' && state.peek().kind !== 'online') state.value = { kind: 'online', robot };
    // A robot that is known from before is there before its link.
    if (now.state === 'offline')
      state.value = { kind: 'lost', error: reasonOf(now.reason), wasOnline: wasLinked, isTrying: true, robot };
    return now.state !== 'closed';
  }

  async function follow(robot: Robot<Services>, mine: number): Promise<void> {
    let reason: unknown;
    try {
      for await (const now of robot.statusChanges()) {
        if (mine !== attempt) return;
        reason = now.reason;
        if (!take(robot, now)) break;
      }
    } catch (error) {
      reason = error;
    }
    if (mine !== attempt) return;
    current = undefined;
    lose(reason, wasLinked);
    await robot.close();
  }

  async function run(mine: number, target: string): Promise<void> {
    try {
      const robot = await connect(target);
      if (mine !== attempt) {
        await robot.close();
        return;
      }
      tries = 0;
      current = robot;
      shownRobot.value = robot;
      await follow(robot, mine);
    } catch (error) {
      if (mine !== attempt) return;
      lose(error, wasLinked);
    }
  }

  function dial(): void {
    cancelRetry();
    attempt += 1;
    void current?.close();
    current = undefined;
    shownRobot.value = undefined;
    const target = url();
    if (target === undefined) {
      state.value = { kind: 'no-token' };
      return;
    }
    const before = state.peek();
    if (before.kind !== 'lost') wasLinked = false;
    state.value = before.kind === 'lost' ? { ...before, isTrying: true, robot: undefined } : { kind: 'dialling' };
    void run(attempt, target);
  }

  return {
    state,
    robot: shownRobot,
    status,
    isAway,
    rttMs,
    isBusUp,
    dial,
    close() {
      attempt += 1;
      cancelRetry();
      void current?.close();
      current = undefined;
    },
  };
}

function reasonOf(error: unknown): QiwayError {
  if (isQiwayError(error)) return error;
  return new QiwayError('link-lost', error instanceof Error ? error.message : 'the link ended');
}

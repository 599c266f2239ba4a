// Keeps this page linked with its robot: dials, watches, dials again after a loss. Layer: robot; no DOM.
import { type ReadonlySignal, signal } from '@preact/signals';
import { isQiwayError, QiwayError, type Robot } from '@qiway/sdk';
import type { Services } from './robot-services.ts';

export type LinkState =
  | { readonly kind: 'no-token' }
  | { readonly kind: 'dialling' }
  | { readonly kind: 'online'; readonly robot: Robot<Services> }
  /** The link broke or could not be made; it is tried again by itself. */
  | { readonly kind: 'lost'; readonly error: QiwayError; readonly wasOnline: boolean; readonly isTrying: boolean }
  /** Trying again would not help. */
  | { readonly kind: 'refused'; readonly error: QiwayError };

export interface Link {
  readonly state: ReadonlySignal<LinkState>;
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
const HOPELESS: readonly string[] = ['unauthorized', 'forbidden', 'protocol-mismatch', 'invalid-argument'];

export function createLink({ url, connect, after }: LinkOptions): Link {
  const state = signal<LinkState>({ kind: 'dialling' });
  const rttMs = signal<number | undefined>(undefined);
  const isBusUp = signal(true);
  let attempt = 0;
  let tries = 0;
  let cancelRetry = (): void => undefined;
  let current: Robot<Services> | undefined;

  function lose(error: unknown, wasOnline: boolean): void {
    const reason = isQiwayError(error)
      ? error
      : new QiwayError('link-lost', error instanceof Error ? error.message : 'the link ended');
    rttMs.value = undefined;
    if (HOPELESS.includes(reason.code)) {
      state.value = { kind: 'refused', error: reason };
      return;
    }
    state.value = { kind: 'lost', error: reason, wasOnline, isTrying: false };
    cancelRetry = after(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)] ?? 0, dial);
    tries += 1;
  }

  async function follow(robot: Robot<Services>, mine: number): Promise<void> {
    let reason: unknown;
    const take = (): boolean => {
      if (mine !== attempt) return false;
      const { status } = robot;
      rttMs.value = status.rttMs;
      isBusUp.value = status.bus !== 'down';
      return status.state === 'online' || status.state === 'connecting';
    };
    if (take()) {
      try {
        for await (const status of robot.statusChanges()) {
          if (!take()) {
            reason = status.reason;
            break;
          }
        }
      } catch (error) {
        reason = error;
      }
    }
    if (mine !== attempt) return;
    current = undefined;
    lose(reason, true);
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
      state.value = { kind: 'online', robot };
      await follow(robot, mine);
    } catch (error) {
      if (mine === attempt) lose(error, state.value.kind === 'lost' && state.value.wasOnline);
    }
  }

  function dial(): void {
    cancelRetry();
    attempt += 1;
    void current?.close();
    current = undefined;
    const target = url();
    if (target === undefined) {
      state.value = { kind: 'no-token' };
      return;
    }
    const before = state.value;
    state.value = before.kind === 'lost' ? { ...before, isTrying: true } : { kind: 'dialling' };
    void run(attempt, target);
  }

  return {
    state,
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

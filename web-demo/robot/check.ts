// Checks the way to the robot step by step, when a person asks or the first link could not be made. Layer: robot; no DOM.
import { type ReadonlySignal, signal } from '@preact/signals';
import { failureText } from '../failure-text.ts';

export interface CheckStep {
  readonly name: string;
  readonly state: 'ok' | 'failed' | 'skipped';
  readonly detail: string;
  /** What a person can do. */
  readonly advice?: string;
}

export interface CheckOutcome {
  readonly steps: readonly CheckStep[];
  /** In a sentence: the step that failed, and what to do. */
  readonly summary?: string;
}

export type CheckState =
  | { readonly kind: 'none' }
  | { readonly kind: 'running' }
  | { readonly kind: 'done'; readonly outcome: CheckOutcome }
  /** The check itself failed. */
  | { readonly kind: 'failed'; readonly text: string };

export interface Check {
  readonly state: ReadonlySignal<CheckState>;
  run(): void;
  /** Runs once for each address that could not be reached: to be asked as often as one likes. */
  runOnce(): void;
}

export interface CheckOptions {
  readonly url: () => string | undefined;
  readonly diagnose: (url: string) => Promise<CheckOutcome>;
}

export function createCheck({ url, diagnose }: CheckOptions): Check {
  const state = signal<CheckState>({ kind: 'none' });
  let checked: string | undefined;
  let last = 0;
  function run(): void {
    const target = url();
    if (target === undefined || state.peek().kind === 'running') return;
    checked = target;
    last += 1;
    const mine = last;
    state.value = { kind: 'running' };
    diagnose(target).then(
      (outcome) => {
        if (mine === last) state.value = { kind: 'done', outcome };
      },
      (error: unknown) => {
        if (mine === last) state.value = { kind: 'failed', text: failureText(error) };
      },
    );
  }
  return {
    state,
    run,
    runOnce() {
      if (url() !== checked) run();
    },
  };
}

// Checks the way to the robot step by step, when a person asks or the first link could not be made. Layer: robot; no DOM.
import { type ReadonlySignal, signal } from '@preact/signals';
import type { Diagnosis, StepReport } from '@qiway/sdk';
import { failureText } from '../failure-text.ts';

export type CheckState =
  | { readonly kind: 'none' }
  /** With the steps that ended. */
  | { readonly kind: 'running'; readonly steps: readonly StepReport[] }
  | { readonly kind: 'done'; readonly steps: readonly StepReport[]; readonly summary: string }
  /** The check itself failed. */
  | { readonly kind: 'failed'; readonly text: string };

export interface Check {
  readonly state: ReadonlySignal<CheckState>;
  /** One at a time. */
  run(): void;
  /** Runs the first time that it is asked for an address. */
  runOnce(): void;
}

export interface CheckOptions {
  /** The agent's URL; undefined: there is nothing to check. */
  readonly url: () => string | undefined;
  readonly diagnose: (url: string, onStep: (step: StepReport) => void) => Promise<Diagnosis>;
}

export function createCheck({ url, diagnose }: CheckOptions): Check {
  const state = signal<CheckState>({ kind: 'none' });
  let checked: string | undefined;

  async function check(target: string): Promise<void> {
    checked = target;
    state.value = { kind: 'running', steps: [] };
    const onStep = (step: StepReport): void => {
      const now = state.peek();
      if (now.kind === 'running') state.value = { kind: 'running', steps: [...now.steps, step] };
    };
    try {
      const { steps, summary } = await diagnose(target, onStep);
      state.value = { kind: 'done', steps, summary };
    } catch (error) {
      state.value = { kind: 'failed', text: failureText(error) };
    }
  }

  const run = (): void => {
    const target = url();
    if (target !== undefined && state.peek().kind !== 'running') void check(target);
  };
  return {
    state,
    run,
    runOnce() {
      if (url() !== checked) run();
    },
  };
}

// The way to the robot, step by step: what went well, what failed, what a person can do about it. Layer: views.

import type { StepReport } from '@qiway/sdk';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { asSentence, withoutCodes } from '../failure-text.ts';
import type { Check } from '../robot/check.ts';
import { shortIds } from '../robot/status-words.ts';

const WORDS: Readonly<Record<StepReport['state'], string>> = { ok: 'Fine', failed: 'Failed', skipped: 'Not tried' };
const MARKS: Readonly<Record<StepReport['state'], string>> = { ok: '✓', failed: '✕', skipped: '–' };

interface CheckListProps {
  readonly check: Check;
  /** Begins by itself. */
  readonly isAutomatic?: boolean;
}

export function CheckList({ check, isAutomatic = false }: CheckListProps): JSX.Element {
  const now = check.state.value;
  useEffect(() => {
    if (isAutomatic) check.runOnce();
  }, [isAutomatic, check]);
  return (
    <section class="check-list" aria-label="Check of the connection" aria-busy={now.kind === 'running'}>
      {now.kind === 'failed' && <p class="small problem">{now.text}</p>}
      {now.kind === 'done' && <p class="small check-summary">{summaryOf(now)}</p>}
      {(now.kind === 'done' || now.kind === 'running') && (
        <ol class="check-steps">
          {now.steps.map((step) => (
            <Step key={step.name} step={step} />
          ))}
        </ol>
      )}
      <button type="button" class="button compact" aria-disabled={now.kind === 'running'} onClick={() => check.run()}>
        {now.kind === 'none' ? 'Check the connection' : now.kind === 'running' ? 'Checking…' : 'Check again'}
      </button>
    </section>
  );
}

/** What failed is told in full at its step. */
function summaryOf({ steps, summary }: { readonly steps: readonly StepReport[]; readonly summary: string }): string {
  const failed = steps.find(({ state }) => state === 'failed');
  return failed === undefined ? shortIds(withoutCodes(summary)) : `The step “${failed.name}” failed.`;
}

function Step({ step }: { readonly step: StepReport }): JSX.Element {
  return (
    <li data-state={step.state}>
      <span class="check-mark" aria-hidden="true">
        {MARKS[step.state]}
      </span>
      <span class="grow">
        <span class="check-name">{step.name}</span>
        <span class="visually-hidden">: {WORDS[step.state]}. </span>
        {step.detail !== '' && <span class="small soft"> {shortIds(withoutCodes(step.detail))}</span>}
        {step.advice !== undefined && <span class="small check-advice">{asSentence(step.advice)}</span>}
      </span>
    </li>
  );
}

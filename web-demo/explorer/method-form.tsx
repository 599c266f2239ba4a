// One method: a form made from its signature, and what the call gave. Layer: explorer.
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { failureText } from '../failure-text.ts';
import type { DescribedMethod } from './described.ts';
import { type Draft, DraftError, emptyDraft, readDraft } from './draft.ts';
import { ResultView } from './result-view.tsx';
import { describeType } from './signature.ts';
import { ValueField } from './value-field.tsx';

interface MethodFormProps {
  readonly method: DescribedMethod;
  /** Why it cannot be called at the moment. */
  readonly offReason: string | undefined;
  readonly call: (fullName: string, args: readonly unknown[], signal: AbortSignal) => Promise<unknown>;
  readonly onOpenObject: (object: object, title: string) => void;
}

type Outcome =
  | { readonly kind: 'none' }
  | { readonly kind: 'calling' }
  | { readonly kind: 'done'; readonly value: unknown; readonly tookMs: number }
  | { readonly kind: 'failed'; readonly text: string };

const ANY_ARGUMENTS = { kind: 'dynamic' } as const;

export function MethodForm({ method, offReason, call, onOpenObject }: MethodFormProps): JSX.Element {
  const isAny = method.parameters === 'any';
  const members = method.parameters === 'any' ? [] : method.parameters;
  const drafts = useSignal<readonly Draft[]>(isAny ? ['[]'] : members.map((member) => emptyDraft(member.type)));
  const outcome = useSignal<Outcome>({ kind: 'none' });
  const stop = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => stop.current?.abort(), []);

  const run = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (outcome.value.kind === 'calling' || offReason !== undefined) return;
    const controller = new AbortController();
    stop.current = controller;
    try {
      const args = readArguments();
      outcome.value = { kind: 'calling' };
      const begin = performance.now();
      const value = await call(method.fullName, args, controller.signal);
      outcome.value = { kind: 'done', value, tookMs: performance.now() - begin };
    } catch (error) {
      outcome.value = { kind: 'failed', text: error instanceof DraftError ? error.message : failureText(error) };
    }
  };
  const readArguments = (): readonly unknown[] => {
    if (isAny) {
      const args = readDraft(ANY_ARGUMENTS, drafts.value[0] ?? '[]');
      if (!Array.isArray(args)) throw new DraftError('Write the arguments as a JSON list, such as [1, "two"]');
      return args as unknown[];
    }
    return members.map((member, index) => readDraft(member.type, drafts.value[index] ?? emptyDraft(member.type)));
  };
  const change =
    (index: number) =>
    (draft: Draft): void => {
      drafts.value = drafts.value.with(index, draft);
    };
  return (
    <div class="member-body">
      {method.description !== '' && <p>{method.description}</p>}
      <form onSubmit={(event) => void run(event)} noValidate>
        {isAny && (
          <ValueField
            name="arguments"
            about="a JSON list"
            type={ANY_ARGUMENTS}
            draft={drafts.value[0] ?? '[]'}
            onChange={change(0)}
          />
        )}
        {members.map((member, index) => (
          <ValueField
            key={index}
            name={member.name === '' ? `argument ${index + 1}` : member.name}
            about={method.about[index]}
            type={member.type}
            draft={drafts.value[index] ?? null}
            onChange={change(index)}
          />
        ))}
        <div class="row">
          <button
            type="submit"
            class="button main"
            disabled={offReason !== undefined}
            title={offReason}
            aria-disabled={outcome.value.kind === 'calling'}
          >
            {outcome.value.kind === 'calling' ? 'Calling…' : 'Call'}
          </button>
          {outcome.value.kind === 'calling' && (
            <button type="button" class="button" onClick={() => stop.current?.abort()}>
              Cancel
            </button>
          )}
          {offReason !== undefined && <span class="small off-reason">{offReason}</span>}
          <span class="small soft">
            gives {describeType(method.returns)}
            {method.returnAbout !== '' && ` – ${method.returnAbout}`}
          </span>
        </div>
      </form>
      <OutcomeView outcome={outcome.value} title={`${method.name}()`} onOpenObject={onOpenObject} />
    </div>
  );
}

function OutcomeView({
  outcome,
  title,
  onOpenObject,
}: {
  readonly outcome: Outcome;
  readonly title: string;
  readonly onOpenObject: (object: object, title: string) => void;
}): JSX.Element | null {
  if (outcome.kind === 'failed') {
    return (
      <p class="output failed" role="alert">
        {outcome.text}
      </p>
    );
  }
  if (outcome.kind !== 'done') return null;
  return (
    <div class="stack" role="status">
      <ResultView value={outcome.value} title={title} onOpenObject={onOpenObject} />
      <p class="small soft figures">after {outcome.tookMs.toFixed(outcome.tookMs < 10 ? 1 : 0)} ms</p>
    </div>
  );
}

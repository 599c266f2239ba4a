// One property: its value as it changes, and a form to set it. Layer: explorer.
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { failureText } from '../failure-text.ts';
import type { DescribedProperty } from './described.ts';
import { type Draft, draftOf, readDraft } from './draft.ts';
import { showValue } from './show-value.ts';
import { ValueField } from './value-field.tsx';

export interface PropertyAccess {
  read(): Promise<unknown>;
  write(value: unknown): Promise<unknown>;
  /** Resolves once the robot confirmed, to how to end it. `gap`: values may have been missed. */
  connect(take: (value: unknown) => void, gap: () => void): Promise<() => unknown>;
}

export function PropertyEditor({
  source,
  property,
  offReason,
  access,
}: {
  /** Whose property it is; another one when the service left and came back. */
  readonly source: object;
  readonly property: DescribedProperty;
  /** Why it cannot be set at the moment. */
  readonly offReason: string | undefined;
  readonly access: PropertyAccess;
}): JSX.Element {
  const current = useSignal<{ readonly value: unknown } | undefined>(undefined);
  const draft = useSignal<Draft | undefined>(undefined);
  const problem = useSignal('');

  useEffect(() => {
    let isShown = true;
    let end: (() => unknown) | undefined;
    const take = (value: unknown): void => {
      if (isShown) current.value = { value };
    };
    const start = async (): Promise<void> => {
      const readAgain = (): void => {
        access.read().then(take, () => undefined);
      };
      const off = await access.connect(take, readAgain);
      if (isShown) end = off;
      else await off();
      take(await access.read());
    };
    start().catch((error: unknown) => {
      if (isShown) problem.value = failureText(error);
    });
    return () => {
      isShown = false;
      Promise.resolve()
        .then(() => end?.())
        .catch(() => undefined);
    };
  }, [source]);

  const set = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (draft.value === undefined) return;
    problem.value = '';
    try {
      await access.write(readDraft(property.type, draft.value));
      draft.value = undefined;
      current.value = { value: await access.read() };
    } catch (error) {
      problem.value = failureText(error);
    }
  };
  const known = current.value;
  return (
    <div class="member-body">
      <pre class="output" data-figure="value">
        {known === undefined ? '…' : showValue(known.value)}
      </pre>
      {known !== undefined && (
        <form onSubmit={(event) => void set(event)} noValidate>
          <ValueField
            name={property.name}
            type={property.type}
            draft={draft.value ?? draftOf(property.type, known.value)}
            onChange={(next) => (draft.value = next)}
          />
          <div class="row">
            <button
              type="submit"
              class="button main"
              disabled={draft.value === undefined || offReason !== undefined}
              title={offReason}
            >
              Set
            </button>
            {draft.value !== undefined && (
              <button type="button" class="button quiet" onClick={() => (draft.value = undefined)}>
                Undo
              </button>
            )}
            {offReason !== undefined && <span class="small off-reason">{offReason}: the value may be old</span>}
          </div>
        </form>
      )}
      {problem.value !== '' && (
        <p class="output failed" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

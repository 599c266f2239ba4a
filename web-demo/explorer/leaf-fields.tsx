// Fields for values without parts: text, numbers, yes or no, bytes, JSON; and the frame that containers share. Layer: explorer.
import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import { type Draft, readHex } from './draft.ts';
import { describeType, type ValueType } from './signature.ts';

export interface FieldProps {
  readonly name: string;
  readonly about?: string | undefined;
  readonly type: ValueType;
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
}

function Label({ name, type, about }: FieldProps): JSX.Element {
  return (
    <>
      <b class="code">{name}</b>
      <span class="soft">{describeType(type)}</span>
      {about !== undefined && about !== '' && <span class="soft">– {about}</span>}
    </>
  );
}

export function Group(props: FieldProps & { readonly children: ComponentChildren }): JSX.Element {
  return (
    <fieldset class="entry group">
      <legend class="entry-label">
        <Label {...props} />
      </legend>
      {props.children}
    </fieldset>
  );
}

export function TextField(props: FieldProps): JSX.Element {
  const id = useId();
  const { type, draft, onChange } = props;
  const isNumber = type.kind === 'integer' || type.kind === 'float';
  const value = typeof draft === 'string' ? draft : '';
  return (
    <div class="entry">
      <label class="entry-label" for={id}>
        <Label {...props} />
      </label>
      {type.kind === 'dynamic' ? (
        <>
          <textarea
            id={id}
            class="field code"
            rows={2}
            spellcheck={false}
            value={value}
            aria-describedby={`${id}-hint`}
            onInput={(event) => onChange(event.currentTarget.value)}
          />
          <p id={`${id}-hint`} class="small soft entry-hint">
            JSON: <code>12</code>, <code>"text"</code>, <code>[1, 2]</code>, <code>{'{"key": true}'}</code>
          </p>
        </>
      ) : (
        <input
          id={id}
          class={`field ${isNumber ? 'figures' : ''}`}
          value={value}
          inputMode={type.kind === 'integer' ? 'numeric' : type.kind === 'float' ? 'decimal' : 'text'}
          autocomplete="off"
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </div>
  );
}

export function CheckField(props: FieldProps): JSX.Element {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={props.draft === true}
        onChange={(event) => props.onChange(event.currentTarget.checked)}
      />
      <span class="entry-label">
        <Label {...props} />
      </span>
    </label>
  );
}

export function BytesField(props: FieldProps): JSX.Element {
  const id = useId();
  const { draft, onChange } = props;
  const takeFile = async (file: File | undefined): Promise<void> => {
    if (file !== undefined) onChange(new Uint8Array(await file.arrayBuffer()));
  };
  return (
    <Group {...props}>
      <div class="entry-items">
        {draft instanceof Uint8Array ? (
          <p class="row small">
            {draft.length} bytes
            <button
              type="button"
              class="button quiet"
              onClick={() =>
                onChange(
                  draft.length > 256 ? '' : [...draft].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
                )
              }
            >
              {draft.length > 256 ? 'Remove' : 'Edit as hexadecimal'}
            </button>
          </p>
        ) : (
          <input
            id={id}
            class="field code"
            aria-label={`${props.name}, hexadecimal`}
            placeholder="0a ff 10"
            value={typeof draft === 'string' ? draft : ''}
            spellcheck={false}
            onInput={(event) => onChange(event.currentTarget.value)}
            onBlur={(event) => tidyHex(event.currentTarget.value, onChange)}
          />
        )}
        <input
          type="file"
          class="field"
          aria-label={`${props.name}, from a file`}
          onChange={(event) => void takeFile(event.currentTarget.files?.[0])}
        />
      </div>
    </Group>
  );
}

function tidyHex(text: string, onChange: (draft: Draft) => void): void {
  try {
    onChange([...readHex(text)].map((byte) => byte.toString(16).padStart(2, '0')).join(' '));
  } catch {
    // Stays as it was typed: the form says what is wrong when it is sent.
  }
}

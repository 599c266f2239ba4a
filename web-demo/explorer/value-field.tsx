// A field for one value, made from its type; containers hold fields again. Layer: explorer.
import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import { Icon } from '../parts/icons.tsx';
import { type Draft, emptyDraft, readHex } from './draft.ts';
import { describeType, type ValueType } from './signature.ts';

interface FieldProps {
  readonly name: string;
  readonly about?: string | undefined;
  readonly type: ValueType;
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
}

export function ValueField(props: FieldProps): JSX.Element {
  switch (props.type.kind) {
    case 'bool':
      return <CheckField {...props} />;
    case 'list':
      return <ListField {...props} item={props.type.item} />;
    case 'map':
      return <MapField {...props} keyType={props.type.key} item={props.type.item} />;
    case 'tuple':
      return <TupleField {...props} members={props.type.members} />;
    case 'optional':
      return <OptionalField {...props} item={props.type.item} />;
    case 'raw':
      return <BytesField {...props} />;
    case 'object':
    case 'unknown':
    case 'void':
      return (
        <Group {...props}>
          <p class="small soft">
            {props.type.kind === 'object'
              ? 'An object cannot be typed in here; it is sent as null.'
              : 'Nothing to fill in.'}
          </p>
        </Group>
      );
    default:
      return <TextField {...props} />;
  }
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

function Group(props: FieldProps & { readonly children: ComponentChildren }): JSX.Element {
  return (
    <fieldset class="entry group">
      <legend class="entry-label">
        <Label {...props} />
      </legend>
      {props.children}
    </fieldset>
  );
}

function TextField(props: FieldProps): JSX.Element {
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

function CheckField(props: FieldProps): JSX.Element {
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

function BytesField(props: FieldProps): JSX.Element {
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

function OptionalField(props: FieldProps & { readonly item: ValueType }): JSX.Element {
  const { draft, item, onChange } = props;
  const inner = Array.isArray(draft) ? (draft as readonly Draft[])[0] : undefined;
  return (
    <Group {...props}>
      <label class="check small">
        <input
          type="checkbox"
          checked={draft !== null}
          onChange={(event) => onChange(event.currentTarget.checked ? [emptyDraft(item)] : null)}
        />
        give a value
      </label>
      {inner !== undefined && (
        <ValueField name="value" type={item} draft={inner} onChange={(next) => onChange([next])} />
      )}
    </Group>
  );
}

function TupleField(
  props: FieldProps & { readonly members: readonly { readonly name: string; readonly type: ValueType }[] },
): JSX.Element {
  const items = itemsOf(props.draft);
  return (
    <Group {...props}>
      <div class="entry-items">
        {props.members.map((member, index) => (
          <ValueField
            key={index}
            name={member.name === '' ? `${index + 1}` : member.name}
            type={member.type}
            draft={items[index] ?? emptyDraft(member.type)}
            onChange={(next) =>
              props.onChange(
                props.members.map((other, at) => (at === index ? next : (items[at] ?? emptyDraft(other.type)))),
              )
            }
          />
        ))}
      </div>
    </Group>
  );
}

function ListField(props: FieldProps & { readonly item: ValueType }): JSX.Element {
  const items = itemsOf(props.draft);
  const { item, onChange } = props;
  return (
    <Group {...props}>
      <div class="entry-items">
        {items.map((entry, index) => (
          <div key={index} class="entry-item">
            <ValueField
              name={`${index + 1}`}
              type={item}
              draft={entry}
              onChange={(next) => onChange(items.with(index, next))}
            />
            <RemoveButton index={index} items={items} onChange={onChange} />
          </div>
        ))}
        <AddButton onClick={() => onChange([...items, emptyDraft(item)])} />
      </div>
    </Group>
  );
}

function MapField(props: FieldProps & { readonly keyType: ValueType; readonly item: ValueType }): JSX.Element {
  const pairs = itemsOf(props.draft);
  const { keyType, item, onChange } = props;
  return (
    <Group {...props}>
      <div class="entry-items">
        {pairs.map((pair, index) => {
          const [key = emptyDraft(keyType), value = emptyDraft(item)] = itemsOf(pair);
          return (
            <div key={index} class="entry-item pair">
              <ValueField
                name="key"
                type={keyType}
                draft={key}
                onChange={(next) => onChange(pairs.with(index, [next, value]))}
              />
              <ValueField
                name="value"
                type={item}
                draft={value}
                onChange={(next) => onChange(pairs.with(index, [key, next]))}
              />
              <RemoveButton index={index} items={pairs} onChange={onChange} />
            </div>
          );
        })}
        <AddButton onClick={() => onChange([...pairs, [emptyDraft(keyType), emptyDraft(item)]])} />
      </div>
    </Group>
  );
}

function itemsOf(draft: Draft): readonly Draft[] {
  return Array.isArray(draft) ? (draft as readonly Draft[]) : [];
}

function AddButton({ onClick }: { readonly onClick: () => void }): JSX.Element {
  return (
    <div>
      <button type="button" class="button" onClick={onClick}>
        <Icon name="add" /> Add
      </button>
    </div>
  );
}

function RemoveButton({
  index,
  items,
  onChange,
}: {
  readonly index: number;
  readonly items: readonly Draft[];
  readonly onChange: (draft: Draft) => void;
}): JSX.Element {
  return (
    <button
      type="button"
      class="button icon quiet"
      aria-label={`Remove entry ${index + 1}`}
      onClick={() => onChange(items.toSpliced(index, 1))}
    >
      <Icon name="close" />
    </button>
  );
}

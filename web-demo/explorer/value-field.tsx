// A field for one value, made from its type; containers hold fields again. Layer: explorer.
import type { JSX } from 'preact';
import { Icon } from '../parts/icons.tsx';
import { type Draft, emptyDraft } from './draft.ts';
import { BytesField, CheckField, type FieldProps, Group, TextField } from './leaf-fields.tsx';
import type { ValueType } from './signature.ts';

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

// The members of one robot object: methods, signals, properties, each opened on demand. Layer: explorer.
import { useSignal } from '@preact/signals';
import { type LooseMembers, metaObjectOf, type RemoteObject } from '@qiway/sdk';
import type { ComponentChildren, JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { Plate } from '../parts/plate.tsx';
import { describeObject } from './described.ts';
import { MethodForm } from './method-form.tsx';
import { PropertyEditor } from './property-editor.tsx';
import { SignalWatch } from './signal-watch.tsx';
import { describeType, type Member as NamedType } from './signature.ts';

interface ObjectMembersProps {
  readonly object: RemoteObject<LooseMembers>;
  readonly title: string;
  /** Why calls cannot be made at the moment. */
  readonly offReason: string | undefined;
  readonly onOpenObject: (object: object, title: string) => void;
  /** Given for an object that a method returned. */
  readonly onBack?: (() => void) | undefined;
}

export function ObjectMembers({ object, title, offReason, onOpenObject, onBack }: ObjectMembersProps): JSX.Element {
  const isComplete = useSignal(false);
  const described = useMemo(
    () => describeObject(metaObjectOf(object), { isComplete: isComplete.value }),
    [object, isComplete.value],
  );
  const { methods, signals, properties, description } = described;
  const member = (fullName: string): LooseMembers[string] => object[fullName] as LooseMembers[string];
  return (
    <div class="members">
      <div class="members-head">
        {onBack !== undefined && (
          <button type="button" class="button" onClick={onBack}>
            Back
          </button>
        )}
        <h1 class="grow">{title}</h1>
        <label class="check small">
          <input
            type="checkbox"
            checked={isComplete.value}
            onChange={(event) => (isComplete.value = event.currentTarget.checked)}
          />
          internal members too
        </label>
        {description !== '' && <p class="soft">{description}</p>}
      </div>
      {methods.length + signals.length + properties.length === 0 && (
        <p class="plate empty">This object has no members of its own.</p>
      )}
      {properties.length > 0 && (
        <Plate title={`Properties (${properties.length})`}>
          <div>
            {properties.map((property) => (
              <Member key={property.fullName} name={property.name} signature={describeType(property.type)}>
                <PropertyEditor
                  source={object}
                  property={property}
                  offReason={offReason}
                  access={{
                    read: () => member(property.fullName).value(),
                    write: (value) => member(property.fullName).setValue(value),
                    connect: (take, gap) => member(property.fullName).connect(take, { gap }),
                  }}
                />
              </Member>
            ))}
          </div>
        </Plate>
      )}
      {signals.length > 0 && (
        <Plate title={`Signals (${signals.length})`}>
          <div>
            {signals.map((signal) => (
              <Member key={signal.fullName} name={signal.name} signature={listTypes(signal.parameters)}>
                <SignalWatch
                  source={object}
                  signal={signal}
                  connect={(_name, take, gap) =>
                    member(signal.fullName).connect((...args: unknown[]) => take(args), { gap })
                  }
                />
              </Member>
            ))}
          </div>
        </Plate>
      )}
      {methods.length > 0 && (
        <Plate title={`Methods (${methods.length})`}>
          <div>
            {methods.map((method) => (
              <Member
                key={method.fullName}
                name={method.name}
                signature={method.parameters === 'any' ? 'any arguments' : listTypes(method.parameters)}
              >
                <MethodForm
                  method={method}
                  offReason={offReason}
                  call={(fullName, args, signal) => member(fullName).with({ signal, timeoutMs: 0 })(...args)}
                  onOpenObject={onOpenObject}
                />
              </Member>
            ))}
          </div>
        </Plate>
      )}
    </div>
  );
}

function listTypes(members: readonly NamedType[]): string {
  return `(${members.map(({ name, type }) => (name === '' ? describeType(type) : name)).join(', ')})`;
}

/** Its content exists only while it is open: watching ends when it is closed. */
function Member({
  name,
  signature,
  children,
}: {
  readonly name: string;
  readonly signature: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  const isOpen = useSignal(false);
  return (
    <details class="member" data-member={name} onToggle={(event) => (isOpen.value = event.currentTarget.open)}>
      <summary>
        <span class="member-name">
          <span class="code">{name}</span>
          <span class="small soft">{signature}</span>
        </span>
      </summary>
      {isOpen.value && children}
    </details>
  );
}

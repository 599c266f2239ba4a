// The service explorer: all services of the bus, and the members of the chosen one. Layer: views.
import { useSignal } from '@preact/signals';
import type { LooseMembers, RemoteObject } from '@qiway/sdk';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ConsoleState } from '../console-state.ts';
import { ObjectMembers } from '../explorer/object-members.tsx';
import { failureText } from '../failure-text.ts';
import { Plate } from '../parts/plate.tsx';
import { fragmentOf, withFragment } from '../robot/address.ts';
import { offReason } from '../robot/off-reason.ts';

type Opened = { readonly object: RemoteObject<LooseMembers>; readonly title: string };
/** The chosen service, and above it the objects opened from it. */
type Shown =
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly text: string }
  | { readonly kind: 'open'; readonly stack: readonly Opened[] };

export function ExploreView({ state }: { readonly state: ConsoleState }): JSX.Element {
  const chosen = useSignal(fragmentOf(location.hash).get('service') ?? '');
  const sought = useSignal('');
  const shown = useSignal<Shown>({ kind: 'none' });
  const members = useRef<HTMLDivElement>(null);
  const robot = state.link.robot.value;
  const names = state.robot.services.value;
  const isThere = names?.includes(chosen.value) ?? false;

  useEffect(() => {
    if (robot === undefined || chosen.value === '' || !isThere) return undefined;
    let isCurrent = true;
    const title = chosen.value;
    const loose: { service(name: string): Promise<RemoteObject<LooseMembers>> } = robot as never;
    loose.service(title).then(
      (object) => {
        if (!isCurrent) return;
        // The same service, back again: what is open stays open, and goes on with it.
        if (firstObject(shown.peek()) !== object) shown.value = { kind: 'open', stack: [{ object, title }] };
      },
      (error: unknown) => {
        if (isCurrent) shown.value = { kind: 'failed', text: failureText(error) };
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [robot, chosen.value, isThere]);

  const choose = (name: string): void => {
    shown.value = { kind: 'none' };
    chosen.value = name;
    history.replaceState(null, '', withFragment(location.hash, 'service', name));
    if (window.innerWidth < 832) members.current?.scrollIntoView({ block: 'start' });
  };
  const found = (names ?? []).filter((name) => name.toLowerCase().includes(sought.value.trim().toLowerCase()));
  return (
    <div class="explore">
      <Plate title={names === undefined ? 'Services' : `Services (${names.length})`} class="services">
        <div class="plate-body">
          <label class="visually-hidden" for="seek">
            Find a service
          </label>
          <input
            id="seek"
            class="field"
            type="search"
            placeholder="Find a service"
            value={sought}
            onInput={(event) => (sought.value = event.currentTarget.value)}
          />
          {found.length === 0 ? (
            <p class="empty">{emptyList(names)}</p>
          ) : (
            <ul>
              {found.map((name) => (
                <li key={name}>
                  <button
                    type="button"
                    class="button quiet"
                    aria-current={name === chosen.value}
                    onClick={() => choose(name)}
                  >
                    {name}
                  </button>
                </li>
              ))}
            </ul>
          )}
        </div>
      </Plate>
      <div ref={members} class="members-place">
        <Chosen
          shown={shown.value}
          name={chosen.value}
          offReason={offReason(state.link)}
          isGone={names !== undefined && chosen.value !== '' && !isThere}
          onChange={(next) => (shown.value = next)}
        />
      </div>
    </div>
  );
}

interface ChosenProps {
  readonly shown: Shown;
  readonly name: string;
  readonly isGone: boolean;
  readonly offReason: string | undefined;
  readonly onChange: (shown: Shown) => void;
}

function Chosen({ shown, name, isGone, offReason: reason, onChange }: ChosenProps): JSX.Element {
  if (isGone && shown.kind !== 'open') return <p class="plate empty">The service {name} is not on the bus.</p>;
  if (shown.kind === 'failed') return <p class="plate empty problem">{shown.text}</p>;
  const top = shown.kind === 'open' ? shown.stack.at(-1) : undefined;
  if (shown.kind !== 'open' || top === undefined)
    return (
      <p class="plate empty">
        {name === ''
          ? 'Choose a service to see its methods, signals and properties, and to use them.'
          : 'Asking the robot'}
      </p>
    );
  const { stack } = shown;
  return (
    <>
      {isGone && <p class="plate empty">The service {name} is not on the bus at the moment.</p>}
      <ObjectMembers
        key={`${stack.length} ${top.title}`}
        object={top.object}
        title={top.title}
        offReason={reason}
        onOpenObject={(object, title) =>
          onChange({
            kind: 'open',
            stack: [...stack, { object: object as RemoteObject<LooseMembers>, title: `${top.title}.${title}` }],
          })
        }
        onBack={
          stack.length < 2
            ? undefined
            : () => {
                top.object.release();
                onChange({ kind: 'open', stack: stack.slice(0, -1) });
              }
        }
      />
    </>
  );
}

function firstObject(shown: Shown): object | undefined {
  return shown.kind === 'open' ? shown.stack[0]?.object : undefined;
}

/** Why no service is shown: it is not known yet, there is none, or none is called that. */
function emptyList(names: readonly string[] | undefined): string {
  if (names === undefined) return 'Asking the robot';
  return names.length === 0 ? 'No services at the moment' : 'No service of that name';
}

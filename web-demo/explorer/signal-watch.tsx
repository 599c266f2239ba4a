// One signal: watch it, with a log of what came. Layer: explorer.
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { failureText } from '../failure-text.ts';
import type { DescribedSignal } from './described.ts';
import { showValue } from './show-value.ts';
import { describeType } from './signature.ts';

interface SignalWatchProps {
  /** Whose signal it is; another one when the service left and came back: watching then goes on there. */
  readonly source: object;
  readonly signal: DescribedSignal;
  /** Resolves once the robot confirmed, to how to end it. */
  readonly connect: (
    name: string,
    take: (args: readonly unknown[]) => void,
    gap: (missed: number | undefined) => void,
  ) => Promise<() => unknown>;
}

interface Entry {
  readonly number: number;
  readonly time: string;
  readonly text: string;
  /** Says that events are missing between the one below and the one above. */
  readonly isGap: boolean;
}

const MAX_ENTRIES = 200;

type Watch =
  | { readonly kind: 'off' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'on'; readonly end: () => unknown };

export function SignalWatch({ source, signal, connect }: SignalWatchProps): JSX.Element {
  const watch = useSignal<Watch>({ kind: 'off' });
  const entries = useSignal<readonly Entry[]>([]);
  const problem = useSignal('');
  /** Events, and lines of the log. */
  const count = useRef(0);
  const written = useRef(0);
  const isShown = useRef(true);

  const stop = (): void => {
    if (watch.value.kind === 'on') quietly(watch.value.end);
    watch.value = { kind: 'off' };
  };
  useEffect(
    () => () => {
      isShown.current = false;
      stop();
    },
    [],
  );
  const log = (text: string, isGap: boolean): void => {
    written.current += 1;
    const entry = { number: written.current, time: clockText(new Date()), text, isGap };
    entries.value = [entry, ...entries.value].slice(0, MAX_ENTRIES);
  };
  const take = (args: readonly unknown[]): void => {
    count.current += 1;
    log(args.length === 0 ? 'emitted' : args.map((arg) => showValue(arg)).join(', '), false);
  };
  const gap = (missed: number | undefined): void =>
    log(missed === undefined ? 'some may have been missed here' : `${missed} missed here`, true);
  const start = async (): Promise<void> => {
    watch.value = { kind: 'starting' };
    problem.value = '';
    try {
      const end = await connect(signal.name, take, gap);
      if (isShown.current) watch.value = { kind: 'on', end };
      else quietly(end);
    } catch (error) {
      watch.value = { kind: 'off' };
      problem.value = failureText(error);
    }
  };
  const watched = useRef(source);
  useEffect(() => {
    if (watched.current === source) return;
    watched.current = source;
    if (watch.value.kind !== 'on') return;
    quietly(watch.value.end);
    gap(undefined);
    void start();
  }, [source]);
  const isOn = watch.value.kind !== 'off';
  return (
    <div class="member-body">
      <p class="small soft">
        {signal.parameters.length === 0
          ? 'Comes without values'
          : `Comes with ${signal.parameters.map((member) => (member.name === '' ? describeType(member.type) : `${member.name}: ${describeType(member.type)}`)).join(', ')}`}
      </p>
      <div class="row">
        <button
          type="button"
          class={`button ${isOn ? '' : 'main'}`}
          aria-pressed={isOn}
          onClick={() => (isOn ? stop() : void start())}
        >
          {watch.value.kind === 'starting' ? 'Subscribing…' : isOn ? 'Stop watching' : 'Watch'}
        </button>
        {entries.value.length > 0 && (
          <button type="button" class="button quiet" onClick={() => (entries.value = [])}>
            Clear
          </button>
        )}
        <span class="small soft figures">{count.current === 0 ? '' : `${count.current} received`}</span>
      </div>
      {problem.value !== '' && (
        <p class="output failed" role="alert">
          {problem}
        </p>
      )}
      {(isOn || entries.value.length > 0) && (
        <div class="output log code" role="log" aria-live="off" aria-label={`What ${signal.name} sent`}>
          {entries.value.length === 0 && <p class="soft">Nothing yet</p>}
          {entries.value.map(({ number, time, text, isGap }) => (
            <p key={number} class={isGap ? 'log-gap' : ''}>
              <span class="soft figures">{time}</span>
              <span>{text}</span>
            </p>
          ))}
        </div>
      )}
    </div>
  );
}

/** The link may be gone, and the subscription with it. */
function quietly(end: () => unknown): void {
  Promise.resolve()
    .then(end)
    .catch(() => undefined);
}

function clockText(date: Date): string {
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

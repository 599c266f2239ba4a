// What happened in the last minutes on one line: stretches of a state in colour, moments as marks. Hover, touch or the
// arrow keys choose a moment, whose time and sentence are shown. Layer: parts. It must not know of links.
import { useSignal } from '@preact/signals';
import type { JSX, TargetedKeyboardEvent, TargetedPointerEvent } from 'preact';

export interface LineStretch {
  readonly fromMs: number;
  readonly toMs: number | undefined;
  /** Names its colour. */
  readonly state: string;
}

export interface LineMoment {
  readonly id: number;
  readonly atMs: number;
  /** Names its shape and colour. */
  readonly kind: string;
  readonly text: string;
}

interface TimeLineProps {
  readonly stretches: readonly LineStretch[];
  readonly moments: readonly LineMoment[];
  readonly nowMs: number;
  readonly shownMs: number;
  readonly label: string;
}

const STEPS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };

export function TimeLine({ stretches, moments, nowMs, shownMs, label }: TimeLineProps): JSX.Element {
  /** The id of a moment: new ones come and old ones leave meanwhile. */
  const chosen = useSignal<number | undefined>(undefined);
  const fromMs = nowMs - shownMs;
  const shown = moments.filter(({ atMs }) => atMs >= fromMs);
  const place = (atMs: number): number => Math.max(0, Math.min(100, ((atMs - fromMs) / shownMs) * 100));
  const at = shown.findIndex(({ id }) => id === chosen.value);
  const moment = shown[at];
  const spoken = moment ?? shown.at(-1);

  const choose = (event: TargetedPointerEvent<HTMLDivElement>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    const time = fromMs + ((event.clientX - box.left) / box.width) * shownMs;
    const nearest = shown.toSorted((a, b) => Math.abs(a.atMs - time) - Math.abs(b.atMs - time))[0];
    chosen.value = nearest?.id;
  };
  const forget = (): void => {
    chosen.value = undefined;
  };
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLDivElement>): void => {
    const from = at < 0 ? shown.length - 1 : at;
    const step = STEPS[event.key];
    const to = event.key === 'Home' ? 0 : event.key === 'End' ? shown.length - 1 : from + (step ?? 0);
    if (step === undefined && event.key !== 'Home' && event.key !== 'End') return;
    event.preventDefault();
    chosen.value = shown[Math.max(0, Math.min(shown.length - 1, to))]?.id;
  };
  return (
    <div
      class="time-line"
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={Math.min(1, shown.length)}
      aria-valuemax={shown.length}
      aria-valuenow={at < 0 ? shown.length : at + 1}
      aria-valuetext={spoken === undefined ? 'Nothing happened yet' : sentenceOf(spoken)}
      onKeyDown={onKeyDown}
      onPointerMove={choose}
      onPointerDown={choose}
      onPointerLeave={(event) => event.pointerType === 'mouse' && forget()}
      onFocus={() => (chosen.value ??= shown.at(-1)?.id)}
      onBlur={forget}
    >
      <span class="time-line-bar" aria-hidden="true">
        {stretches.map((stretch) => {
          const left = place(stretch.fromMs);
          return (
            <i
              key={stretch.fromMs}
              data-state={stretch.state}
              style={{ left: `${left}%`, width: `${place(stretch.toMs ?? nowMs) - left}%` }}
            />
          );
        })}
        {shown.map(({ id, atMs, kind }) => (
          <b key={id} data-kind={kind} data-chosen={id === chosen.value} style={{ left: `${place(atMs)}%` }} />
        ))}
      </span>
      {moment !== undefined && (
        <span
          class="time-line-words"
          style={{ left: `${place(moment.atMs)}%`, transform: `translateX(-${place(moment.atMs)}%)` }}
        >
          <span class="figures">{clockText(moment.atMs)}</span> {moment.text}
        </span>
      )}
    </div>
  );
}

function sentenceOf({ atMs, text }: LineMoment): string {
  return `${clockText(atMs)}: ${text}`;
}

/** Hours, minutes and seconds of this device's clock. */
export function clockText(atMs: number): string {
  return new Date(atMs).toTimeString().slice(0, 8);
}

// A live plot of a figure, a signal or a property. Layer: views.
import { type Signal, useSignal } from '@preact/signals';
import type { LooseMembers, RemoteObject } from '@qiway/sdk';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { ConsoleState } from '../console-state.ts';
import { showNumber } from '../explorer/show-value.ts';
import { failureText } from '../failure-text.ts';
import type { LastPlotted } from '../memory/known-robot.ts';
import { Icon } from '../parts/icons.tsx';
import { PlotPaper, SERIES_COLORS } from '../plot/plot-paper.tsx';
import { createSeriesBuffer, type SeriesBuffer } from '../plot/series-buffer.ts';
import { FIGURES, followMember, type PlottableMember, plottableMembers } from '../plot/sources.ts';
import { durationText } from '../robot/status-words.ts';

const SAMPLE_MS = 100;
/** Four a second. */
const KEEP_TICKS = 4;
const SPANS_S = [10, 30, 120];

export function PlotView({ state }: { readonly state: ConsoleState }): JSX.Element {
  const last = state.plotted.peek();
  const source = useSignal(last?.source ?? FIGURES[0]?.id ?? '');
  const memberName = useSignal(last?.member ?? '');
  const spanS = useSignal(30);
  const isPaused = useSignal(false);
  const members = useSignal<readonly PlottableMember[]>([]);
  const problem = useSignal('');
  const tick = useSignal(0);
  const { buffer, now } = useMemo(() => {
    return { buffer: createSeriesBuffer(), now: () => Date.now() / 1000 };
  }, []);
  useSource({ state, source: source.value, memberName, members, problem, buffer, now });
  useEffect(() => {
    const timer = setInterval(() => {
      if (!isPaused.peek()) tick.value += 1;
    }, 250);
    return () => clearInterval(timer);
  }, []);

  useEffect(() => {
    if (buffer.latest.size === 0 || state.link.isAway.peek()) return;
    state.plotted.value = {
      source: source.peek(),
      member: memberName.peek(),
      values: [...buffer.latest],
      atMs: Date.now(),
    };
  }, [Math.floor(tick.value / KEEP_TICKS)]);

  const clear = (): void => {
    buffer.clear();
    tick.value += 1;
  };
  const isFigure = FIGURES.some(({ id }) => id === source.value);
  const isEmpty = tick.value >= 0 && buffer.labels.length === 0;
  const kept =
    state.link.isAway.value && state.plotted.value?.source === source.value ? state.plotted.value : undefined;
  return (
    <div class="plot">
      <section class="plate" aria-label="What is plotted">
        <div class="plot-source">
          <div class="entry">
            <label class="label" for="plot-source">
              Plot
            </label>
            <select
              id="plot-source"
              class="field"
              value={source.value}
              onChange={(event) => (source.value = event.currentTarget.value)}
            >
              <optgroup label="Robot">
                {FIGURES.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
              </optgroup>
              <optgroup label="Services">
                {(state.robot.services.value ?? []).map((name) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </optgroup>
            </select>
          </div>
          <div class="entry">
            <label class="label" for="plot-member">
              Signal or property
            </label>
            <select
              id="plot-member"
              class="field"
              disabled={isFigure || members.value.length === 0}
              value={memberName.value}
              onChange={(event) => (memberName.value = event.currentTarget.value)}
            >
              {isFigure && <option value="">–</option>}
              {!isFigure && members.value.length === 0 && <option value="">none with numbers</option>}
              {members.value.map(({ name, fullName, kind }) => (
                <option key={fullName} value={fullName}>
                  {name} ({kind})
                </option>
              ))}
            </select>
          </div>
          <div class="row plot-tools">
            <fieldset class="choice plot-span" aria-label="Time shown">
              {SPANS_S.map((span) => (
                <button
                  key={span}
                  type="button"
                  class="button"
                  aria-pressed={spanS.value === span}
                  onClick={() => (spanS.value = span)}
                >
                  {span < 60 ? `${span} s` : `${span / 60} min`}
                </button>
              ))}
            </fieldset>
            <button
              type="button"
              class="button"
              aria-pressed={isPaused.value}
              onClick={() => (isPaused.value = !isPaused.value)}
            >
              <Icon name={isPaused.value ? 'play' : 'pause'} />
              <span class="words">{isPaused.value ? 'Go on' : 'Pause'}</span>
            </button>
            <button type="button" class="button" onClick={clear}>
              <Icon name="clear" />
              <span class="words">Clear</span>
            </button>
          </div>
        </div>
      </section>
      <section class="plate" aria-label="Plot">
        <Latest
          values={isEmpty ? (kept?.values ?? []) : buffer.labels.map((label) => [label, buffer.latest.get(label) ?? 0])}
        />
        <div class="plot-paper">
          <PlotPaper
            buffer={buffer}
            spanS={spanS.value}
            now={now}
            isPaused={isPaused.value}
            theme={state.theme.name.value}
            label={`Plot over time of ${buffer.labels.join(', ')}`}
          />
          {isEmpty && (
            <p class="empty">
              {kept !== undefined
                ? `The last values are ${durationText(Math.max(1000, state.nowMs.value - kept.atMs))} old`
                : problem.value !== ''
                  ? problem.value
                  : isFigure
                    ? 'Waiting for the first value'
                    : members.value.length === 0
                      ? 'This service has no signal or property with numbers'
                      : 'Nothing came yet: the line begins with the first event'}
            </p>
          )}
        </div>
      </section>
    </div>
  );
}

interface SourceOptions {
  readonly state: ConsoleState;
  readonly source: string;
  readonly memberName: Signal<string>;
  readonly members: Signal<readonly PlottableMember[]>;
  readonly problem: Signal<string>;
  readonly buffer: SeriesBuffer;
  readonly now: () => number;
}

/** Feeds the buffer from the chosen source while the link stands. */
function useSource({ state, source, memberName, members, problem, buffer, now }: SourceOptions): void {
  const robot = state.link.robot.value;
  const object = useSignal<RemoteObject<LooseMembers> | undefined>(undefined);
  const plotted = useRef('');
  /** A service that left and came back is asked for again, and its line goes on. */
  const isThere = state.robot.services.value?.includes(source) ?? false;

  useEffect(() => {
    if (plotted.current.split(' ')[0] !== source) {
      buffer.clear();
      members.value = [];
      object.value = undefined;
    }
    problem.value = '';
    const figure = FIGURES.find(({ id }) => id === source);
    if (figure !== undefined) {
      plotted.current = source;
      const timer = setInterval(() => {
        const numbers = state.link.state.peek().kind === 'online' ? figure.read(state) : undefined;
        if (numbers !== undefined) buffer.add(now(), numbers);
        // A blink of the link leaves no mark.
        else if (state.link.isAway.peek()) buffer.gap(now());
      }, SAMPLE_MS);
      return () => clearInterval(timer);
    }
    if (robot === undefined || !isThere) return undefined;
    let isCurrent = true;
    const loose: { service(name: string): Promise<RemoteObject<LooseMembers>> } = robot as never;
    loose.service(source).then(
      (found) => {
        if (!isCurrent) return;
        members.value = plottableMembers(found);
        if (!members.value.some(({ fullName }) => fullName === memberName.value))
          memberName.value = members.value[0]?.fullName ?? '';
        object.value = found;
      },
      (error: unknown) => {
        if (isCurrent) problem.value = failureText(error);
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [source, robot, isThere]);

  useEffect(() => {
    const found = object.value;
    const member = members.value.find(({ fullName }) => fullName === memberName.value);
    if (found === undefined || member === undefined) return undefined;
    const plots = `${source} ${member.fullName}`;
    if (plotted.current === plots) buffer.gap(now());
    else buffer.clear();
    plotted.current = plots;
    let isCurrent = true;
    let end: (() => unknown) | undefined;
    const finish = (off: (() => unknown) | undefined): void => {
      Promise.resolve()
        .then(() => off?.())
        .catch(() => undefined);
    };
    followMember(found, member, {
      take: (numbers) => {
        if (isCurrent && numbers.size > 0) buffer.add(now(), numbers);
      },
      gap: () => {
        if (isCurrent) buffer.gap(now());
      },
    }).then(
      (off) => {
        if (isCurrent) end = off;
        else finish(off);
      },
      (error: unknown) => {
        if (isCurrent) problem.value = failureText(error);
      },
    );
    return () => {
      isCurrent = false;
      finish(end);
    };
  }, [object.value, memberName.value]);
}

function Latest({ values }: { readonly values: LastPlotted['values'] }): JSX.Element {
  return (
    <div class="plot-values">
      {values.map(([label, value], index) => (
        <div key={label} class="plot-value">
          <i style={{ background: SERIES_COLORS[index % SERIES_COLORS.length] ?? 'currentColor' }} />
          <span class="soft">{label}</span>
          <output class="figures">{showNumber(value)}</output>
        </div>
      ))}
    </div>
  );
}

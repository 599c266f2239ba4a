// The page's head: which robot, views, battery, link, theme and the stop button, which is always there. Layer: views.
import type { JSX, TargetedKeyboardEvent } from 'preact';
import { type ConsoleState, VIEWS, type ViewName } from '../console-state.ts';
import { BatteryGauge, LinkGauge } from '../parts/gauges.tsx';
import { Icon } from '../parts/icons.tsx';
import { LedRing } from '../parts/led-ring.tsx';
import { StatusBar } from './status-bar.tsx';

const NAMES: Readonly<Record<ViewName, string>> = { drive: 'Drive', explore: 'Explore', plot: 'Plot' };
const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1 };
const LINK_WORDS = {
  online: 'Link',
  lost: 'No link',
  dialling: 'Connecting',
  refused: 'Refused',
  'no-token': 'No token',
} as const;

export function PageHead({ state }: { readonly state: ConsoleState }): JSX.Element {
  const link = state.link.state.value;
  // A break that is mended at once is not shown.
  const kind = link.kind === 'lost' && link.wasOnline && !state.link.isAway.value ? 'online' : link.kind;
  const isDark = state.theme.name.value === 'dark';
  return (
    <header class="head">
      <div class="brand">
        <LedRing segments={8} lit={() => (kind === 'online' ? 1 : 0.25)} thickness={0.42} />
        <div class="brand-text">
          <p class="brand-name">Qiway</p>
          <p class="brand-robot">{state.robot.robotName.value ?? 'robot console'}</p>
        </div>
      </div>
      <div class={`gauges ${state.link.isAway.value ? 'are-old' : ''}`} aria-live="off">
        <BatteryGauge percent={state.robot.batteryPercent.value} isOld={state.link.isAway.value} />
        <button
          type="button"
          class="gauge-button"
          title="All that is known of the link"
          aria-expanded={state.isStatusOpen.value}
          aria-controls="status-panel"
          onClick={() => (state.isStatusOpen.value = !state.isStatusOpen.value)}
        >
          <LinkGauge words={LINK_WORDS[kind]} rttMs={kind === 'online' ? state.link.status.value?.rttMs : undefined} />
        </button>
      </div>
      <button
        type="button"
        class="button icon quiet theme"
        aria-label={isDark ? 'Light colours' : 'Dark colours'}
        onClick={state.theme.toggle}
      >
        <Icon name={isDark ? 'light' : 'dark'} />
      </button>
      <div class="foot">
        <Tabs state={state} />
        <button
          type="button"
          class="stop"
          aria-label="Stop the robot"
          aria-keyshortcuts="Escape"
          title="Stop the robot (Escape)"
          onPointerDown={state.halt}
          onClick={(event) => event.detail === 0 && state.halt()}
        >
          STOP
        </button>
      </div>
      <StatusBar state={state} />
    </header>
  );
}

function Tabs({ state }: { readonly state: ConsoleState }): JSX.Element {
  const chosen = state.view.value;
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLDivElement>): void => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = VIEWS[(VIEWS.indexOf(chosen) + step + VIEWS.length) % VIEWS.length] ?? chosen;
    state.openView(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Views" onKeyDown={onKeyDown}>
      {VIEWS.map((view) => (
        <button
          key={view}
          id={`tab-${view}`}
          type="button"
          role="tab"
          class="tab"
          aria-selected={view === chosen}
          aria-controls="view"
          tabIndex={view === chosen ? 0 : -1}
          onClick={() => state.openView(view)}
        >
          <Icon name={view} />
          {NAMES[view]}
        </button>
      ))}
    </div>
  );
}

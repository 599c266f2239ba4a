// The whole page: head, the chosen view or the doorway, messages. Layer: views.
import type { JSX } from 'preact';
import type { ConsoleState, ViewName } from '../console-state.ts';
import { Toaster } from '../parts/toaster.tsx';
import { isMissing, isRobotAway } from '../robot/robot-state.ts';
import { durationText } from '../robot/status-words.ts';
import { Doorway } from './doorway.tsx';
import { DriveView } from './drive-view.tsx';
import { ExploreView } from './explore-view.tsx';
import { LostNotice } from './lost-notice.tsx';
import { NewerNotice } from './newer-notice.tsx';
import { PageHead } from './page-head.tsx';
import { PlotView } from './plot-view.tsx';

interface PageProps {
  readonly state: ConsoleState;
}

const SHOWN: Readonly<Record<ViewName, (props: PageProps) => JSX.Element>> = {
  drive: DriveView,
  explore: ExploreView,
  plot: PlotView,
};

export function ConsolePage({ state }: PageProps): JSX.Element {
  const link = state.link.state.value;
  // What is remembered of the robot is shown at once, and says how old it is.
  const isKnown = state.known.value !== undefined && (link.kind === 'lost' || link.kind === 'dialling');
  const isOpen = isKnown || link.kind === 'online' || (link.kind === 'lost' && link.wasOnline);
  const isAway = link.kind === 'online' && isRobotAway(state.robot.services);
  const View = SHOWN[state.view.value];
  return (
    <div class="console">
      <PageHead state={state} />
      <div class="notices">
        <NewerNotice state={state} />
        {isOpen && state.link.isAway.value && (link.kind === 'lost' || link.kind === 'dialling') && (
          <LostNotice state={state} link={link} />
        )}
        {link.kind === 'online' && !state.link.isBusUp.value && <BusNotice state={state} />}
        {link.kind === 'online' && state.link.isBusUp.value && isAway && <AwayNotice />}
      </div>
      {isOpen ? (
        <main class={`view ${isAway || state.link.isAway.value ? 'at-rest' : ''}`} style={{ '--age': ageOf(state) }}>
          <div id="view" role="tabpanel" aria-labelledby={`tab-${state.view.value}`}>
            <View state={state} />
          </div>
        </main>
      ) : (
        <main id="view" class="view">
          <Doorway state={state} />
        </main>
      )}
      <Toaster toasts={state.toasts} />
      <SpokenState state={state} />
    </div>
  );
}

function BusNotice({ state }: PageProps): JSX.Element {
  const reason = state.link.status.value?.busReason;
  return (
    <section class="notice" role="alert">
      <div class="grow">
        <h2>The robot’s own bus does not answer</h2>
        <p class="small soft">
          The agent is reachable and goes on trying. If this lasts, check that the robot’s software runs.
        </p>
        {reason !== undefined && <p class="small soft">{reason}</p>}
      </div>
    </section>
  );
}

function AwayNotice(): JSX.Element {
  return (
    <section class="notice" role="alert">
      <div class="grow">
        <h2>No robot is on the bus</h2>
        <p class="small soft">
          The agent is reachable, and no service of a robot is. What you see is old. As soon as the robot’s software
          runs, its services appear here by themselves.
        </p>
      </div>
    </section>
  );
}

/** How old what is seen is, as the content of a style rule. */
function ageOf({ link, seenAtMs, nowMs }: ConsoleState): string {
  const sinceMs = seenAtMs.value;
  return link.isAway.value && sinceMs !== undefined ? `"${durationText(nowMs.value - sinceMs)} old"` : '""';
}

/** Tells screen readers when the link changes. */
function SpokenState({ state }: PageProps): JSX.Element {
  const { value } = state.link.state;
  const isBlink = value.kind === 'lost' && value.wasOnline && !state.link.isAway.value;
  const kind = isBlink ? 'online' : value.kind;
  const words = {
    online: 'Linked with the robot',
    lost: 'The link to the robot is lost',
    dialling: 'Connecting',
    refused: 'The robot refused this page',
    'no-token': 'A token is missing',
  }[kind];
  const { services } = state.robot;
  const noMotion =
    kind !== 'online'
      ? ''
      : isRobotAway(services)
        ? '; no robot is on the bus'
        : isMissing(services, 'ALMotion')
          ? '; this robot does not drive'
          : '';
  return (
    <p class="visually-hidden" role="status">
      {words}
      {noMotion}
    </p>
  );
}

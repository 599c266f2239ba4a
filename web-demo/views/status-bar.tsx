// One line under the head, always in sight: how the link is, where it goes, what happened. Opens the rest. Layer: views.
import type { JSX } from 'preact';
import type { ConsoleState } from '../console-state.ts';
import { Icon } from '../parts/icons.tsx';
import { SparkLine } from '../parts/spark-line.tsx';
import { TimeLine } from '../parts/time-line.tsx';
import { SHOWN_MS } from '../robot/history.ts';
import { isRobotAway } from '../robot/robot-state.ts';
import { durationText, headlineOf, sealText } from '../robot/status-words.ts';
import { StatusPanel } from './status-panel.tsx';

/** Of the round trips; a heartbeat a second. */
const SPARK_ROOM = 40;

export function StatusBar({ state }: { readonly state: ConsoleState }): JSX.Element {
  const { happened, waiting, nowMs, isStatusOpen, link, seenAtMs } = state;
  const status = link.status.value;
  const isOnline = link.state.value.kind === 'online';
  const { words, health } = headlineOf(link.state.value, {
    isAway: link.isAway.value,
    isBusUp: link.isBusUp.value,
    hasRobot: !isRobotAway(state.robot.services),
  });
  const now = link.state.value;
  const age = durationText(Math.max(1000, nowMs.value - (seenAtMs.value ?? nowMs.value)));
  const since =
    !link.isAway.value || seenAtMs.value === undefined
      ? ''
      : now.kind === 'lost' && now.wasOnline
        ? ` for ${age}`
        : `, last seen ${age} ago`;
  const count = waiting.entries.value.length;
  return (
    <div class="status-place">
      <div class="status-bar" data-health={health}>
        <button
          type="button"
          class="status-toggle"
          aria-expanded={isStatusOpen.value}
          aria-controls="status-panel"
          onClick={() => (isStatusOpen.value = !isStatusOpen.value)}
        >
          <i class="status-dot" aria-hidden="true" />
          <span class="status-words" data-figure="link-words">
            {words}
            <span class="figures">{since}</span>
          </span>
          {status !== undefined && isOnline && (
            <span class="status-address soft figures" title={sealText(status.isSealed)}>
              {status.isSealed && <Icon name="lock" />}
              {status.address}
            </span>
          )}
          {count > 0 && (
            <span class="status-count figures">
              {count}
              <span class="words"> waiting</span>
            </span>
          )}
          <SparkLine values={happened.roundTrips.value.map(({ rttMs }) => rttMs)} room={SPARK_ROOM} />
          <Icon name={isStatusOpen.value ? 'less' : 'more'} />
        </button>
        <span class="status-edge soft figures" aria-hidden="true">
          {durationText(SHOWN_MS)}
        </span>
        <TimeLine
          stretches={happened.stretches.value}
          moments={happened.moments.value}
          nowMs={nowMs.value}
          shownMs={SHOWN_MS}
          label="What happened to the link in the last 5 minutes"
        />
        <span class="status-edge soft" aria-hidden="true">
          now
        </span>
      </div>
      {isStatusOpen.value && <StatusPanel state={state} />}
    </div>
  );
}

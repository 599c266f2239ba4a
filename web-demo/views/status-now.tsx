// How the link is, in a sentence, and what a person can do about it. Layer: views.
import type { JSX } from 'preact';
import type { ConsoleState } from '../console-state.ts';
import { failureText } from '../failure-text.ts';
import { isRobotAway } from '../robot/robot-state.ts';
import { adviceFor, durationText, headlineOf, triedOf, triedText } from '../robot/status-words.ts';

export function StatusNow({ state }: { readonly state: ConsoleState }): JSX.Element {
  const { link, happened, nowMs } = state;
  const now = link.state.value;
  const { words, health } = headlineOf(now, {
    isAway: link.isAway.value,
    isBusUp: link.isBusUp.value,
    hasRobot: !isRobotAway(state.robot.services),
  });
  const lostAtMs = happened.lostAtMs.value;
  const known = state.known.value;
  return (
    <div class="status-now" data-health={health}>
      <h2>
        <i class="status-dot" aria-hidden="true" />
        {words}
      </h2>
      {now.kind === 'lost' && (link.isAway.value || !now.wasOnline) && (
        <>
          {lostAtMs === undefined && known !== undefined && (
            <p class="small soft figures">
              Last seen {durationText(Math.max(1000, nowMs.value - known.seenAtMs))} ago at {known.address}; it is tried
              again by itself.
            </p>
          )}
          {lostAtMs !== undefined && (
            <p class="small soft figures">
              No link for {durationText(nowMs.value - lostAtMs)}; it is tried again by itself.
            </p>
          )}
          <Tried error={now.error} />
        </>
      )}
      {now.kind === 'refused' && <p class="small">{failureText(now.error)}</p>}
      {now.kind === 'online' && !link.isBusUp.value && (
        <p class="small soft">
          The agent is reachable and goes on trying. If this lasts, check that the robot’s software runs.
        </p>
      )}
    </div>
  );
}

/** What was tried, and what to do. */
export function Tried({ error }: { readonly error: Parameters<typeof adviceFor>[0] }): JSX.Element {
  const tried = triedText(triedOf(error));
  return (
    <>
      {tried !== '' && <p class="small soft tried figures">{tried}.</p>}
      <p class="small soft">{adviceFor(error)}</p>
    </>
  );
}

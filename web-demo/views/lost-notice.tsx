// Said while there is no link: since when, what the console does, what a person can do. Layer: views.
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { ConsoleState } from '../console-state.ts';
import { Icon } from '../parts/icons.tsx';
import type { LinkState } from '../robot/link.ts';
import { durationText } from '../robot/status-words.ts';
import { Tried } from './status-now.tsx';

interface LostNoticeProps {
  readonly state: ConsoleState;
  readonly link: Extract<LinkState, { readonly kind: 'lost' | 'dialling' }>;
}

export function LostNotice({ state, link }: LostNoticeProps): JSX.Element | null {
  const isRead = useSignal(false);
  // The status bar goes on saying it.
  if (isRead.value) return null;
  const sinceMs = Math.max(1000, state.nowMs.value - (state.seenAtMs.value ?? state.nowMs.value));
  const wasHere = link.kind === 'lost' && link.wasOnline;
  const { robot, isTrying } = link.kind === 'lost' ? link : { robot: undefined, isTrying: true };
  const isBusy = robot === undefined && isTrying;
  return (
    <section class="notice" aria-labelledby="lost-title">
      <div class="grow">
        <div role="alert">
          <h2 id="lost-title">
            {wasHere
              ? 'The link to the robot is lost'
              : link.kind === 'dialling'
                ? 'Looking for the robot'
                : 'The robot cannot be reached'}
          </h2>
          <p class="small soft">
            {wasHere
              ? 'What you see is old, and the joystick is off.'
              : 'You see what was last known of it. It cannot be moved.'}
          </p>
        </div>
        <p class="small soft figures" data-figure="lost-for">
          {wasHere ? `Looking for it for ${durationText(sinceMs)}.` : `Last seen ${durationText(sinceMs)} ago.`}
        </p>
        {link.kind === 'lost' && <Tried error={link.error} />}
      </div>
      <button
        type="button"
        class="button"
        aria-disabled={isBusy}
        onClick={() => {
          if (robot !== undefined) robot.probe();
          else if (!isBusy) state.link.dial();
        }}
      >
        {isBusy ? 'Trying…' : 'Try now'}
      </button>
      <button
        type="button"
        class="button icon quiet"
        aria-label="Close this notice"
        onClick={() => (isRead.value = true)}
      >
        <Icon name="close" />
      </button>
    </section>
  );
}

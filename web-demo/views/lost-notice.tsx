// Said when a link that stood is lost: what happened, what the console does, what a person can do. Layer: views.
import type { JSX } from 'preact';
import type { ConsoleState } from '../console-state.ts';
import type { LinkState } from '../robot/link.ts';
import { durationText } from '../robot/status-words.ts';
import { Tried } from './status-now.tsx';

interface LostNoticeProps {
  readonly state: ConsoleState;
  readonly link: Extract<LinkState, { readonly kind: 'lost' }>;
}

export function LostNotice({ state, link }: LostNoticeProps): JSX.Element {
  const lostAtMs = state.happened.lostAtMs.value ?? state.nowMs.value;
  const { isTrying } = link;
  return (
    <section class="notice" aria-labelledby="lost-title">
      <div class="grow">
        <div role="alert">
          <h2 id="lost-title">The link to the robot is lost</h2>
          <p class="small soft">What you see is old, and the joystick is off.</p>
        </div>
        <p class="small soft figures" data-figure="lost-for">
          Looking for it for {durationText(Math.max(1000, state.nowMs.value - lostAtMs))}.
        </p>
        <Tried error={link.error} />
      </div>
      <button
        type="button"
        class="button"
        aria-disabled={link.robot === undefined && isTrying}
        onClick={() => {
          if (link.robot !== undefined) link.robot.probe();
          else if (!isTrying) state.link.dial();
        }}
      >
        {link.robot === undefined && isTrying ? 'Trying…' : 'Try now'}
      </button>
    </section>
  );
}

// Said when a link that stood is lost: what happened, what the console does, what a person can do. Layer: views.
import type { JSX } from 'preact';
import type { ConsoleState } from '../console-state.ts';

export function LostNotice({
  state,
  isTrying,
}: {
  readonly state: ConsoleState;
  readonly isTrying: boolean;
}): JSX.Element {
  return (
    <section class="notice" role="alert" aria-labelledby="lost-title">
      <div class="grow">
        <h2 id="lost-title">The link to the robot is lost</h2>
        <p class="small soft">
          What you see is old, and the joystick is off. The console keeps trying. Is the robot on, and is this device in
          its network?
        </p>
      </div>
      <button type="button" class="button" aria-disabled={isTrying} onClick={() => !isTrying && state.link.dial()}>
        {isTrying ? 'Trying…' : 'Try now'}
      </button>
    </section>
  );
}

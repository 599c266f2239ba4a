// One line under the joystick: who has the motors, and what stops the robot when this page falls silent. Layer: views.
import type { JSX } from 'preact';
import type { ConsoleState } from '../console-state.ts';

export function ControlLine({ state }: { readonly state: ConsoleState }): JSX.Element {
  const { control } = state;
  const other = control.other.value;
  const failsafe = control.failsafe.value;
  const firedAtMs = control.firedAtMs.value;
  if (other !== undefined)
    return (
      <p class="control-line" data-control="other">
        <span>
          <span class="figures">{other.holder}</span> has the motors
        </span>
        {other.mayTakeOver && (
          <button
            type="button"
            class="button compact"
            onClick={() => state.attempt('Take over', () => takeOver(state))}
          >
            Take over
          </button>
        )}
      </p>
    );
  if (control.isElsewhere.value)
    return (
      <p class="control-line" data-control="elsewhere">
        Another tab of this browser has the motors
      </p>
    );
  if (firedAtMs !== undefined)
    return (
      <p class="control-line" data-control="fired" role="alert">
        Stopped by the failsafe at {new Date(firedAtMs).toLocaleTimeString()}
      </p>
    );
  if (failsafe?.state === 'armed')
    return (
      <p
        class="control-line"
        data-control="armed"
        title="The robot stops when nothing is heard of this page for so long"
      >
        Failsafe armed: {failsafe.afterMs / 1000} s
      </p>
    );
  if (control.isOwn.value)
    return (
      <p class="control-line" data-control="own">
        The motors are this page’s
      </p>
    );
  return (
    <p class="control-line" data-control="free">
      A failsafe is armed while you drive
    </p>
  );
}

/** Held a while, so that a hand can reach the joystick. */
async function takeOver({ control }: ConsoleState): Promise<void> {
  await control.take({ takeOver: true });
  control.ease({ lingers: true });
}

// Postures, and waking up the motors. Layer: views.
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { ConsoleState } from '../console-state.ts';
import { Plate } from '../parts/plate.tsx';
import { offReason } from '../robot/off-reason.ts';
import { isMissing } from '../robot/robot-state.ts';

/** Part of the full speed: brisk and still safe beside people. */
const POSTURE_SPEED = 0.6;

export function BodyPlate({ state }: { readonly state: ConsoleState }): JSX.Element {
  const goal = useSignal<string | undefined>(undefined);
  const { posture, postures, postureName, motion, isAwake } = state.robot;
  const reason = offReason(state.link);
  const isOnline = reason === undefined;
  const canMove = isOnline && posture.value !== undefined && goal.value === undefined;

  const goTo = (name: string): void => {
    goal.value = name;
    state.attempt(name, () =>
      posture.value?.goToPosture
        .with({ timeoutMs: 60_000 })(name, POSTURE_SPEED)
        .finally(() => (goal.value = undefined)),
    );
  };
  const wake = (): void => {
    const awake = isAwake.value === true;
    state.attempt(awake ? 'Rest' : 'Wake up', () =>
      (awake ? motion.value?.rest() : motion.value?.wakeUp())?.then(() => (isAwake.value = !awake)),
    );
  };
  const tools = isAwake.value !== undefined && (
    <button
      type="button"
      class="button"
      disabled={!isOnline || motion.value === undefined}
      title={reason}
      onClick={wake}
    >
      {isAwake.value ? 'Rest' : 'Wake up'}
    </button>
  );
  return (
    <Plate title="Posture" class="drive-body" tools={tools}>
      <div class="plate-body stack">
        {postures.value.length === 0 ? (
          <p class="empty">
            {isMissing(state.robot.services, 'ALRobotPosture')
              ? 'This robot has no postures'
              : 'Asking the robot for its postures'}
          </p>
        ) : (
          <div class="postures">
            {postures.value.map((name) => (
              <button
                key={name}
                type="button"
                class="button"
                aria-current={postureName.value === name}
                disabled={!canMove}
                title={reason}
                onClick={() => goTo(name)}
              >
                {goal.value === name ? `${nameOf(name)}…` : nameOf(name)}
              </button>
            ))}
          </div>
        )}
      </div>
    </Plate>
  );
}

/** `StandInit` as `Stand init`. */
function nameOf(posture: string): string {
  const words = posture.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

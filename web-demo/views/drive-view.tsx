// Driving: picture, map, joystick, speech, body, lights. Layer: views.
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { ConsoleState } from '../console-state.ts';
import { Joystick } from '../parts/joystick.tsx';
import { Plate } from '../parts/plate.tsx';
import { RoomMap } from '../parts/room-map.tsx';
import { describeSteering, steeringOf } from '../robot/drive.ts';
import { isMissing } from '../robot/robot-state.ts';
import type { Pose } from '../robot/trail.ts';
import { BodyPlate } from './body-plate.tsx';
import { CameraPlate } from './camera-plate.tsx';
import { ControlLine } from './control-line.tsx';
import { LightPlate } from './light-plate.tsx';
import { SpeechPlate } from './speech-plate.tsx';

interface ViewProps {
  readonly state: ConsoleState;
}

export function DriveView({ state }: ViewProps): JSX.Element {
  return (
    <div class="drive">
      <CameraPlate state={state} />
      <JoystickPlate state={state} />
      <MapPlate state={state} />
      <SpeechPlate state={state} />
      <BodyPlate state={state} />
      <LightPlate state={state} />
    </div>
  );
}

/** Parts of the full speed. */
const SPEEDS = [
  { name: 'Slow', limit: 0.35 },
  { name: 'Normal', limit: 0.65 },
  { name: 'Fast', limit: 1 },
] as const;

function JoystickPlate({ state }: ViewProps): JSX.Element {
  const isSideways = useSignal(false);
  const speed = useSignal(0.65);
  const canDrive = state.link.state.value.kind === 'online' && state.robot.motion.value !== undefined;
  const { other, isElsewhere } = state.control;
  const { isBlocked } = state.drive;
  const noMotors = isMissing(state.robot.services, 'ALMotion');
  const { blockedBy } = state.robot;
  const words = !canDrive
    ? noMotors
      ? 'This robot does not drive'
      : 'Not linked with the motors'
    : blockedBy.value !== undefined
      ? `Blocked: ${blockedBy.value} in the way`
      : other.value !== undefined
        ? 'Somebody else drives'
        : isElsewhere.value
          ? 'Another tab drives'
          : isBlocked.value
            ? 'Stopped: let go, then drive on'
            : describeSteering(state.drive.steering.value);
  const tools = (
    <fieldset class="choice compact" aria-label="What left and right do">
      <button type="button" class="button" aria-pressed={!isSideways.value} onClick={() => (isSideways.value = false)}>
        Turn
      </button>
      <button type="button" class="button" aria-pressed={isSideways.value} onClick={() => (isSideways.value = true)}>
        Sidestep
      </button>
    </fieldset>
  );
  return (
    <Plate title="Joystick" class="drive-joystick" tools={tools}>
      <div class="plate-body joystick-plate">
        <Joystick
          disabled={!canDrive || other.value !== undefined || isElsewhere.value}
          isBlocked={isBlocked.value}
          onMove={(right, up) =>
            state.drive.steer(steeringOf(right, up, { sideways: isSideways.peek(), limit: speed.peek() }))
          }
          onRelease={state.drive.release}
        />
        <output class="steering-words figures">{words}</output>
        {canDrive ? <ControlLine state={state} /> : <p class="control-line" data-control="none" />}
        <fieldset class="choice" aria-label="Speed">
          {SPEEDS.map(({ name, limit }) => (
            <button
              key={name}
              type="button"
              class="button"
              aria-pressed={speed.value === limit}
              onClick={() => (speed.value = limit)}
            >
              {name}
            </button>
          ))}
        </fieldset>
        <p class="keys">
          <kbd>W</kbd> <kbd>A</kbd> <kbd>S</kbd> <kbd>D</kbd> or arrows drive, <kbd>Esc</kbd> stops
        </p>
      </div>
    </Plate>
  );
}

function MapPlate({ state }: ViewProps): JSX.Element {
  const { pose, trail, plan, services } = state.robot;
  const isUnknown = pose.value === undefined && (state.link.isAway.value || isMissing(services, 'ALMotion'));
  return (
    <Plate title="Map" class="drive-map" tools={<PoseFigures pose={pose.value} />}>
      <div class="map-frame">
        <RoomMap pose={pose.value} trail={trail.value} plan={plan.value} />
        {isUnknown && <p class="map-empty small soft">Nothing is known of where the robot is</p>}
      </div>
    </Plate>
  );
}

function PoseFigures({ pose }: { readonly pose: Pose | undefined }): JSX.Element {
  const degrees = pose === undefined ? undefined : Math.round((pose.theta * 180) / Math.PI);
  return (
    <dl class="pose figures" aria-label="Position">
      <div>
        <dt>x</dt>
        <dd data-figure="x">{pose === undefined ? '–' : `${pose.x.toFixed(2)} m`}</dd>
      </div>
      <div>
        <dt>y</dt>
        <dd data-figure="y">{pose === undefined ? '–' : `${pose.y.toFixed(2)} m`}</dd>
      </div>
      <div>
        <dt>
          <span aria-hidden="true">∠</span>
          <span class="visually-hidden">heading</span>
        </dt>
        <dd data-figure="heading">{degrees === undefined ? '–' : `${degrees}°`}</dd>
      </div>
    </dl>
  );
}

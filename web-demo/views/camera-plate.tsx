// The camera's picture. Layer: views. Asks for pictures only while somebody can see them.
import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ConsoleState } from '../console-state.ts';
import { failureText } from '../failure-text.ts';
import { Icon } from '../parts/icons.tsx';
import { PictureCanvas } from '../parts/picture-canvas.tsx';
import { Plate } from '../parts/plate.tsx';
import { type Picture, RESOLUTIONS, watchCamera } from '../robot/camera.ts';
import { isMissing, isRobotAway } from '../robot/robot-state.ts';
import { durationText } from '../robot/status-words.ts';

/** What driving by the picture needs, and what a robot's camera gives over a wireless network. */
const FRAMES_PER_SECOND = 15;
/** From here on a picture is no longer what the camera sees. */
const OLD_MS = 3000;
const CAMERAS = ['Upper camera', 'Lower camera'];

export function CameraPlate({ state }: { readonly state: ConsoleState }): JSX.Element {
  const picture = useSignal<Picture | undefined>(undefined);
  const pictureAtMs = useSignal(0);
  const problem = useSignal('');
  const camera = useSignal(0);
  const resolution = useSignal(1);
  const isVisible = useSignal(!document.hidden);
  const perSecond = useSignal(0);
  const count = useRef(0);

  useEffect(() => {
    const changed = (): void => {
      isVisible.value = !document.hidden;
    };
    const meter = setInterval(() => {
      perSecond.value = count.current;
      count.current = 0;
    }, 1000);
    document.addEventListener('visibilitychange', changed);
    // The page may come back from the browser's cache: then it looks again.
    const leaving = (): void => {
      isVisible.value = false;
    };
    window.addEventListener('pagehide', leaving);
    window.addEventListener('pageshow', changed);
    return () => {
      clearInterval(meter);
      window.removeEventListener('pagehide', leaving);
      window.removeEventListener('pageshow', changed);
      document.removeEventListener('visibilitychange', changed);
    };
  }, []);
  useSignalEffect(() => {
    const device = state.robot.video.value;
    if (device === undefined || !isVisible.value || state.link.isAway.value) return undefined;
    return watchCamera(device, {
      camera: camera.value,
      resolution: resolution.value,
      framesPerSecond: FRAMES_PER_SECOND,
      after: state.after,
      onPicture: (shown) => {
        count.current += 1;
        problem.value = '';
        picture.value = shown;
        pictureAtMs.value = Date.now();
      },
      onProblem: (error) => {
        problem.value = failureText(error);
      },
    });
  });

  const isOnline = !state.link.isAway.value;
  const age = state.nowMs.value - pictureAtMs.value;
  const noCamera = isMissing(state.robot.services, 'ALVideoDevice');
  const words = noCamera
    ? 'This robot has no camera service'
    : isRobotAway(state.robot.services)
      ? 'Waiting for the robot'
      : isOnline && problem.value !== ''
        ? problem.value
        : picture.value === undefined
          ? isOnline
            ? 'Waiting for the first picture'
            : 'No picture while the robot is away'
          : '';
  const tools = (
    <>
      <label class="visually-hidden" for="resolution">
        Picture size
      </label>
      <select
        id="resolution"
        class="field camera-size"
        value={resolution.value}
        onChange={(event) => (resolution.value = Number(event.currentTarget.value))}
      >
        {RESOLUTIONS.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <button
        type="button"
        class="button icon quiet"
        aria-label={`${CAMERAS[camera.value]}: switch to the other`}
        title={CAMERAS[camera.value]}
        onClick={() => (camera.value = 1 - camera.value)}
      >
        <Icon name="camera" />
      </button>
      <button
        type="button"
        class="button icon quiet"
        aria-label="Save the picture"
        title="Save the picture"
        disabled={picture.value === undefined}
        onClick={savePicture}
      >
        <Icon name="save" />
      </button>
    </>
  );
  return (
    <Plate title="Camera" class="drive-camera" tools={tools}>
      <div class="picture-frame">
        <PictureCanvas picture={picture} label="What the robot’s camera sees" />
        {words !== '' && <p class={`empty ${picture.value === undefined ? '' : 'over-picture'}`}>{words}</p>}
        {picture.value !== undefined && (
          <p class="picture-rate figures">
            {picture.value.width} × {picture.value.height}
            {perSecond.value > 0 && age < OLD_MS && `, ${perSecond.value} per second`}
            {age >= OLD_MS && `, ${durationText(age)} old`}
          </p>
        )}
      </div>
    </Plate>
  );
}

function savePicture(): void {
  const canvas = document.querySelector<HTMLCanvasElement>('canvas.picture');
  canvas?.toBlob((blob) => {
    if (blob === null) return;
    const anchor = document.createElement('a');
    anchor.href = URL.createObjectURL(blob);
    anchor.download = 'robot-picture.png';
    anchor.click();
    URL.revokeObjectURL(anchor.href);
  });
}

// ALVideoDevice: pictures of the robot's cameras as raw buffers, in NAOqi's image layout.
import { createObject, type HostedObject, method } from '@qiway/protocol/objects/hosted-object';
import { CAMERAS, Cameras, type Format } from '../camera/cameras.ts';
import { COLOR_SPACES, RESOLUTIONS } from '../camera/color-spaces.ts';
import { FIELD_OF_VIEW } from '../camera/raycaster.ts';
import { refuse, within } from './checks.ts';
import type { Surroundings } from './surroundings.ts';

const HANDLE = { name: 'handle', description: 'What subscribeCamera() returned' } as const;
const FORMAT = [
  { name: 'resolution', description: numbered(RESOLUTIONS) },
  { name: 'colorSpace', description: numbered(COLOR_SPACES) },
  { name: 'fps', description: 'Pictures per second, 1 to 30' },
] as const;
const CAMERA = { name: 'cameraIndex', description: numbered(CAMERAS) } as const;
/** Of a picture four wide and three high. */
const VERTICAL_FIELD_OF_VIEW = 2 * Math.atan(Math.tan(FIELD_OF_VIEW / 2) * 0.75);

export function createVideoDevice({ robot, look, clock, wallMs }: Surroundings): HostedObject {
  const cameras = new Cameras(robot, { look, clock, wallMs });
  let active = 0;
  const subscribe = (name: string, format: Format): string => {
    if (name === '' || name.length > 100) throw refuse('A subscriber needs a name of 1 to 100 characters.');
    return cameras.subscribe(name, checked(format));
  };
  const change = (handle: string, part: Partial<Format>): boolean => {
    const format = cameras.format(handle);
    Object.assign(format, checked({ ...format, ...part }));
    return true;
  };
  return createObject(
    {
      subscribeCamera: method(
        '(siiii)',
        's',
        (name: string, camera: number, resolution: number, colorSpace: number, fps: number) =>
          subscribe(name, { camera, resolution, colorSpace, fps }),
        {
          description: 'Subscribes to a camera.',
          parameters: [{ name: 'name', description: 'Name of the subscriber' }, CAMERA, ...FORMAT],
          returnDescription: 'The handle for the other methods',
        },
      ),
      subscribe: method(
        '(siii)',
        's',
        (name: string, resolution: number, colorSpace: number, fps: number) =>
          subscribe(name, { camera: active, resolution, colorSpace, fps }),
        {
          description: 'Subscribes to the active camera.',
          parameters: [{ name: 'name', description: 'Name of the subscriber' }, ...FORMAT],
          returnDescription: 'The handle for the other methods',
        },
      ),
      unsubscribe: method('(s)', 'b', (handle: string) => cameras.unsubscribe(handle), {
        description: 'Ends a subscription.',
        parameters: [HANDLE],
        returnDescription: 'Whether there was one',
      }),
      unsubscribeAllInstances: method('(s)', 'b', (name: string) => unsubscribeAll(cameras, name), {
        description: 'Ends all subscriptions of a name.',
        parameters: [{ name: 'name', description: 'Name given to subscribeCamera()' }],
      }),
      getSubscribers: method('()', '[s]', () => cameras.handles(), { description: 'The handles in use.' }),
      getImageRemote: method('(s)', 'm', (handle: string) => layout(cameras, handle), {
        description: 'The newest picture.',
        parameters: [HANDLE],
        returnDescription:
          '[width, height, layers, colorSpace, seconds, microseconds, raw pixels, camera, left, top, right, bottom angle]',
      }),
      releaseImage: method('(s)', 'b', (handle: string) => cameras.format(handle).fps > 0, {
        description: 'Gives a picture back; nothing to do here.',
        parameters: [HANDLE],
      }),
      getResolution: method('(s)', 'i', (handle: string) => cameras.format(handle).resolution, {
        description: 'The resolution of a subscription.',
        parameters: [HANDLE],
      }),
      setResolution: method('(si)', 'b', (handle: string, resolution: number) => change(handle, { resolution }), {
        description: 'Changes the resolution.',
        parameters: [HANDLE, FORMAT[0]],
      }),
      getColorSpace: method('(s)', 'i', (handle: string) => cameras.format(handle).colorSpace, {
        description: 'The colour space of a subscription.',
        parameters: [HANDLE],
      }),
      setColorSpace: method('(si)', 'b', (handle: string, colorSpace: number) => change(handle, { colorSpace }), {
        description: 'Changes the colour space.',
        parameters: [HANDLE, FORMAT[1]],
      }),
      getFrameRate: method('(s)', 'i', (handle: string) => cameras.format(handle).fps, {
        description: 'Pictures per second of a subscription.',
        parameters: [HANDLE],
      }),
      setFrameRate: method('(si)', 'b', (handle: string, fps: number) => change(handle, { fps }), {
        description: 'Changes the pictures per second.',
        parameters: [HANDLE, FORMAT[2]],
      }),
      getCameraIndexes: method('()', '[i]', () => [...CAMERAS.keys()], { description: 'The cameras there are.' }),
      getActiveCamera: method('()', 'i', () => active, { description: 'The camera that subscribe() takes.' }),
      setActiveCamera: method(
        '(i)',
        'b',
        (camera: number) => {
          active = knownCamera(camera);
          return true;
        },
        { description: 'Chooses the camera that subscribe() takes.', parameters: [CAMERA] },
      ),
      getHorizontalFOV: method('(i)', 'f', (camera: number) => angleOf(camera, FIELD_OF_VIEW), {
        description: 'Horizontal field of view in radians.',
        parameters: [CAMERA],
      }),
      getVerticalFOV: method('(i)', 'f', (camera: number) => angleOf(camera, VERTICAL_FIELD_OF_VIEW), {
        description: 'Vertical field of view in radians.',
        parameters: [CAMERA],
      }),
    },
    { description: 'The cameras in the head: what the robot sees of its room.' },
  );
}

function layout(cameras: Cameras, handle: string): unknown[] {
  const { width, height, layers, colorSpace, takenMs, bytes, camera, angles } = cameras.image(handle);
  const seconds = Math.floor(takenMs / 1000);
  return [
    width,
    height,
    layers,
    colorSpace,
    seconds,
    Math.floor((takenMs - seconds * 1000) * 1000),
    bytes,
    camera,
    ...angles,
  ];
}

function unsubscribeAll(cameras: Cameras, name: string): boolean {
  const own = cameras
    .handles()
    .filter(
      (handle) => handle === name || (handle.startsWith(`${name}_`) && /^\d$/.test(handle.slice(name.length + 1))),
    );
  for (const handle of own) cameras.unsubscribe(handle);
  return own.length > 0;
}

function checked(format: Format): Format {
  knownCamera(format.camera);
  if (!RESOLUTIONS.has(format.resolution))
    throw refuse(`There is no resolution ${format.resolution}; there is ${numbered(RESOLUTIONS)}.`);
  if (!COLOR_SPACES.has(format.colorSpace))
    throw refuse(`There is no colour space ${format.colorSpace}; there is ${numbered(COLOR_SPACES)}.`);
  within('fps', format.fps, { min: 1, max: 30 });
  return format;
}

function knownCamera(camera: number): number {
  if (!CAMERAS.has(camera)) throw refuse(`There is no camera ${camera}; there is ${numbered(CAMERAS)}.`);
  return camera;
}

/** Both cameras are of one kind. */
function angleOf(camera: number, angle: number): number {
  knownCamera(camera);
  return angle;
}

function numbered(names: ReadonlyMap<number, { readonly name: string }>): string {
  return [...names].map(([number, { name }]) => `${number} ${name}`).join(', ');
}

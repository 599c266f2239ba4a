// The camera: NAOqi's video device as a stream of pictures ready to be drawn. Layer: robot.
// One request is under way at a time; the next is asked when the last was drawn, so a slow link lowers the rate only.

import { isQiwayError } from '@qiway/sdk';

/** What is needed of ALVideoDevice. */
export interface VideoDevice {
  subscribeCamera(
    name: string,
    camera: number,
    resolution: number,
    colorSpace: number,
    framesPerSecond: number,
  ): Promise<string>;
  getImageRemote(handle: string): Promise<unknown>;
  unsubscribe(handle: string): Promise<unknown>;
  /** Frees the places of pages that went without a word: a camera has few for one name. */
  unsubscribeAllInstances?(name: string): Promise<unknown>;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Four bytes a pixel, as canvas takes them. */
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
}

/** Colour spaces by NAOqi's numbers. */
const GREY = 0;
export const RGB = 11;
const BGR = 13;

/** NAOqi's numbers for 160x120, 320x240 and 640x480. */
export const RESOLUTIONS: readonly { readonly id: number; readonly name: string }[] = [
  { id: 0, name: '160 × 120' },
  { id: 1, name: '320 × 240' },
  { id: 2, name: '640 × 480' },
];

/**
 * A picture from NAOqi's image list `[width, height, layers, colour space, seconds, microseconds, pixels, …]`;
 * undefined when the camera had none.
 * @throws Error when the list is something else
 */
export function readPicture(image: unknown): Picture | undefined {
  if (image === null || image === undefined) return undefined;
  if (!Array.isArray(image)) throw new Error('The camera sent something that is no picture');
  const [width, height, , colorSpace, , , pixels] = image as unknown[];
  if (typeof width !== 'number' || typeof height !== 'number' || !(pixels instanceof Uint8Array))
    throw new Error('The camera sent something that is no picture');
  const count = width * height;
  const rgba = new Uint8ClampedArray(count * 4);
  if (colorSpace === GREY && pixels.length >= count) fill(rgba, pixels, { stride: 1, red: 0, green: 0, blue: 0 });
  else if (colorSpace === RGB && pixels.length >= count * 3)
    fill(rgba, pixels, { stride: 3, red: 0, green: 1, blue: 2 });
  else if (colorSpace === BGR && pixels.length >= count * 3)
    fill(rgba, pixels, { stride: 3, red: 2, green: 1, blue: 0 });
  else throw new Error(`The camera sent a picture in colour space ${String(colorSpace)}, which this page cannot show`);
  return { width, height, rgba };
}

interface Layout {
  readonly stride: number;
  readonly red: number;
  readonly green: number;
  readonly blue: number;
}

function fill(rgba: Uint8ClampedArray, pixels: Uint8Array, { stride, red, green, blue }: Layout): void {
  for (let from = 0, to = 0; to < rgba.length; from += stride, to += 4) {
    rgba[to] = pixels[from + red] ?? 0;
    rgba[to + 1] = pixels[from + green] ?? 0;
    rgba[to + 2] = pixels[from + blue] ?? 0;
    rgba[to + 3] = 255;
  }
}

export interface CameraOptions {
  readonly camera: number;
  readonly resolution: number;
  readonly framesPerSecond: number;
  readonly onPicture: (picture: Picture) => void;
  readonly onProblem: (error: unknown) => void;
  /** Calls back after a while; returns how to prevent it. */
  readonly after: (delayMs: number, run: () => void) => () => void;
}

const NAME = 'QiwayConsole';
/** How long to wait after a camera failed. */
const RETRY_MS = 2000;
const OFFLINE_MS = 250;

/** Asks for pictures until the returned function is called. */
export function watchCamera(
  device: VideoDevice,
  { camera, resolution, framesPerSecond, onPicture, onProblem, after }: CameraOptions,
): () => void {
  let isWatching = true;
  let handle: string | undefined;
  let cancelWait = (): void => undefined;
  const pause = (delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      cancelWait = after(delayMs, resolve);
    });
  const leave = (): void => {
    if (handle !== undefined) device.unsubscribe(handle).catch(() => undefined);
    handle = undefined;
  };
  const subscribe = async (): Promise<string> => {
    const ask = (): Promise<string> => device.subscribeCamera(NAME, camera, resolution, RGB, framesPerSecond);
    try {
      return await ask();
    } catch (error) {
      if (!('unsubscribeAllInstances' in device)) throw error;
      await device.unsubscribeAllInstances?.(NAME);
      return ask();
    }
  };
  const run = async (): Promise<void> => {
    while (isWatching) {
      try {
        handle ??= await subscribe();
        if (!isWatching) break;
        const picture = readPicture(await device.getImageRemote(handle));
        if (isWatching && picture !== undefined) onPicture(picture);
        if (isWatching) await pause(1000 / framesPerSecond);
      } catch (error) {
        if (!isWatching) break;
        // The link will be back, and the camera then still knows this page.
        if (isQiwayError(error) && error.code === 'offline') {
          await pause(OFFLINE_MS);
          continue;
        }
        onProblem(error);
        leave();
        await pause(RETRY_MS);
      }
    }
    leave();
  };
  void run();
  return () => {
    isWatching = false;
    cancelWait();
    leave();
  };
}

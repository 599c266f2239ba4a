// The robot's two cameras and who subscribed to them: renders when asked, not more often than the subscriber wants.
import type { Clock } from '@qiway/protocol/clock';
import type { Robot } from '../body/robot.ts';
import { COLOR_SPACES, RESOLUTIONS } from './color-spaces.ts';
import { FIELD_OF_VIEW, type Picture, type Raycaster } from './raycaster.ts';

/** The top camera looks ahead; the bottom one is lower and looks down. */
export const CAMERAS: ReadonlyMap<number, { readonly name: string; readonly lower: number; readonly pitch: number }> =
  new Map([
    [0, { name: 'kTopCamera', lower: 0, pitch: 0.06 }],
    [1, { name: 'kBottomCamera', lower: 0.12, pitch: 0.62 }],
  ]);

export interface Format {
  camera: number;
  resolution: number;
  colorSpace: number;
  /** Pictures per second. */
  fps: number;
}

/** A picture as NAOqi hands it out. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly layers: number;
  readonly colorSpace: number;
  /** Milliseconds since 1970 when it was taken. */
  readonly takenMs: number;
  readonly bytes: Uint8Array;
  readonly camera: number;
  /** Angles to the picture's edges in radians: left, top, right, bottom. */
  readonly angles: readonly [number, number, number, number];
}

interface Subscriber {
  readonly format: Format;
  usedAt: number;
}

/** NAOqi's bound for one name. */
const MAX_PER_NAME = 6;
/** Bound for all; the one that asked least recently gives way if it did not ask for a minute. */
const MAX_SUBSCRIBERS = 48;
const STALE_MS = 60_000;

export class Cameras {
  readonly #robot: Robot;
  readonly #look: Raycaster;
  readonly #clock: Clock;
  readonly #wallMs: () => number;
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #shots = new Map<string, { readonly picture: Picture; at: number; takenMs: number }>();

  constructor(robot: Robot, means: { readonly look: Raycaster; readonly clock: Clock; readonly wallMs: () => number }) {
    this.#robot = robot;
    this.#look = means.look;
    this.#clock = means.clock;
    this.#wallMs = means.wallMs;
  }

  /** Returns the handle. @throws when there are too many */
  subscribe(name: string, format: Format): string {
    this.#makePlace();
    for (let number = 0; number < MAX_PER_NAME; number++) {
      const handle = number === 0 ? name : `${name}_${number}`;
      if (this.#subscribers.has(handle)) continue;
      this.#subscribers.set(handle, { format: { ...format }, usedAt: this.#clock.now() });
      return handle;
    }
    throw new Error(`"${name}" has subscribed ${MAX_PER_NAME} times already; unsubscribe some, or take another name.`);
  }

  unsubscribe(handle: string): boolean {
    return this.#subscribers.delete(handle);
  }

  handles(): string[] {
    return [...this.#subscribers.keys()];
  }

  /** The format of a subscriber, to read and to change. @throws when there is none of that handle */
  format(handle: string): Format {
    const subscriber = this.#subscribers.get(handle);
    if (subscriber === undefined)
      throw new Error(`"${handle}" has not subscribed; call subscribeCamera() and use the handle it returns.`);
    subscriber.usedAt = this.#clock.now();
    return subscriber.format;
  }

  /** The picture of a subscriber: a new one, or the last if it asks faster than it wanted. @throws as {@link format} */
  image(handle: string): Image {
    const { camera, resolution, colorSpace, fps } = this.format(handle);
    const space = COLOR_SPACES.get(colorSpace);
    if (space === undefined) throw new Error(`There is no colour space ${colorSpace}.`);
    const { picture, takenMs } = this.#shot({ camera, resolution, maxAgeMs: 1000 / fps });
    const half = FIELD_OF_VIEW / 2;
    const upright = Math.atan((Math.tan(half) * picture.height) / picture.width);
    const { width, height } = picture;
    return {
      width,
      height,
      layers: space.layers,
      colorSpace,
      takenMs,
      bytes: space.convert(picture),
      camera,
      angles: [half, upright, -half, -upright],
    };
  }

  #shot(wanted: { readonly camera: number; readonly resolution: number; readonly maxAgeMs: number }): {
    readonly picture: Picture;
    readonly takenMs: number;
  } {
    const { camera, resolution, maxAgeMs } = wanted;
    const key = `${camera} ${resolution}`;
    const { width, height } = RESOLUTIONS.get(resolution) ?? { width: 0, height: 0 };
    const now = this.#clock.now();
    const known = this.#shots.get(key);
    // Half a millisecond: who asks exactly at its rate gets a new one each time.
    if (known !== undefined && now - known.at < maxAgeMs - 0.5) return known;
    const shot = known ?? { picture: { width, height, pixels: new Uint32Array(width * height) }, at: now, takenMs: 0 };
    this.#shots.set(key, shot);
    shot.at = now;
    shot.takenMs = this.#wallMs();
    const mount = CAMERAS.get(camera) ?? { lower: 0, pitch: 0 };
    const { eye } = this.#robot;
    this.#look({ ...eye, z: eye.z - mount.lower, pitch: eye.pitch + mount.pitch }, shot.picture);
    return shot;
  }

  #makePlace(): void {
    if (this.#subscribers.size < MAX_SUBSCRIBERS) return;
    const [oldest] = [...this.#subscribers].sort(([, a], [, b]) => a.usedAt - b.usedAt);
    if (oldest === undefined || this.#clock.now() - oldest[1].usedAt < STALE_MS) {
      throw new Error(`${MAX_SUBSCRIBERS} programs have subscribed to the cameras; unsubscribe some.`);
    }
    this.#subscribers.delete(oldest[0]);
  }
}

// The LEDs: groups by name, each with a colour that may fade to another in time. Time comes in by step().
import { createNotices, type Notices, type Task } from './notices.ts';

/** Colour as 0xRRGGBB. */
export type Rgb = number;

/** The simple groups; each group of groups lists them. */
const SINGLE = ['LeftFaceLeds', 'RightFaceLeds', 'ChestLeds', 'LeftEarLeds', 'RightEarLeds'] as const;

export const LED_GROUPS: ReadonlyMap<string, readonly string[]> = new Map([
  ...SINGLE.map((name): [string, readonly string[]] => [name, [name]]),
  ['FaceLeds', ['LeftFaceLeds', 'RightFaceLeds']],
  ['EarLeds', ['LeftEarLeds', 'RightEarLeds']],
  ['AllLeds', [...SINGLE]],
]);

/** Colours that NAOqi knows by name. */
export const COLOR_NAMES: ReadonlyMap<string, Rgb> = new Map([
  ['white', 0xffffff],
  ['red', 0xff0000],
  ['green', 0x00ff00],
  ['blue', 0x0000ff],
  ['yellow', 0xffff00],
  ['magenta', 0xff00ff],
  ['cyan', 0x00ffff],
]);

interface Fade {
  readonly from: Rgb;
  readonly to: Rgb;
  readonly seconds: number;
  elapsed: number;
  readonly end: () => void;
}

interface Light {
  color: Rgb;
  fade: Fade | undefined;
}

export class Lights {
  /** The groups of LEDs by their single names, once a colour was reached. */
  readonly changed: Notices<{ readonly group: string; readonly color: Rgb }> = createNotices();
  readonly #lights = new Map<string, Light>(SINGLE.map((name) => [name, { color: 0xffffff, fade: undefined }]));

  /** The colour of a group, that of its first part if it has several. */
  color(group: string): Rgb {
    return this.#light(partsOf(group)[0] ?? group).color;
  }

  /** Changes a group; ends when all its parts have the colour, or another command took over. */
  fade(group: string, to: { readonly color: Rgb; readonly seconds: number }): Task<void> {
    const fades = partsOf(group).map((name) => {
      const light = this.#light(name);
      const { promise, resolve } = Promise.withResolvers<void>();
      light.fade?.end();
      const fade: Fade = { from: light.color, to: to.color, seconds: to.seconds, elapsed: 0, end: resolve };
      light.fade = fade;
      if (to.seconds === 0) this.#finish(name, light, fade);
      return { promise, light, fade };
    });
    const cancel = (): void => {
      for (const { light, fade } of fades) {
        if (light.fade === fade) light.fade = undefined;
        fade.end();
      }
    };
    return { done: Promise.all(fades.map(({ promise }) => promise)).then(() => undefined), cancel };
  }

  step(seconds: number): void {
    for (const [name, light] of this.#lights) {
      const { fade } = light;
      if (fade === undefined) continue;
      fade.elapsed += seconds;
      if (fade.elapsed >= fade.seconds) this.#finish(name, light, fade);
      else light.color = mix(fade.from, fade.to, fade.elapsed / fade.seconds);
    }
  }

  #finish(group: string, light: Light, fade: Fade): void {
    light.color = fade.to;
    light.fade = undefined;
    fade.end();
    this.changed.tell({ group, color: fade.to });
  }

  #light(name: string): Light {
    const light = this.#lights.get(name);
    if (light === undefined) throw new Error(`There is no LED "${name}".`);
    return light;
  }
}

/** @throws naming the groups there are */
export function partsOf(group: string): readonly string[] {
  const parts = LED_GROUPS.get(group);
  if (parts === undefined)
    throw new Error(`There is no group of LEDs "${group}"; the robot has ${[...LED_GROUPS.keys()].join(', ')}.`);
  return parts;
}

/** `part` of the way from one colour to another. */
export function mix(from: Rgb, to: Rgb, part: number): Rgb {
  const one = (shift: number): number => {
    const a = (from >> shift) & 255;
    return Math.round(a + (((to >> shift) & 255) - a) * part) << shift;
  };
  return one(16) | one(8) | one(0);
}

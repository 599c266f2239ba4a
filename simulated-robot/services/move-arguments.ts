// The optional configuration of a move: a list of pairs such as [["MaxVelXY", 0.2]].
import { DEFAULT_LIMITS, type MoveLimits } from '../body/base.ts';
import { oneOf, refuse, within } from './checks.ts';

interface Setting {
  readonly field: keyof MoveLimits;
  readonly min: number;
  readonly max: number;
}

const SETTINGS: ReadonlyMap<string, Setting> = new Map([
  ['MaxVelXY', { field: 'maxVelXy', min: 0.05, max: 0.55 }],
  ['MaxVelTheta', { field: 'maxVelTheta', min: 0.2, max: 2 }],
  ['MaxAccXY', { field: 'maxAccXy', min: 0.1, max: 1 }],
  ['MaxAccTheta', { field: 'maxAccTheta', min: 0.1, max: 4 }],
]);

/** @throws `call-failed` naming what is wrong */
export function moveLimits(config: unknown): MoveLimits {
  if (!Array.isArray(config))
    throw refuse('The move configuration must be a list of pairs such as [["MaxVelXY", 0.2]].');
  const limits: { -readonly [K in keyof MoveLimits]: number } = { ...DEFAULT_LIMITS };
  for (const pair of config as readonly unknown[]) {
    const [name, value]: readonly unknown[] = Array.isArray(pair) ? pair : [];
    const setting = SETTINGS.get(oneOf('move setting', String(name), SETTINGS.keys()));
    if (setting !== undefined) limits[setting.field] = within(String(name), value, setting);
  }
  return limits;
}

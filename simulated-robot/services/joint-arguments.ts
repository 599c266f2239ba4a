// The forms in which NAOqi takes joints and angles: a name, a chain, lists of them, one angle for all or one for each.
import { CHAINS, JOINTS } from '../body/joints.ts';
import { numbers, oneOf, refuse, strings } from './checks.ts';

/** The joints meant by a name, a chain or a list of both, in order. @throws `call-failed` */
export function jointNames(value: unknown): string[] {
  return strings('names', value).flatMap(
    (name) => CHAINS.get(name) ?? [oneOf('joint or chain', name, [...JOINTS.keys(), ...CHAINS.keys()])],
  );
}

/** An angle for each joint; a single one holds for all. @throws `call-failed` */
export function anglePerJoint(joints: readonly string[], value: unknown): Map<string, number> {
  const angles = numbers('angles', value);
  if (angles.length !== joints.length && !(angles.length === 1 && !Array.isArray(value))) {
    throw refuse(`There are ${joints.length} joints and ${angles.length} angles; give one angle for each joint.`);
  }
  return new Map(joints.map((joint, index) => [joint, angles[index] ?? angles[0] ?? 0]));
}

/** A list of numbers for each joint: from a number, a list (of one joint, or one number for each), or a list of lists. */
function listPerJoint(what: string, joints: readonly string[], value: unknown): (readonly number[])[] {
  if (Array.isArray(value) && value.some(Array.isArray)) {
    if (value.length !== joints.length)
      throw refuse(
        `There are ${joints.length} joints and ${value.length} lists of ${what}; give one list for each joint.`,
      );
    return value.map((one) => numbers(what, one));
  }
  const flat = numbers(what, value);
  if (joints.length === 1) return [flat];
  if (flat.length !== joints.length && flat.length !== 1)
    throw refuse(`There are ${joints.length} joints and ${flat.length} ${what}; give one for each joint.`);
  return joints.map((_, index) => [flat[index] ?? flat[0] ?? 0]);
}

/** Points in time for each joint. @throws `call-failed` when angles and times do not match or times do not rise */
export function paths(
  joints: readonly string[],
  value: { readonly angles: unknown; readonly times: unknown },
): Map<string, { angle: number; at: number }[]> {
  const angles = listPerJoint('angles', joints, value.angles);
  const times = listPerJoint('times', joints, value.times);
  return new Map(
    joints.map((joint, index) => {
      const own = angles[index] ?? [];
      const at = times[index] ?? [];
      if (own.length !== at.length || own.length === 0)
        throw refuse(`${joint} has ${own.length} angles and ${at.length} times; give one time for each angle.`);
      if (at.some((time, place) => time <= (at[place - 1] ?? 0) || time > 600))
        throw refuse(`The times of ${joint} must rise, from above 0 to 600 seconds.`);
      return [joint, own.map((angle, place) => ({ angle, at: at[place] ?? 0 }))];
    }),
  );
}

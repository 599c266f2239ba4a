// The error for a member that an object has not. Layer 3; pure.
import { QiwayError } from '../errors.ts';
import { nearestNames, suggestion } from '../nearest-names.ts';

/** @param names the members there are */
export function memberNotFound(member: string, names: Iterable<string>): QiwayError<'member-not-found'> {
  const nearest = nearestNames(member, names);
  return new QiwayError('member-not-found', `The object has no member "${member}".${suggestion(nearest)}`, {
    data: { member, nearest },
  });
}

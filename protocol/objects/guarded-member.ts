// What a guarded message asks for, by name: a method, a signal, or the property that it sets. Layer 3.
import { StandardAction } from '../bus/metaobject.ts';
import type { GuardedMessage } from '../bus/serving-side.ts';
import { readPropertyKey } from './arguments.ts';

/** A property that is set under a name nobody can read: as strict as the service's rules are for what they do not name. */
const UNKNOWN_MEMBER = '?';

export function guardedMember({
  object: { metaObject },
  action,
  payload,
}: Pick<GuardedMessage, 'object' | 'action' | 'payload'>): string {
  if (action !== StandardAction.setProperty)
    return metaObject.methods.get(action)?.name ?? metaObject.signals.get(action)?.name ?? UNKNOWN_MEMBER;
  try {
    const { id } = readPropertyKey(payload, 'setProperty', metaObject);
    return metaObject.properties.get(id)?.name ?? UNKNOWN_MEMBER;
  } catch {
    return UNKNOWN_MEMBER;
  }
}

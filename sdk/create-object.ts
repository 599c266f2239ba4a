// Objects that a page serves: made at once, what answers for them is loaded with the first call.
import { type HostedObject, type HostedOptions, hostMembers } from '@qiway/protocol/objects/hosted';
import { lazyAnswers } from '@qiway/protocol/objects/lazy-answers';
import type { Members } from '@qiway/protocol/objects/members';
import { onDemand } from './on-demand.ts';

/**
 * An object that others can call, from its members.
 * @throws `invalid-argument` for a signature that is none
 * @example
 * const lamp = createObject({
 *   blink: method('(i)', 'v', (times: number) => lamp.emit('blinked', times), { parameters: ['times'] }),
 *   blinked: signal('(i)'),
 *   brightness: property('f', 0.5, { set: (value: number) => Math.min(value, 1) }),
 * });
 */
export function createObject(members: Members, options: HostedOptions = {}): HostedObject {
  return hostMembers(members, options, lazyAnswers(onDemand));
}

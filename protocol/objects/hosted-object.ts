// Objects implemented in JavaScript, all of it linked in: for programs that serve. A page's come from the SDK. Layer 3.
import { answers } from './answers.ts';
import { type HostedObject, type HostedOptions, hostMembers } from './hosted.ts';
import type { Members } from './members.ts';

export type { HostedObject, HostedOptions } from './hosted.ts';
export {
  type CallContext,
  type Members,
  type MethodMember,
  method,
  type PropertyMember,
  property,
  type SignalMember,
  signal,
} from './members.ts';

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
  return hostMembers(members, options, answers);
}

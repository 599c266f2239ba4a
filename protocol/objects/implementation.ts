// Implementations as they are written, functions and objects with methods, made into hosted objects. Layer 3.
import type { HostedObject } from './hosted.ts';
import { createObject } from './hosted-object.ts';
import { isMember, type Members, method } from './members.ts';
import type { ObjectMapper } from './values.ts';

/** @throws `invalid-argument` for members that are none */
export function hostImplementation(implementation: object, mapper: ObjectMapper): HostedObject {
  return createObject(membersOf(implementation), { mapper });
}

/**
 * The members of an implementation: its own, and the methods of its classes. A function alone becomes an object with one
 * method `call` that takes any arguments.
 */
function membersOf(implementation: object): Members {
  if (typeof implementation === 'function')
    return { call: method('m', 'm', withoutContext(implementation as (...args: unknown[]) => unknown)) };
  const members: Record<string, Members[string]> = {};
  for (
    let level: object | null = implementation;
    level !== null && level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (name === 'constructor' || name in members || !isMember(value)) continue;
      members[name] = typeof value === 'function' ? (value.bind(implementation) as Members[string]) : value;
    }
  }
  return members;
}

function withoutContext(run: (...args: unknown[]) => unknown): (...args: unknown[]) => unknown {
  return (...args) => run(...args.slice(0, -1));
}

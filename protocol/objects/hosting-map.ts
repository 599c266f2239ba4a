// Own functions and objects as hosted objects for the robot, and back again when the robot gives them back. Layer 3.
// One per connected robot; made when the page first hosts something.
import type { BusObject } from '../bus/bus.ts';
import { QiwayError } from '../errors.ts';
import type { HostedObject } from './hosted.ts';
import { createObject } from './hosted-object.ts';
import { isMember, type Members, method } from './members.ts';
import { busObjectOf, isHostable, type ObjectMapper } from './values.ts';

export interface HostingMap {
  /** What the page gave, for an object of its own that comes back; takes over the reference then. */
  ownValue(object: BusObject): unknown;
  /** The object that `value` is or stands for, lent. */
  toObject(value: unknown): BusObject | undefined;
  /** The object for a function, a plain object or an instance of a class, with one reference for the caller. */
  make(implementation: object): HostedObject;
  /**
   * The object to host for an implementation: a HostedObject as it is (retained), members or methods of a class made one.
   * @throws `invalid-argument` for what has no members, and for an object of the robot
   */
  host(implementation: object): HostedObject;
}

/** @param mapper how objects look to the implementations */
export function hostingMap(mapper: ObjectMapper): HostingMap {
  const hostedFor = new WeakMap<object, HostedObject>();
  const implementationOf = new WeakMap<BusObject, object>();
  const ours = new Map<string, WeakRef<HostedObject>>();
  const forget = new FinalizationRegistry<string>((key) => ours.delete(key));

  const remember = (object: HostedObject): void => {
    const key = keyOf(object);
    if (ours.has(key)) return;
    object.adopt(mapper);
    ours.set(key, new WeakRef(object));
    forget.register(object, key);
  };
  const toObject = (value: unknown): BusObject | undefined => {
    const object = busObjectOf(value) ?? (isObjectLike(value) ? hostedFor.get(value) : undefined);
    if (object !== undefined && isHosted(object)) remember(object);
    return object;
  };
  const make = (implementation: object): HostedObject => {
    const object = createObject(membersOf(implementation), { mapper });
    hostedFor.set(implementation, object);
    implementationOf.set(object, implementation);
    object.onGone(() => hostedFor.delete(implementation));
    remember(object);
    return object;
  };
  return {
    ownValue: (object) => {
      const own = ours.get(keyOf(object))?.deref();
      if (own === undefined) return undefined;
      object.release();
      return implementationOf.get(own) ?? own;
    },
    toObject,
    make,
    host: (implementation) => {
      const known = toObject(implementation);
      if (known === undefined) {
        if (isHostable(implementation)) return make(implementation);
        throw new QiwayError(
          'invalid-argument',
          'Only an object with methods, or what createObject made, can be hosted.',
          { data: { expected: 'an object' } },
        );
      }
      if (!isHosted(known))
        throw new QiwayError(
          'invalid-argument',
          'An object of the robot cannot be hosted; give an object of your own.',
        );
      known.retain();
      return known;
    },
  };
}

/** One character per byte. */
function keyOf({ uid }: BusObject): string {
  return String.fromCharCode(...uid);
}

function isHosted(object: BusObject): object is HostedObject {
  return 'emit' in object;
}

function isObjectLike(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
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

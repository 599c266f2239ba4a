// The objects of one program towards one robot: robot objects as JavaScript objects, its own functions and objects hosted
// for the robot. Layer 3; one per connected robot, knows no session.
import type { BusObject } from '../bus/bus.ts';
import type { Clock } from '../clock.ts';
import { QiwayError } from '../errors.ts';
import { needed, type Part } from '../part.ts';
import { Deadlines } from './deadlines.ts';
import type { HostedObject } from './hosted.ts';
import type { RemotePart } from './remote.ts';
import { remoteObject } from './remote-object.ts';
import type { RemoteObject } from './remote-types.ts';
import { busObjectOf, type ObjectMapper } from './values.ts';

/** How long a call waits for its answer unless told otherwise, ms: longer than what robots do within one call, but saying a long text. */
const DEFAULT_TIMEOUT_MS = 30_000;

export interface ObjectMapOptions {
  readonly clock: Clock;
  /** Milliseconds a call waits; 0: for ever. Default 30 s. */
  readonly timeoutMs?: number;
  /** Takes what callbacks throw. */
  readonly report: (error: unknown) => void;
  /** What hosts, and what few calls and events need; those on one object that come while it is loaded wait, in order. */
  readonly part: Part<RemotePart>;
}

/** Maps objects both ways. What it hosted comes back as what it was. */
export interface RemoteObjects extends ObjectMapper {
  /** Takes over one reference of `object`. */
  wrap<T>(object: BusObject): RemoteObject<T>;
  /**
   * The object to host for an implementation: a HostedObject as it is (retained), members or methods of a class made one.
   * @throws `invalid-argument` for what has no members, and for an object of the robot; `unsupported` without the part
   */
  host(implementation: object): HostedObject;
  /** Stops its timers. */
  close(): void;
}

export function createObjectMap(options: ObjectMapOptions): RemoteObjects {
  const { clock, report, part, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const deadlines = timeoutMs > 0 ? new Deadlines(clock, timeoutMs) : undefined;
  const registry = new FinalizationRegistry<BusObject>((object) => object.release());
  const hostedFor = new WeakMap<object, HostedObject>();
  const implementationOf = new WeakMap<BusObject, object>();
  const ours = new Map<string, WeakRef<HostedObject>>();
  const forget = new FinalizationRegistry<string>((key) => ours.delete(key));

  const remember = (object: HostedObject): void => {
    const key = keyOf(object);
    if (ours.has(key)) return;
    object.adopt(objects);
    ours.set(key, new WeakRef(object));
    forget.register(object, key);
  };
  const make = (implementation: object): HostedObject => {
    const object = needed(part).hostImplementation(implementation, objects);
    hostedFor.set(implementation, object);
    implementationOf.set(object, implementation);
    object.onGone(() => hostedFor.delete(implementation));
    remember(object);
    return object;
  };
  const objects: RemoteObjects = {
    wrap: <T>(object: BusObject) =>
      remoteObject<T>(object, { mapper: objects, times: { clock, deadlines }, report, registry, part }),
    toValue: (object) => {
      const own = ours.get(keyOf(object))?.deref();
      if (own === undefined) return objects.wrap(object);
      object.release();
      return implementationOf.get(own) ?? own;
    },
    toObject: (value) => {
      const object = busObjectOf(value) ?? (isObjectLike(value) ? hostedFor.get(value) : undefined);
      // Without the part it cannot be served yet: the call that names it is made again.
      if (part.here !== undefined && object !== undefined && isHosted(object)) remember(object);
      return object;
    },
    makeObject: (value) => (canHost(value) ? make(value) : undefined),
    host: (implementation) => {
      const known = objects.toObject(implementation);
      if (known === undefined) {
        if (canHost(implementation)) return make(implementation);
        throw new QiwayError(
          'invalid-argument',
          'Only an object with methods, or what createObject made, can be hosted.',
          {
            data: { expected: 'an object' },
          },
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
    close: () => deadlines?.close(),
  };
  return objects;
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

/** Functions, plain objects and instances of classes; no lists, maps, bytes or dates. */
function canHost(value: unknown): value is object {
  return (
    typeof value === 'function' || (isObjectLike(value) && Object.prototype.toString.call(value) === '[object Object]')
  );
}

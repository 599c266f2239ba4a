// The objects of one program towards one robot: robot objects as JavaScript objects, its own functions and objects hosted
// for the robot. Layer 3; one per connected robot, knows no session.
import type { BusObject } from '../bus/bus.ts';
import type { Clock } from '../clock.ts';
import { needed, type Part } from '../part.ts';
import { Deadlines } from './deadlines.ts';
import type { HostedObject } from './hosted.ts';
import type { HostingMap } from './hosting-map.ts';
import type { ClassOf, Enqueue, OnBusUp, QueueingPart, RemotePart } from './remote.ts';
import { remoteObject } from './remote-object.ts';
import type { RemoteObject } from './remote-types.ts';
import { busObjectOf, isHostable, type ObjectMapper } from './values.ts';

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
  /** For calls that wait for the bus; without it they ask again and again. */
  readonly onBusUp?: OnBusUp;
  /** Which calls may wait. Without it nobody says. */
  readonly classOf?: ClassOf;
  /** Takes the calls that may wait offline; without it there are none. */
  readonly enqueue?: Enqueue;
  /** Says which calls `enqueue` gets; to be loaded with what does the work. */
  readonly queueing?: Part<QueueingPart>;
}

/** Maps objects both ways. What it hosted comes back as what it was. */
export interface RemoteObjects extends ObjectMapper {
  /** Takes over one reference of `object`. @param service its name, if it is one */
  wrap<T>(object: BusObject, service?: string): RemoteObject<T>;
  /**
   * The object to host for an implementation: a HostedObject as it is (retained), members or methods of a class made one.
   * @throws `invalid-argument` for what has no members, and for an object of the robot; `unsupported` without the part
   */
  host(implementation: object): HostedObject;
  /** Stops its timers. */
  close(): void;
}

export function createObjectMap(options: ObjectMapOptions): RemoteObjects {
  const { clock, part, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const deadlines = timeoutMs > 0 ? new Deadlines(clock, timeoutMs) : undefined;
  const registry = new FinalizationRegistry<BusObject>((object) => object.release());
  let made: HostingMap | undefined;
  /** Undefined until the part is here: then nothing is hosted either. */
  const hosting = (): HostingMap | undefined => {
    made ??= part.here?.hostingMap(objects);
    return made;
  };
  const objects: RemoteObjects = {
    wrap: <T>(object: BusObject, service?: string) =>
      remoteObject<T>(object, { ...options, mapper: objects, times: { clock, deadlines }, registry, service }),
    toValue: (object) => made?.ownValue(object) ?? objects.wrap(object),
    toObject: (value) => hosting()?.toObject(value) ?? busObjectOf(value),
    makeObject: (value) => (isHostable(value) ? needed(hosting()).make(value) : undefined),
    host: (implementation) => needed(hosting()).host(implementation),
    close: () => deadlines?.close(),
  };
  return objects;
}

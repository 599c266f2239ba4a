// The services of a bus as JavaScript objects, for Node programs. Top of the TCP side; knows a Bus, no sockets.
import type { Bus, BusObject } from '@qiway/protocol/bus/bus';
import type { Clock } from '@qiway/protocol/clock';
import { createRemoteObjects } from '@qiway/protocol/objects/remote-objects';
import type { LooseMembers, RemoteObject } from '@qiway/protocol/objects/remote-types';
import type { ObjectMapper } from '@qiway/protocol/objects/values';
import { systemClock } from '@qiway/protocol/transport/system-clock';

/** Services that nobody described. */
export interface LooseServices {
  readonly [service: string]: LooseMembers;
}

export interface RemoteServicesOptions {
  readonly clock?: Clock;
  /** Milliseconds a call waits for its answer unless told otherwise; 0: for ever. Default 30 s. */
  readonly timeoutMs?: number;
  /** Takes what callbacks of signals throw. Default: the console. */
  readonly onError?: (error: unknown) => void;
}

/** `S` is an interface with a member for each service: itself an interface of methods, signals and properties. */
export interface RemoteServices<S = LooseServices> {
  /**
   * A service as an object. Its members are those of the live service: one that is not there throws when it is used.
   * @throws `service-not-found`, `endpoint-unreachable`, `bus-down`, `closed`, `timeout`
   */
  service<K extends keyof S & string>(name: K): Promise<RemoteObject<S[K]>>;
  /** An object as `createObject` hands it out without a mapper. Takes over one reference. */
  wrap<T = LooseMembers>(object: BusObject): RemoteObject<T>;
  /** For `createObject`: its methods then get objects in this form, and may return functions and plain objects. */
  readonly mapper: ObjectMapper;
}

/**
 * The services of `bus` as objects with methods, signals and properties. Ends with the bus.
 * @example
 * const bus = await joinBus('tcp://127.0.0.1:9559');
 * const robot = remoteServices<{ Greeter: { greet(name: string): string } }>(bus);
 * const greeter = await robot.service('Greeter');
 * await greeter.greet('Ada');
 */
export function remoteServices<S = LooseServices>(bus: Bus, options: RemoteServicesOptions = {}): RemoteServices<S> {
  const { clock = systemClock, onError = console.error, timeoutMs } = options;
  const objects = createRemoteObjects({ clock, report: onError, ...(timeoutMs !== undefined && { timeoutMs }) });
  bus.listen({
    stateChanged: (state) => {
      if (state === 'closed') objects.close();
    },
  });
  return {
    service: async <K extends keyof S & string>(name: K) => objects.wrap<S[K]>(await bus.service(name), name),
    wrap: objects.wrap,
    mapper: objects,
  };
}

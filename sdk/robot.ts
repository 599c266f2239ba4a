// A robot: its services as objects, what happens to the link and to the services, own services for it.
// Knows a session (the Bus behind the link) and nothing of how the link was made.
import type { BusObject, ServiceInfo } from '@qiway/protocol/bus/bus';
import type { Clock } from '@qiway/protocol/clock';
import { QiwayError } from '@qiway/protocol/errors';
import type { HostedObject } from '@qiway/protocol/objects/hosted';
import { createObjectMap, type RemoteObjects } from '@qiway/protocol/objects/object-map';
import type { EventIterator, LooseMembers, RemoteObject } from '@qiway/protocol/objects/remote-types';
import { needed } from '@qiway/protocol/part';
import type { RobotSession } from './dial/dial.ts';
import { Listeners } from './listeners.ts';
import { LazyQueue, queuePart, type RobotQueue } from './offline/robot-queue.ts';
import { sessionPort } from './offline/session-port.ts';
import { onDemand } from './on-demand.ts';
import type { Failsafe, FailsafeOptions } from './safety/failsafe.ts';
import type { Lease, LeaseOptions } from './safety/lease.ts';
import { safetyPart } from './safety/part.ts';
import type { RobotSafety } from './safety/safety.ts';
import type { LeaseInfo } from './safety/session-object.ts';
import { type Status, statusOf } from './status.ts';

/** Services that nobody described. */
export interface LooseServices {
  readonly [service: string]: LooseMembers;
}

/** A service came or went. */
export interface ServiceChange {
  readonly kind: 'added' | 'removed';
  readonly name: string;
  readonly serviceId: number;
}

/** A service that this program serves to the robot. */
export interface Hosted extends AsyncDisposable {
  readonly name: string;
  /** Another one when a new session took the place of the old. */
  readonly serviceId: number;
  /** Emits its signals, reads and sets its properties. */
  readonly object: HostedObject;
  /** Settles when the service is off the bus; with the reason, if it was not `close()`. */
  readonly closed: Promise<QiwayError | undefined>;
  close(): Promise<void>;
}

export interface RobotOptions {
  readonly session: RobotSession;
  readonly clock: Clock;
  readonly timeoutMs?: number;
  readonly onError: (error: unknown) => void;
}

/** A robot over an open session; the robot closes the session. */
export function createRobot<S>(options: RobotOptions): Robot<S> {
  return new Robot<S>(options);
}

export class Robot<S = LooseServices> implements AsyncDisposable {
  readonly #session: RobotSession;
  readonly #objects: RemoteObjects;
  readonly #waiting: LazyQueue;
  readonly #onError: (error: unknown) => void;
  readonly #statusListeners: Listeners<Status>;
  readonly #serviceListeners: Listeners<ServiceChange>;
  #safety: RobotSafety | undefined;
  #state: { readonly kind: 'open' } | { readonly kind: 'closed'; readonly reason: QiwayError | undefined } = {
    kind: 'open',
  };

  constructor({ session, clock, timeoutMs, onError }: RobotOptions) {
    this.#session = session;
    this.#onError = onError;
    this.#statusListeners = new Listeners(onError);
    this.#serviceListeners = new Listeners(onError);
    this.#waiting = new LazyQueue({
      robotId: session.robotId,
      port: sessionPort(session),
      ...(session.openQueue !== undefined && { open: session.openQueue.bind(session) }),
      clock,
      onError,
      onLength: () => this.#tellStatus(),
    });
    this.#objects = createObjectMap({
      clock,
      report: onError,
      part: onDemand,
      classOf: (service, member) => session.classes.classOf(service, member),
      enqueue: (call) => this.#waiting.enqueue(call),
      queueing: queuePart,
      onBusUp: (run) => session.listenSession({ robotBusChanged: (bus) => bus === 'up' && run() }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
    session.listenSession({ rttMeasured: () => this.#tellStatus(), changed: () => this.#tellStatus() });
    session.listen({
      serviceAdded: ({ name, serviceId }) => this.#serviceListeners.tell({ kind: 'added', name, serviceId }),
      serviceRemoved: ({ name, serviceId }) => this.#serviceListeners.tell({ kind: 'removed', name, serviceId }),
    });
    void session.closed.then((reason) => this.#ended(reason));
  }

  /** The agent's program and version. */
  get agent(): { readonly name: string; readonly version: string } {
    return this.#session.agent;
  }

  /** Calls that wait for the robot, made with the option `offline`. */
  get queue(): RobotQueue {
    return this.#waiting;
  }

  get status(): Status {
    return statusOf(this.#session, {
      queued: this.#waiting.length,
      failsafe: this.#safety?.status,
      closed: this.#state.kind === 'closed' ? this.#state : undefined,
    });
  }

  /**
   * A service as an object. Its members are those of the live service: one that is not there throws when it is used.
   * @throws `service-not-found` with the nearest names, `endpoint-unreachable`, `bus-down`, `closed`, `timeout`
   */
  async service<K extends keyof S & string>(name: K): Promise<RemoteObject<S[K]>> {
    const object: BusObject = await this.#open().service(name);
    return this.#objects.wrap<S[K]>(object, name);
  }

  /** What the robot offers. @throws `bus-down`, `closed`, `timeout` */
  async services(): Promise<ServiceInfo[]> {
    return [...(await this.#open().services())];
  }

  /**
   * Serves an implementation to the robot under `name`: an object with methods, or what `createObject` made.
   * @throws `service-name-taken`, `bus-down`, `closed`; `invalid-argument` for an implementation that is none; `unsupported` when the part of the SDK that serves cannot be loaded
   */
  async host<T extends object>(name: string, implementation: T & ThisType<T>): Promise<Hosted> {
    this.#open();
    await onDemand.load();
    const session = this.#open();
    const object = this.#objects.host(implementation);
    const hosted = await session.host(name, object);
    const { close, closed } = hosted;
    return {
      name,
      get serviceId() {
        return hosted.serviceId;
      },
      object,
      closed,
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  /**
   * Calls that the robot's agent makes itself when nothing was heard of this program for `afterMs`, or when its session ends
   * uncleanly: once for each silence. `close()` does not fire it. Goes on after breaks and agent restarts.
   * @throws `invalid-argument`, `service-not-found`, `lease-held`, `limit-exceeded`; `offline`, `bus-down`, `closed`
   * @example
   * const failsafe = await robot.failsafe({ afterMs: 500, calls: ['ALMotion.stopMove'] });
   * await failsafe.clear();
   */
  async failsafe(options: FailsafeOptions): Promise<Failsafe> {
    return (await this.#loadSafety()).failsafe(options);
  }

  /**
   * Exclusive control of services, all or none, as long as this program is heard. Calls of others fail with `lease-held`, but
   * those that only ask or stop.
   * @throws `lease-held`; `forbidden` for a take-over that this client may not make; `service-not-found`; `offline`, `closed`
   */
  async lease(services: readonly (keyof S & string)[], options?: LeaseOptions): Promise<Lease> {
    return (await this.#loadSafety()).lease(services, options);
  }

  /** Calls `listener` with who has exclusive control of what, now and whenever it changes; resolves to how to stop. */
  async watchLeases(listener: (leases: readonly LeaseInfo[]) => void): Promise<() => void> {
    return (await this.#loadSafety()).watchLeases(listener);
  }

  /** Looks now whether the link is alive; without one it is tried at once, and not only after the next pause. */
  probe(): void {
    this.#open().probe();
  }

  /** Calls `listener` with every change of the status; returns how to stop. */
  onStatusChange(listener: (status: Status) => void): () => void {
    return this.#statusListeners.add(listener);
  }

  /** The status now, then every change, until the robot is closed. */
  statusChanges(): EventIterator<Status> {
    return this.#statusListeners.read(this.status);
  }

  /** Calls `listener` whenever a service comes or goes; returns how to stop. */
  onServiceChange(listener: (change: ServiceChange) => void): () => void {
    return this.#serviceListeners.add(listener);
  }

  /** Services as they come and go, until the robot is closed. */
  serviceChanges(): EventIterator<ServiceChange> {
    return this.#serviceListeners.read();
  }

  /** Ends the link. Calls under way fail, subscriptions and hosted services end. Idempotent. */
  async close(): Promise<void> {
    await this.#session.close();
    this.#ended(undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @throws `closed`; `unsupported` when that part of the SDK cannot be loaded */
  async #loadSafety(): Promise<RobotSafety> {
    this.#open();
    await safetyPart.load();
    const session = this.#open();
    this.#safety ??= new (needed(safetyPart.here).RobotSafety)({
      session,
      objects: this.#objects,
      changed: () => this.#tellStatus(),
      report: this.#onError,
    });
    return this.#safety;
  }

  /** @throws `closed`, or why the link ended */
  #open(): RobotSession {
    const state = this.#state;
    if (state.kind === 'closed') throw state.reason ?? new QiwayError('closed', 'The robot was closed; connect again.');
    return this.#session;
  }

  #tellStatus(): void {
    // The end is told once, by `#ended`.
    if (this.#state.kind !== 'closed' && this.#session.sessionState === 'closed') return;
    this.#statusListeners.tell(this.status);
  }

  #ended(reason: QiwayError | undefined): void {
    if (this.#state.kind === 'closed') return;
    this.#state = { kind: 'closed', reason };
    this.#safety?.close(reason ?? new QiwayError('closed', 'The robot was closed.'));
    this.#waiting.close();
    this.#objects.close();
    this.#tellStatus();
    this.#statusListeners.close();
    this.#serviceListeners.close();
  }
}

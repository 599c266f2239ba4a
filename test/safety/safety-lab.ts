// A robot with safety, without links: sessions that are heard when a test says so, each with a peer of its own.
import type { BusObject } from '@qiway/protocol/bus/bus';
import type { Peer } from '@qiway/protocol/bus/peer';
import { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import { fetchObject } from '@qiway/protocol/directory/fetch-object';
import type { QiwayError } from '@qiway/protocol/errors';
import { createObject, type HostedObject, method, property, signal } from '@qiway/protocol/objects/hosted-object';
import { createObjectMap, type RemoteObjects } from '@qiway/protocol/objects/object-map';
import * as onDemand from '@qiway/protocol/objects/on-demand';
import type { LooseMembers, RemoteObject } from '@qiway/protocol/objects/remote-types';
import { linkedPart } from '@qiway/protocol/part';
import { type Counts, createCounts } from '../../robot-agent/door/metrics.ts';
import type { Logger } from '../../robot-agent/logger.ts';
import { createSafety, type Safety, type SafetyParts } from '../../robot-agent/safety/safety.ts';
import type { SafetySession } from '../../robot-agent/safety/safety-session.ts';
import { peerPair } from '../support/peer-pair.ts';
import { settled, type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

export interface LabSession extends SafetySession {
  isStale: boolean;
  /** Its peer at the client's end. */
  readonly client: string;
  readonly peer: Peer;
  readonly objects: RemoteObjects;
  /** The session object, as the client sees it. */
  readonly own: RemoteObject<LooseMembers>;
  /** Signals of the session object that the client got, with their arguments. */
  readonly told: unknown[][];
  /** The client sees a service. */
  service(name: string): Promise<RemoteObject<LooseMembers>>;
  raw(name: string): Promise<BusObject>;
  /** Something came from the client. */
  hear(): void;
  /** The session ends; without an error the client said goodbye. */
  end(error?: QiwayError): void;
}

export interface SafetyLab {
  readonly clock: VirtualClock;
  readonly bus: EmbeddedBus;
  readonly safety: Safety;
  readonly counts: Counts;
  readonly motion: HostedObject;
  /** Calls that reached the robot. */
  readonly log: string[];
  /** Lines of the agent's log. */
  readonly lines: string[];
  session(identity?: { readonly clientId?: string; readonly client?: string }): Promise<LabSession>;
}

export async function safetyLab(options: Pick<SafetyParts, 'takeOver' | 'classes'> = {}): Promise<SafetyLab> {
  const clock = virtualClock();
  const bus = new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
  const log: string[] = [];
  const lines: string[] = [];
  const motion = createObject({
    moveToward: method('(fff)', 'v', (x: number, y: number, theta: number) => void log.push(`move ${x} ${y} ${theta}`)),
    stopMove: method('()', 'v', () => void log.push('stop')),
    getRobotPosition: method('(b)', '[f]', () => [0, 0, 0]),
    setAngles: [
      method('(sf)', 'v', (joint: string, angle: number) => void log.push(`angle ${joint} ${angle}`)),
      method('(ssf)', 'v', () => undefined),
    ],
    arm: method('()', 'o', () => createObject({ wave: method('()', 'v', () => void log.push('wave')) })),
    take: method('(o)', 'v', () => undefined),
    moved: signal('(f)'),
    stiffness: property('f', 0),
  });
  await bus.host('ALMotion', motion);
  await bus.host('Lamp', createObject({ on: method('()', 'v', () => void log.push('lamp on')) }));
  const counts = createCounts();
  const line =
    (level: string) =>
    (message: string): void =>
      void lines.push(`${level}: ${message}`);
  const logger: Logger = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  const safety = createSafety({ bus, clock, logger, counts, ...options });
  let serial = 0;

  const session: SafetyLab['session'] = async ({ clientId, client = 'test' } = {}) => {
    serial += 1;
    const listeners = new Set<Parameters<SafetySession['listen']>[0]>();
    const told: unknown[][] = [];
    let lastHeardMs = clock.now();
    const base = {
      id: `s${serial}`,
      clientId: clientId ?? String.fromCharCode(96 + serial).repeat(52),
      client,
      isStale: false,
      get lastHeardMs() {
        return lastHeardMs;
      },
      listen: (listener: Parameters<SafetySession['listen']>[0]) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    const object: HostedObject = createObject(
      safety.membersFor(base, (name, ...args) => {
        object.emit(name, ...args);
      }),
    );
    const pair = peerPair({
      services: (id) => (id === 0 ? object : bus.objectOf(id)),
      guard: safety.guardFor(base),
      errors: 'record',
    });
    const map = createObjectMap({ clock, report: () => {}, part: linkedPart(onDemand), timeoutMs: 0 });
    const raw = async (name: string): Promise<BusObject> => {
      const { serviceId } = await bus.serviceInfo(name);
      return fetchObject(pair.client, serviceId, { clock, timeoutMs: 1000 });
    };
    const own = map.wrap<LooseMembers>(await fetchObject(pair.client, 0, { clock, timeoutMs: 1000 }));
    for (const name of ['failsafeChanged', 'leaseLost', 'leasesChanged'])
      await own[name]?.connect((...args) => told.push([name, ...args]));
    return Object.assign(base, {
      peer: pair.client,
      objects: map,
      own,
      told,
      raw,
      service: async (name: string) => map.wrap<LooseMembers>(await raw(name), name),
      hear: () => {
        lastHeardMs = clock.now();
        for (const listener of [...listeners]) listener.heard?.();
      },
      end: (error?: QiwayError) => {
        for (const listener of [...listeners]) listener.closed?.(error);
        pair.cut();
      },
    });
  };
  await settled();
  return { clock, bus, safety, counts, motion, log, lines, session };
}

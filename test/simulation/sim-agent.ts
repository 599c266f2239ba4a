// The agent of a simulation: a bus with three services and a session host, in a program that can be killed and started
// again. Support of the tests.
import type { BusObject } from '../../protocol/bus/bus.ts';
import { EmbeddedBus } from '../../protocol/directory/embedded-bus.ts';
import { QiwayError } from '../../protocol/errors.ts';
import { SessionHost } from '../../protocol/session/session-host.ts';
import { createSafety } from '../../robot-agent/safety/safety.ts';
import type { Cable } from './cable.ts';
import type { Chance } from './chance.ts';
import type { History } from './history.ts';
import type { ProgramClock, SimClock } from './sim-clock.ts';
import { SimService } from './sim-service.ts';

/** Members of the last are of class motion. */
export const ROBOT_SERVICES = ['Robot', 'Arm', 'Mover'] as const;
export const MOTION_SERVICE = 'Mover';
export const TOKEN = 'right';
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export interface SimAgentOptions {
  readonly epoch: string;
  readonly clock: SimClock;
  readonly chance: Chance;
  readonly history: History;
  readonly heartbeatMs: number;
  readonly keepMs: number;
  readonly maxQueuedBytes: number;
}

export class SimAgent {
  readonly epoch: string;
  readonly services: ReadonlyMap<string, SimService>;
  readonly host: SessionHost;
  readonly #bus: EmbeddedBus;
  readonly #clock: ProgramClock;
  readonly #cables = new Set<Cable>();
  #isAlive = true;

  constructor(options: SimAgentOptions) {
    const { epoch, chance, history, heartbeatMs, keepMs, maxQueuedBytes } = options;
    this.epoch = epoch;
    this.#clock = options.clock.program();
    this.#bus = new EmbeddedBus({ machineId: 'robot', processId: 1, sessionId: epoch });
    const clock = this.#clock;
    this.services = new Map(
      ROBOT_SERVICES.map((name) => [name, new SimService({ emitter: name, history, clock })] as const),
    );
    for (const [name, service] of this.services) void this.#bus.host(name, service);
    const safety = createSafety({
      bus: this.#bus,
      clock,
      logger: SILENT,
      counts: { failsafesFired: 0, failsafeCallsFailed: 0, callsHeldBack: 0 },
      classes: [{ pattern: `${MOTION_SERVICE}.*`, memberClass: 'motion' }],
    });
    this.host = new SessionHost({
      bus: this.#bus,
      clock,
      random: (count) => chance.bytes(count),
      schedule: queueMicrotask,
      isTokenRight: (token) => token === TOKEN,
      agent: { name: 'simulated', version: '0' },
      epoch,
      // Not all the rules for NAOqi: clients would spend a tenth of the time on reading them.
      told: () => ({ bus: 'up', classes: [[`${MOTION_SERVICE}.*`, 'motion']] }),
      guard: (session) => safety.guardFor(session),
      heartbeatMs,
      keepMs,
      limits: { maxMessageBytes: 4 * 1024 * 1024, maxQueuedBytes },
    });
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** A client has come as far as its hello. */
  accept(cable: Cable, arrival: { readonly hello: Uint8Array; readonly clientId: string }): void {
    if (!this.#isAlive) return;
    this.#cables.add(cable);
    this.host.accept(cable.agent, { ...arrival, address: 'simulated' });
  }

  /** A service on its bus, whoever offers it. */
  service(name: string): Promise<BusObject> {
    return this.#bus.service(name);
  }

  has(name: string): boolean {
    return this.#bus.registry.byName(name)?.state === 'ready';
  }

  get serviceNames(): readonly string[] {
    return this.#bus.registry.list().map(({ name }) => name);
  }

  /** As `kill -9`: it says nothing, its memory is lost; the system closes its sockets, or not even that. */
  kill(isTold: boolean): void {
    this.#isAlive = false;
    this.#clock.end();
    for (const cable of this.#cables) cable.abandon('agent', isTold);
  }

  /** Stops as wanted. */
  stop(): void {
    this.host.close(new QiwayError('closed', 'The agent stops.'));
    this.#isAlive = false;
    this.#clock.end();
  }
}

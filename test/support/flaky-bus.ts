// A robot's bus in memory that is lost and comes back when a test says so: a client of a directory over a pair of peers.
import type { Bus, BusListener, BusState } from '../../protocol/bus/bus.ts';
import type { Clock } from '../../protocol/clock.ts';
import { type BusClient, joinDirectory } from '../../protocol/directory/bus-client.ts';
import type { EmbeddedBus } from '../../protocol/directory/embedded-bus.ts';
import { explainError } from '../../protocol/directory/explain-error.ts';
import { serveBus } from '../../protocol/directory/serve-bus.ts';
import { QiwayError } from '../../protocol/errors.ts';
import { type PeerPair, peerPair } from './peer-pair.ts';

export interface FlakyBus extends Bus {
  /** The directory is reached: `robot` from now on. */
  comeUp(robot: EmbeddedBus): Promise<void>;
  /** It is lost, with everything under way. */
  goDown(): void;
  /** The program of a service is lost to us; the directory does not know. */
  loseHost(name: string): Promise<void>;
  /** The present time of being up: all messages of it. */
  readonly pair: PeerPair | undefined;
}

export function flakyBus(clock: Clock): FlakyBus {
  const listeners = new Set<BusListener>();
  let client: BusClient | undefined;
  let pair: PeerPair | undefined;
  let state: BusState = 'down';
  const joined = (): BusClient => {
    if (client === undefined) throw new QiwayError('bus-down', 'The directory cannot be reached.');
    return client;
  };
  return {
    get state() {
      return state;
    },
    get machineId() {
      return client?.machineId ?? '';
    },
    get pair() {
      return pair;
    },
    services: async () => joined().services(),
    service: async (name) => joined().service(name),
    serviceInfo: async (name) => joined().serviceInfo(name),
    host: async (name, object) => joined().host(name, object),
    listen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => client?.close(),
    comeUp: async (robot) => {
      const made = peerPair({
        services: (serviceId) => robot.objectOf(serviceId),
        clientServices: (serviceId) => client?.ownService(serviceId),
      });
      const stopServing = serveBus(robot, { peer: made.server, clock, hasRelativeEndpoints: false, place: 'inside' });
      const identity = { machineId: 'm', processId: 1, sessionId: 's', endpoints: () => [] };
      const own = await joinDirectory({ peer: made.client, clock, timeoutMs: 10_000, identity, explain: explainError });
      client = own;
      pair = made;
      own.listen({
        serviceAdded: (info) => {
          for (const listener of [...listeners]) listener.serviceAdded?.(info);
        },
        serviceRemoved: (info) => {
          for (const listener of [...listeners]) listener.serviceRemoved?.(info);
        },
        stateChanged: (_changed, reason) => {
          made.server.close(new QiwayError('closed', 'The agent went away.'));
          stopServing();
          client = undefined;
          state = 'down';
          for (const listener of [...listeners]) listener.stateChanged?.('down', reason);
        },
      });
      state = 'up';
      for (const listener of [...listeners]) listener.stateChanged?.('up');
    },
    loseHost: async (name) => {
      const made = pair;
      const { serviceId } = await joined().serviceInfo(name);
      const lost = new QiwayError('service-gone', 'The program ended.');
      made?.server.stopServing(serviceId, lost);
      made?.client.endService(serviceId, lost);
    },
    goDown: () => {
      const lost = new QiwayError('bus-down', 'The directory went away.');
      pair?.client.close(lost, { ofObjects: new QiwayError('object-gone', 'The object ended with the bus.') });
    },
  };
}

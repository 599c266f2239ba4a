// The outer bus for the HTTP door: while the robot's bus is down, a service that is not there is "bus down", not "no such
// service". Knows buses only.
import type { Bus } from '@qiway/protocol/bus/bus';
import { isQiwayError, QiwayError } from '@qiway/protocol/errors';

export function downAwareBus(bus: Bus, robotBus: () => 'up' | 'down'): Bus {
  const explain = <T>(found: Promise<T>): Promise<T> =>
    found.catch((error: unknown) => {
      if (robotBus() === 'up' || !isQiwayError(error) || error.code !== 'service-not-found') throw error;
      throw new QiwayError('bus-down', "The robot's bus cannot be reached at the moment; the agent goes on trying.", {
        cause: error,
      });
    });
  return {
    get state() {
      return bus.state;
    },
    get machineId() {
      return bus.machineId;
    },
    services: () => bus.services(),
    service: (name) => explain(bus.service(name)),
    serviceInfo: (name) => explain(bus.serviceInfo(name)),
    host: (name, object) => bus.host(name, object),
    listen: (listener) => bus.listen(listener),
    close: () => bus.close(),
  };
}

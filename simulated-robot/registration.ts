// Keeps the robot's services registered on a bus, whatever the bus does. Knows the bus as the seam; time comes in.
import type { Bus, BusObject } from '@qiway/protocol/bus/bus';
import type { Clock } from '@qiway/protocol/clock';
import { asQiwayError } from '@qiway/protocol/errors';

export interface RegistrationOptions {
  readonly bus: Bus;
  readonly services: ReadonlyMap<string, BusObject>;
  readonly clock: Clock;
  /** Called each time all services are registered. */
  readonly onRegistered: () => void;
  /** A state change, as a sentence. */
  readonly report: (sentence: string) => void;
}

/** A name may be taken by a former process that the directory has not missed yet. */
const RETRY_MS = 2000;
const RECHECK_MS = 250;

/** Registers all services now or as soon as the bus is up, and again after it was down. Returns how to stop. */
export function keepRegistered(options: RegistrationOptions): () => void {
  const { bus, services, clock, onRegistered, report } = options;
  const hosted = new Set<string>();
  let isStopped = false;
  let isRunning = false;
  let stopWaiting = (): void => undefined;

  const hostAll = async (): Promise<void> => {
    for (const [name, object] of services) {
      if (hosted.has(name)) continue;
      object.retain();
      const service = await bus.host(name, object);
      hosted.add(name);
      service.closed.then(() => {
        hosted.delete(name);
        if (!isStopped && bus.state === 'up') retryLater(`${name} was taken off the bus`);
      });
    }
  };
  const retryLater = (why: string): void => {
    report(`${why}; registering again in ${RETRY_MS / 1000} s.`);
    stopWaiting();
    stopWaiting = clock.after(RETRY_MS, () => void register());
  };
  const register = async (): Promise<void> => {
    if (isRunning || isStopped || bus.state !== 'up') return;
    isRunning = true;
    try {
      await hostAll();
      const known = new Set((await bus.services()).map(({ name }) => name));
      isRunning = false;
      // After the bus was down it registers by itself what it hosts, which may take a moment.
      if (isStopped) return;
      if ([...services.keys()].every((name) => known.has(name))) onRegistered();
      else stopWaiting = clock.after(RECHECK_MS, () => void register());
    } catch (error) {
      isRunning = false;
      // A bus that is down comes back by itself, and says so.
      if (!isStopped && bus.state === 'up') retryLater(asQiwayError(error).message);
    }
  };
  const stopListening = bus.listen({
    stateChanged: (state, reason) => {
      stopWaiting();
      if (state === 'up') void register();
      else if (!isStopped) report(`The bus is ${state}${reason === undefined ? '' : `: ${reason.message}`}`);
    },
  });
  void register();
  return () => {
    isStopped = true;
    stopListening();
    stopWaiting();
  };
}

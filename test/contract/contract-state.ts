// What the parts of the bus contract share. No tests of its own.
import type { Bus, BusObject } from '../../protocol/bus/bus.ts';
import type { EchoService } from '../support/echo-service.ts';

export interface ContractOptions {
  /** Objects are handed out as they are, so they live on in this process when their service leaves the bus. */
  readonly isInProcess?: boolean;
  /** `bus` is the directory's own: closing it ends the bus for everybody. */
  readonly isDirectory?: boolean;
  /** `bus` is a program on the robot's bus, which may change the services of others; who comes in from outside may not. */
  readonly isOnBus?: boolean;
  /** A gateway is between the two sides: each has service ids of its own. */
  readonly isMirrored?: boolean;
}

/** What the parts of the suite work with; made anew for each test. */
export interface ContractState {
  readonly bus: Bus;
  readonly hostBus: Bus;
  /** Hosted on `hostBus` as "Echo". */
  readonly echo: EchoService;
  /** The same, as `bus` sees it. */
  readonly remote: BusObject;
}

/** Resolves once `bus` knows of a service: another side may have registered it a moment ago. */
export async function seen(bus: Bus, name: string): Promise<void> {
  let tell: () => void = () => {};
  const added = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const stop = bus.listen({ serviceAdded: (info) => info.name === name && tell() });
  try {
    const known = await bus.services();
    if (!known.some((info) => info.name === name)) await added;
  } finally {
    stop();
  }
}

/** The object of a service, once `bus` knows of it. */
export async function serviceSeen(bus: Bus, name: string): Promise<BusObject> {
  await seen(bus, name);
  return bus.service(name);
}

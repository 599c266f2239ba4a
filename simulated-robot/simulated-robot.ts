// The simulated robot on a bus: body, services, registration, put together. Where the bus comes from is an argument.
import type { Bus } from '@qiway/protocol/bus/bus';
import type { Clock } from '@qiway/protocol/clock';
import { createRemoteObjects } from '@qiway/protocol/objects/remote-objects';
import { Robot } from './body/robot.ts';
import { createRaycaster } from './camera/raycaster.ts';
import { greetConsoles } from './greeter.ts';
import { startHeartbeat } from './heartbeat.ts';
import { keepRegistered } from './registration.ts';
import { livingRoom } from './room/plan.ts';
import { createServices } from './services/all-services.ts';

export interface SimulatedRobotOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
  /** Percent at the start. */
  readonly charge: number;
  /** Called each time all services are registered, with their number. */
  readonly onRegistered: (count: number) => void;
  /** A state change or a failure, as a sentence. */
  readonly report: (sentence: string) => void;
}

export interface SimulatedRobot {
  readonly robot: Robot;
  /** Takes the services off the bus and closes it. Idempotent. */
  close(): Promise<void>;
}

/** Starts living at once; services appear as soon as the bus is up. The bus is closed with the robot. */
export function startSimulatedRobot(options: SimulatedRobotOptions): SimulatedRobot {
  const { bus, clock, wallMs, charge, report } = options;
  const robot = new Robot(livingRoom, { charge });
  const objects = createRemoteObjects({ clock, report: (error) => report(`A callback failed: ${String(error)}`) });
  const services = createServices({
    robot,
    look: createRaycaster(livingRoom),
    clock,
    wallMs,
    objects,
    bus: () => (bus.state === 'up' ? bus : undefined),
  });
  const stops = [
    keepRegistered({ bus, services, clock, report, onRegistered: () => options.onRegistered(services.size) }),
    greetConsoles({ bus, robot, objects, report }),
    startHeartbeat(robot, clock),
  ];
  return {
    robot,
    async close() {
      for (const stop of stops.splice(0)) stop();
      await bus.close();
      objects.close();
    },
  };
}

// What the services are made with. Knows the bus only as the seam.
import type { Bus } from '@qiway/protocol/bus/bus';
import type { Clock } from '@qiway/protocol/clock';
import type { RemoteObjects } from '@qiway/protocol/objects/remote-objects';
import type { Robot } from '../body/robot.ts';
import type { Raycaster } from '../camera/raycaster.ts';

export interface Surroundings {
  readonly robot: Robot;
  /** Draws what the robot's eyes see; painting the room takes a while, so it is made once, early. */
  readonly look: Raycaster;
  readonly clock: Clock;
  /** Milliseconds since 1970, for time stamps. */
  readonly wallMs: () => number;
  /** Maps objects that come in arguments, so that services can call them. */
  readonly objects: RemoteObjects;
  /** The bus while the robot is on it. */
  readonly bus: () => Bus | undefined;
}

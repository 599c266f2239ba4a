// What the console knows of its robot, as signals. Layer: robot; no DOM. Fed by feed.ts while the link stands.
import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { RemoteObject } from '@qiway/sdk';
import type { Services } from './robot-services.ts';
import type { RoomPlan } from './room-plan.ts';
import type { Pose } from './trail.ts';

/** A service's object while it is on the bus. */
export type Held<N extends keyof Services> = Signal<RemoteObject<Services[N]> | undefined>;

export interface RobotState {
  /** Names of all services on the bus, sorted; undefined until known. */
  readonly services: Signal<readonly string[] | undefined>;
  readonly motion: Held<'ALMotion'>;
  readonly video: Held<'ALVideoDevice'>;
  readonly speech: Held<'ALTextToSpeech'>;
  /** The last that was there: what it is to say can wait for it. */
  readonly knownSpeech: Held<'ALTextToSpeech'>;
  readonly posture: Held<'ALRobotPosture'>;
  readonly leds: Held<'ALLeds'>;
  readonly robotName: Signal<string | undefined>;
  readonly batteryPercent: Signal<number | undefined>;
  readonly pose: Signal<Pose | undefined>;
  /** When the robot last said where it is; milliseconds since 1970. */
  readonly poseAtMs: Signal<number | undefined>;
  /** What the robot bumped into, until it is somewhere else. */
  readonly blockedBy: Signal<string | undefined>;
  readonly trail: Signal<readonly Pose[]>;
  readonly plan: Signal<RoomPlan | undefined>;
  /** Percent, and how to set it; undefined when the robot has no volume. */
  readonly volume: Signal<number | undefined>;
  readonly setVolume: Signal<((percent: number) => Promise<void>) | undefined>;
  /** The words said since the last sentence began, newest last. */
  readonly words: Signal<readonly string[]>;
  readonly postures: Signal<readonly string[]>;
  readonly postureName: Signal<string | undefined>;
  readonly isAwake: Signal<boolean | undefined>;
}

export function createRobotState(): RobotState {
  return {
    services: signal(undefined),
    motion: signal(undefined),
    video: signal(undefined),
    speech: signal(undefined),
    knownSpeech: signal(undefined),
    posture: signal(undefined),
    leds: signal(undefined),
    robotName: signal(undefined),
    batteryPercent: signal(undefined),
    pose: signal(undefined),
    poseAtMs: signal(undefined),
    blockedBy: signal(undefined),
    trail: signal([]),
    plan: signal(undefined),
    volume: signal(undefined),
    setVolume: signal(undefined),
    words: signal([]),
    postures: signal([]),
    postureName: signal(undefined),
    isAwake: signal(undefined),
  };
}

/** The bus's own service, and the one that consoles host. */
const NOT_OF_A_ROBOT: readonly string[] = ['ServiceDirectory', 'ConsoleDisplay'];

/** True when nobody is on the bus: the robot's programs ended, or did not start yet. */
export function isRobotAway(services: ReadonlySignal<readonly string[] | undefined>): boolean {
  return services.value?.every((name) => NOT_OF_A_ROBOT.includes(name)) ?? false;
}

/** True when a robot is there, and known not to have a service. */
export function isMissing(services: ReadonlySignal<readonly string[] | undefined>, name: string): boolean {
  return services.value !== undefined && !isRobotAway(services) && !services.value.includes(name);
}

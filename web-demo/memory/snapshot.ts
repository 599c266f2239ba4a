// What was last known of a robot, to be shown while it is away: plain values out of its state, and back into it. Layer: memory;
// pure.
import { batch } from '@preact/signals';
import type { RobotState } from '../robot/robot-state.ts';
import type { RoomPlan } from '../robot/room-plan.ts';
import type { Pose } from '../robot/trail.ts';

export interface Snapshot {
  readonly services?: readonly string[] | undefined;
  readonly robotName?: string | undefined;
  readonly batteryPercent?: number | undefined;
  readonly pose?: Pose | undefined;
  readonly poseAtMs?: number | undefined;
  readonly trail: readonly Pose[];
  readonly plan?: RoomPlan | undefined;
  readonly volume?: number | undefined;
  readonly postures: readonly string[];
  readonly postureName?: string | undefined;
  readonly isAwake?: boolean | undefined;
}

/** Of the trail: what a person remembers of the way, and little to write every few seconds. */
const MAX_PLACES = 300;

export function takeSnapshot(state: RobotState): Snapshot {
  return {
    services: state.services.peek(),
    robotName: state.robotName.peek(),
    batteryPercent: state.batteryPercent.peek(),
    pose: state.pose.peek(),
    poseAtMs: state.poseAtMs.peek(),
    trail: state.trail.peek().slice(-MAX_PLACES),
    plan: state.plan.peek(),
    volume: state.volume.peek(),
    postures: state.postures.peek(),
    postureName: state.postureName.peek(),
    isAwake: state.isAwake.peek(),
  };
}

const NOTHING: Snapshot = { trail: [], postures: [] };

/** Shows what was known of one robot in place of another; undefined: nothing is. */
export function showSnapshot(state: RobotState, snapshot: Snapshot = NOTHING): void {
  batch(() => {
    state.services.value = snapshot.services;
    state.robotName.value = snapshot.robotName;
    state.batteryPercent.value = snapshot.batteryPercent;
    state.pose.value = snapshot.pose;
    state.poseAtMs.value = snapshot.poseAtMs;
    state.blockedBy.value = undefined;
    state.trail.value = snapshot.trail;
    state.plan.value = snapshot.plan;
    state.volume.value = snapshot.volume;
    state.words.value = [];
    state.postures.value = snapshot.postures;
    state.postureName.value = snapshot.postureName;
    state.isAwake.value = snapshot.isAwake;
  });
}

/** Which services tell the figures. ALMemory tells the battery where there is no ALBattery. */
export function dropUntold(state: RobotState, services: readonly string[]): void {
  const isTold = (...names: readonly string[]): boolean => names.some((name) => services.includes(name));
  batch(() => {
    if (!isTold('ALMotion')) {
      state.pose.value = undefined;
      state.poseAtMs.value = undefined;
      state.trail.value = [];
      state.isAwake.value = undefined;
    }
    if (!isTold('ALBattery', 'ALMemory')) state.batteryPercent.value = undefined;
    if (!isTold('ALTextToSpeech', 'ALAudioDevice')) state.volume.value = undefined;
    if (!isTold('ALRobotPosture')) {
      state.postures.value = [];
      state.postureName.value = undefined;
    }
    if (!isTold('ALSystem')) state.robotName.value = undefined;
    if (!isTold('SimulatedRoom')) state.plan.value = undefined;
  });
}

// Feeds the robot's state from its services. Layer: robot; no DOM. It says which service feeds what; attach.ts says how.
import type { Robot } from '@qiway/sdk';
import { attachBattery, attachMotion, attachPosture, attachRoom, attachSpeech, attachVolume } from './attach.ts';
import { followServices, hold } from './follow.ts';
import type { Services } from './robot-services.ts';
import { isMissing, isRobotAway, type RobotState } from './robot-state.ts';

export interface FeedOptions {
  readonly robot: Robot<Services>;
  readonly onProblem: (service: string, error: unknown) => void;
  /** The robot is there, with these services; not called while it is away. */
  readonly onRobot: (names: readonly string[]) => void;
  /** Calls back after a while; returns how to prevent it. */
  readonly after: (delayMs: number, run: () => void) => () => void;
}

/** A robot that is switched off in order loses one service after the other: what it is missing for so long it does not have, ms. */
const MISSING_MS = 5000;

/** Feeds the state from a robot until the returned function is called. What was last known stays to be seen. */
export function feedRobotState(state: RobotState, { robot, onProblem, onRobot, after }: FeedOptions): () => void {
  let stopWaiting = (): void => undefined;
  /** A lost link, or a robot that is away, leaves the plan to be seen; a robot without a room does not. */
  const dropPlan = (): void => {
    if (robot.status.state === 'online' && isMissing(state.services, 'SimulatedRoom')) state.plan.value = undefined;
  };
  const stopFollowing = followServices({
    robot,
    onProblem,
    after,
    onServices: (names) => {
      state.services.value = names;
      stopWaiting();
      stopWaiting = after(MISSING_MS, dropPlan);
      if (!isRobotAway(state.services)) onRobot(names);
    },
    attachments: {
      ALMotion: (motion, scope) => attachMotion(state, motion, { scope, after }),
      ALMemory: (memory, scope) => attachBattery(state, memory, scope),
      ALBattery: async (battery) => {
        state.batteryPercent.value = await battery.getBatteryCharge();
      },
      ALTextToSpeech: (speech, scope) => attachSpeech(state, speech, scope),
      ALRobotPosture: (posture, scope) => attachPosture(state, posture, scope),
      ALAudioDevice: (audio, scope) => attachVolume(state, audio, scope),
      ALVideoDevice: (video, scope) => hold(state.video, video, scope),
      ALLeds: (leds, scope) => hold(state.leds, leds, scope),
      ALSystem: async (system) => {
        state.robotName.value = await system.robotName();
      },
      SimulatedRoom: (room, scope) => attachRoom(state, room, scope),
    },
  });
  return () => {
    stopWaiting();
    stopFollowing();
  };
}

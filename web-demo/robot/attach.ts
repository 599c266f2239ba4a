// How each service feeds the robot's state. Layer: robot. NAOqi robots differ in what they offer: a missing signal is
// replaced by asking now and then, a missing member leaves its figure out.
import { batch } from '@preact/signals';
import type { RemoteObject } from '@qiway/sdk';
import { hold, offers, type Scope } from './follow.ts';
import type { MemorySubscriber, Services } from './robot-services.ts';
import type { RobotState } from './robot-state.ts';
import { readRoomPlan } from './room-plan.ts';
import { extendTrail, type Pose, readPose } from './trail.ts';

/** How often to ask for the position where no signal tells it. */
const POSITION_MS = 200;
const MAX_WORDS = 24;
/** Gone this far from where it was blocked, the robot is free again. Metres. */
const CLEAR_M = 0.05;

type After = (delayMs: number, run: () => void) => () => void;

export async function attachMotion(
  state: RobotState,
  motion: RemoteObject<Services['ALMotion']>,
  { scope, after }: { scope: Scope; after: After },
): Promise<void> {
  let blockedAt: Pose | undefined;
  const take = (values: readonly number[]): void => {
    const pose = readPose(values);
    if (pose === undefined || !scope.isOpen) return;
    if (blockedAt !== undefined && Math.hypot(pose.x - blockedAt.x, pose.y - blockedAt.y) > CLEAR_M) {
      blockedAt = undefined;
      state.blockedBy.value = undefined;
    }
    batch(() => {
      state.pose.value = pose;
      state.poseAtMs.value = Date.now();
      state.trail.value = extendTrail(state.trail.peek(), pose);
    });
  };
  hold(state.motion, motion, scope);
  if (offers(motion, 'positionChanged')) scope.add(await motion.positionChanged.connect(take));
  else poll(async () => take(await motion.getRobotPosition(true)), { scope, after });
  take(await motion.getRobotPosition(true));
  if (offers(motion, 'moveBlocked')) {
    const off = await motion.moveBlocked.connect((obstacle) => {
      blockedAt = state.pose.peek();
      state.blockedBy.value = obstacle;
    });
    scope.add(off);
  }
  if (offers(motion, 'robotIsWakeUp')) state.isAwake.value = await motion.robotIsWakeUp();
}

function poll(ask: () => Promise<void>, { scope, after }: { scope: Scope; after: After }): void {
  const again = (): void => {
    if (scope.isOpen) scope.add(after(POSITION_MS, () => void ask().then(again, again)));
  };
  again();
}

/** Follows the battery through an ALMemory subscriber, the way every NAOqi program does. */
export async function attachBattery(
  state: RobotState,
  memory: RemoteObject<Services['ALMemory']>,
  scope: Scope,
): Promise<void> {
  const subscriber = (await memory.subscriber('BatteryChargeChanged')) as RemoteObject<MemorySubscriber>;
  scope.add(() => subscriber.release());
  const off = await subscriber.signal.connect((value) => {
    if (typeof value === 'number') state.batteryPercent.value = value;
  });
  scope.add(off);
}

export async function attachSpeech(
  state: RobotState,
  speech: RemoteObject<Services['ALTextToSpeech']>,
  scope: Scope,
): Promise<void> {
  // Asked for before anything can be said: no word is missed.
  const listening = offers(speech, 'wordSaid')
    ? speech.wordSaid.connect((word) => {
        state.words.value = [...state.words.peek(), word].slice(-MAX_WORDS);
      })
    : undefined;
  listening?.then((off) => scope.add(off)).catch(() => {}); // told below
  hold(state.speech, speech, scope);
  state.knownSpeech.value = speech;
  if (offers(speech, 'volume')) {
    scope.add(
      await speech.volume.connect((percent) => {
        state.volume.value = percent;
      }),
    );
    state.volume.value = await speech.volume.value();
    hold(state.setVolume, (percent) => speech.volume.setValue(percent), scope);
  }
  await listening;
}

/** The loudspeakers' volume, for robots whose speech has none of its own. */
export async function attachVolume(
  state: RobotState,
  audio: RemoteObject<Services['ALAudioDevice']>,
  scope: Scope,
): Promise<void> {
  const percent = await audio.getOutputVolume();
  if (!scope.isOpen || state.setVolume.peek() !== undefined) return;
  state.volume.value = percent;
  const set = async (next: number): Promise<void> => {
    await audio.setOutputVolume(next);
    state.volume.value = next;
  };
  hold(state.setVolume, set, scope);
}

export async function attachPosture(
  state: RobotState,
  posture: RemoteObject<Services['ALRobotPosture']>,
  scope: Scope,
): Promise<void> {
  hold(state.posture, posture, scope);
  if (offers(posture, 'postureChanged')) {
    scope.add(
      await posture.postureChanged.connect((name) => {
        state.postureName.value = name;
      }),
    );
  }
  state.postures.value = await posture.getPostureList();
  state.postureName.value = await posture.getPosture();
}

export async function attachRoom(
  state: RobotState,
  room: RemoteObject<Services['SimulatedRoom']>,
  scope: Scope,
): Promise<void> {
  const plan = readRoomPlan(await room.plan());
  if (scope.isOpen) state.plan.value = plan;
}

// What the members of NAOqi's services do, as far as safety and repeating go: read off their published documentation
// (NAOqi 2.5 and 2.9). Data only.
import type { ClassRule, MemberClass } from '@qiway/protocol/member-class';

/** Services whose members move the robot unless a rule below says otherwise. */
const MOVING_SERVICES: readonly string[] = [
  'ALMotion',
  'ALNavigation',
  'ALRobotPosture',
  'ALBehaviorManager',
  'ALAnimationPlayer',
  'ALAnimatedSpeech',
  'ALTracker',
  'ALDance',
  'ALAutonomousMoves',
  'ALAutonomousLife',
  'ALBasicAwareness',
  'ALBackgroundMovement',
  'ALSpeakingMovement',
  'ALListeningMovement',
  'ALRecharge',
  'ALLocalization',
  'ALVisualCompass',
  'ALFaceTracker',
  'ALRedBallTracker',
  'DCM',
];

/** How members are called that only ask. */
const ASKING_NAMES: readonly string[] = ['get*', 'is*', 'has*', 'list*', 'version', 'ping'];

/** Members of moving services that only ask, and are not called like it. */
const ASKING: readonly string[] = [
  'ALMotion.areNotificationsEnabled',
  'ALMotion.areResourcesAvailable',
  'ALMotion.moveIsActive',
  'ALMotion.robotIsWakeUp',
  'ALMotion.walkIsActive',
  'ALMotion.waitUntilMoveIsFinished',
  'ALMotion.waitUntilWalkIsFinished',
  'ALBehaviorManager.behavior*',
];

/** What ends a movement: nobody who sees a robot run into something may be told that another has control. */
const STOPPING: readonly string[] = [
  'ALMotion.stopMove',
  'ALMotion.stopWalk',
  'ALMotion.killAll',
  'ALMotion.killMove',
  'ALMotion.killWalk',
  'ALMotion.killTask*',
  'ALNavigation.stop*',
  'ALRobotPosture.stopMove',
  'ALBehaviorManager.stopBehavior',
  'ALBehaviorManager.stopAllBehaviors',
  'ALAnimationPlayer.stop*',
  'ALTracker.stopTracker',
  'ALTracker.stopAll',
  'ALDance.stop*',
  'ALAutonomousLife.stopAll',
  'ALAutonomousLife.stopFocus',
  'ALRecharge.stopAll',
  'ALLocalization.stop*',
  'ALVisualCompass.stop*',
  'ALFaceTracker.stopTracker',
  'ALRedBallTracker.stopTracker',
];

/** Of services that do not move the robot. */
const OTHERS: Readonly<Record<Exclude<MemberClass, 'motion'>, readonly string[]>> = {
  idempotent: [
    'ALTextToSpeech.set*',
    'ALTextToSpeech.load*',
    'ALTextToSpeech.resetSpeed',
    'ALTextToSpeech.stopAll',
    'ALAudioPlayer.stop*',
    'ALAudioPlayer.pause',
    'ALAudioDevice.set*',
    'ALAudioDevice.*Stream*',
    'ALAudioPlayer.set*',
    'ALLeds.on',
    'ALLeds.off',
    'ALLeds.set*',
    'ALLeds.reset',
    'ALLeds.fade*',
    'ALMemory.insertData',
    'ALMemory.insertListData',
    'ALMemory.removeData',
    'ALMemory.declareEvent',
    'ALMemory.subscriber',
    'ALMemory.unsubscribe*',
    'ALVideoDevice.set*',
    'ALVideoDevice.unsubscribe*',
    'ALVideoDevice.releaseImage',
    'ALTabletService.hide*',
    'ALTabletService.loadUrl',
    'ALTabletService.setBrightness',
    'ALTabletService.setVolume',
    'ALTabletService.show*',
    'ALTabletService.turnScreenOn',
    'ALSystem.set*',
    'ALConnectionManager.set*',
    'ALPreferenceManager.set*',
  ],
  once: [
    'ALTextToSpeech.say*',
    'ALAudioPlayer.play*',
    'ALAudioPlayer.loadFile',
    'ALAudioRecorder.*',
    'ALVideoRecorder.*',
    'ALPhotoCapture.*',
    'ALVideoDevice.subscribe*',
    'ALLeds.rasta',
    'ALLeds.rotateEyes',
    'ALLeds.randomEyes',
    'ALMemory.raiseEvent',
    'ALMemory.raiseMicroEvent',
    'ALMemory.subscribeTo*',
    'ALDialog.*',
    'ALSystem.reboot',
    'ALSystem.shutdown',
    'ALPackageManager.*',
  ],
};

/** Everything of these is of one class, but what only asks. */
const WHOLE_SERVICES: readonly string[] = [
  ...MOVING_SERVICES,
  ...OTHERS.once.filter((pattern) => pattern.endsWith('.*')).map((pattern) => pattern.slice(0, -2)),
];

/** Members that only ask: a lease of somebody else is no reason to refuse them. */
export const ASKING_MEMBERS: readonly string[] = [
  ...['AL*', ...WHOLE_SERVICES].flatMap((service) => ASKING_NAMES.map((name) => `${service}.${name}`)),
  ...ASKING,
];

/** Members that end a movement. Made twice they do what they do once, and they are never too late. */
export const STOPPING_MEMBERS: readonly string[] = STOPPING;

/** The rules for a robot with NAOqi. */
export const NAOQI_RULES: readonly ClassRule[] = [
  ...MOVING_SERVICES.map((service) => ruleOf(`${service}.*`, 'motion')),
  ...OTHERS.once.map((pattern) => ruleOf(pattern, 'once')),
  ...[...OTHERS.idempotent, ...ASKING_MEMBERS, ...STOPPING].map((pattern) => ruleOf(pattern, 'idempotent')),
];

function ruleOf(pattern: string, memberClass: MemberClass): ClassRule {
  return { pattern, memberClass };
}

// A robot with all its services on a virtual clock, its services as a caller on the bus sees them. Tooling of the tests.
import type { Bus } from '@qiway/protocol/bus/bus';
import type { HostedObject } from '@qiway/protocol/objects/hosted-object';
import { createRemoteObjects, type RemoteObjects } from '@qiway/protocol/objects/remote-objects';
import type { Property, Releasable, RemoteMethod, Signal } from '@qiway/protocol/objects/remote-types';
import { Robot } from '../../simulated-robot/body/robot.ts';
import { createRaycaster } from '../../simulated-robot/camera/raycaster.ts';
import { startHeartbeat } from '../../simulated-robot/heartbeat.ts';
import { livingRoom } from '../../simulated-robot/room/plan.ts';
import { createServices } from '../../simulated-robot/services/all-services.ts';
import { settled, type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

/** 2026-01-01T00:00:00Z when the virtual clock is at 0. */
export const START_MS: number = Date.UTC(2026, 0, 1);

/** The members that the tests use. */
type MemberName =
  | 'add'
  | 'angleInterpolation'
  | 'batteryChargeChanged'
  | 'brightness'
  | 'burst'
  | 'callObject'
  | 'callService'
  | 'changeAngles'
  | 'changed'
  | 'charge'
  | 'charging'
  | 'closeHand'
  | 'colorChanged'
  | 'countersAlive'
  | 'currentTime'
  | 'declareEvent'
  | 'echoBool'
  | 'echoDouble'
  | 'echoDynamic'
  | 'echoFloat'
  | 'echoInt16'
  | 'echoInt32'
  | 'echoInt64'
  | 'echoInt8'
  | 'echoInts'
  | 'echoLists'
  | 'echoObject'
  | 'echoPoint'
  | 'echoRaw'
  | 'echoString'
  | 'echoStrings'
  | 'echoTuple'
  | 'echoUint16'
  | 'echoUint32'
  | 'echoUint64'
  | 'echoUint8'
  | 'echoVarArgs'
  | 'faceColor'
  | 'fade'
  | 'fadeRGB'
  | 'fail'
  | 'get'
  | 'getAngles'
  | 'getAvailableLanguages'
  | 'getBatteryCharge'
  | 'getBodyNames'
  | 'getBrightness'
  | 'getColor'
  | 'getColorSpace'
  | 'getData'
  | 'getDataList'
  | 'getDataListName'
  | 'getEventList'
  | 'getFrameRate'
  | 'getHorizontalFOV'
  | 'getImageRemote'
  | 'getLanguage'
  | 'getLimits'
  | 'getListData'
  | 'getNextRobotPosition'
  | 'getParameter'
  | 'getPosture'
  | 'getPostureFamily'
  | 'getPostureList'
  | 'getResolution'
  | 'getRobotPosition'
  | 'getRobotVelocity'
  | 'getStatus'
  | 'getStiffnesses'
  | 'getSubscribers'
  | 'getSummary'
  | 'getVoice'
  | 'getVolume'
  | 'goToPosture'
  | 'hideImage'
  | 'hideWebview'
  | 'increment'
  | 'insertData'
  | 'isAwake'
  | 'list'
  | 'listGroup'
  | 'loadUrl'
  | 'makeCounter'
  | 'makeCounters'
  | 'move'
  | 'moveBlocked'
  | 'moveIsActive'
  | 'moveTo'
  | 'moveToward'
  | 'number'
  | 'off'
  | 'on'
  | 'onTouchDown'
  | 'openHand'
  | 'placeRobot'
  | 'plan'
  | 'point'
  | 'positionChanged'
  | 'posture'
  | 'postureChanged'
  | 'raiseEvent'
  | 'raiseMicroEvent'
  | 'raw'
  | 'rawLength'
  | 'removeData'
  | 'resetSpeed'
  | 'rest'
  | 'robotIsWakeUp'
  | 'robotName'
  | 'say'
  | 'setAngles'
  | 'setBrightness'
  | 'setColorSpace'
  | 'setFrameRate'
  | 'setIntensity'
  | 'setLanguage'
  | 'setParameter'
  | 'setResolution'
  | 'setRobotName'
  | 'setVoice'
  | 'setVolume'
  | 'showImage'
  | 'showWebview'
  | 'showing'
  | 'signal'
  | 'slow'
  | 'startTicks'
  | 'stopAll'
  | 'stopMove'
  | 'stopTicks'
  | 'subscribe'
  | 'subscribeCamera'
  | 'subscriber'
  | 'systemVersion'
  | 'tick'
  | 'touch'
  | 'touchChanged'
  | 'unsubscribe'
  | 'unsubscribeAllInstances'
  | 'uptime'
  | 'url'
  | 'value'
  | 'volume'
  | 'waitUntilMoveIsFinished'
  | 'wakeUp'
  | 'wordSaid';

/** A service of the robot: its members with any arguments and results. */
export type Service = Releasable & { readonly [K in MemberName]: RemoteMethod & Signal & Property };

export interface LivingRobot {
  readonly robot: Robot;
  readonly clock: VirtualClock;
  readonly objects: RemoteObjects;
  /** A service by its name; each call goes through its payloads. */
  service(name: string): Service;
  /** Every service as it is hosted. */
  readonly hosted: ReadonlyMap<string, HostedObject>;
}

const look = createRaycaster(livingRoom);

export function livingRobot(options: { readonly charge?: number; readonly bus?: Bus } = {}): LivingRobot {
  const clock = virtualClock();
  const robot = new Robot(livingRoom, { charge: options.charge ?? 87 });
  const thrown = (error: unknown): void => {
    throw error;
  };
  // The robot's own view of objects, and that of its callers: two programs.
  const own = createRemoteObjects({ clock, report: thrown });
  const objects = createRemoteObjects({ clock, report: thrown, timeoutMs: 0 });
  const wallMs = (): number => START_MS + clock.now();
  const services = createServices({ robot, look, clock, wallMs, objects: own, bus: () => options.bus });
  startHeartbeat(robot, clock);
  return {
    robot,
    clock,
    objects,
    hosted: services,
    service(name) {
      const object = services.get(name);
      if (object === undefined) throw new Error(`no service ${name}`);
      object.retain();
      return objects.wrap(object) as unknown as Service;
    },
  };
}

/** What a call is refused with. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was not refused');
}

/** Collects what a signal or property tells from now on. */
export async function heard(source: {
  connect(callback: (...args: unknown[]) => unknown): Promise<unknown>;
}): Promise<unknown[]> {
  const events: unknown[] = [];
  await source.connect((...args) => events.push(args.length === 1 ? args[0] : args));
  await settled();
  return events;
}

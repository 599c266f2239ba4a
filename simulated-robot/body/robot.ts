// The whole robot: its parts, and how they work on each other. Time comes in by step(). Knows no bus.

import { isOnDock } from '../room/obstacles.ts';
import type { RoomPlan } from '../room/plan.ts';
import { Base } from './base.ts';
import { Battery } from './battery.ts';
import { Joints } from './joints.ts';
import { Lights } from './lights.ts';
import { createMemory, type Memory } from './memory.ts';
import { createNotices, type Notices, type Task } from './notices.ts';
import { POSTURES, Postures } from './postures.ts';
import { Speech } from './speech.ts';

/** Height of the head's cameras above the floor in metres: standing, and how much of it is lost when it crouches. */
const EYE_HEIGHT = 1.12;
const CROUCH_DROP = 0.32;
/** Share of the speed that is left when the battery is low. */
const LOW_BATTERY_SHARE = 0.5;

/** What can be touched. */
export const TOUCH_SENSORS = [
  'FrontTactilTouched',
  'MiddleTactilTouched',
  'RearTactilTouched',
  'HandLeftBackTouched',
  'HandRightBackTouched',
  'ChestButtonPressed',
] as const;
export type TouchSensor = (typeof TOUCH_SENSORS)[number];

/** Where the head's camera is and looks. Metres and radians; pitch is positive downwards. */
export interface Eye {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly yaw: number;
  readonly pitch: number;
}

export class Robot {
  readonly plan: RoomPlan;
  readonly base: Base;
  readonly joints: Joints;
  readonly postures: Postures;
  readonly speech: Speech = new Speech();
  readonly battery: Battery;
  readonly lights: Lights = new Lights();
  readonly memory: Memory = createMemory();
  readonly touched: Notices<{ readonly sensor: TouchSensor; readonly isPressed: boolean }> = createNotices();
  readonly awakeChanged: Notices<boolean> = createNotices();
  #isAwake = true;

  constructor(plan: RoomPlan, options: { readonly charge?: number } = {}) {
    this.plan = plan;
    this.base = new Base(plan);
    this.joints = new Joints(POSTURES.get('Stand') ?? new Map());
    this.postures = new Postures(this.joints);
    this.battery = new Battery(options.charge ?? 87);
    this.#remember();
  }

  /** Whether motors are on: a robot at rest does not move. */
  get isAwake(): boolean {
    return this.#isAwake;
  }

  get eye(): Eye {
    const { x, y, theta } = this.base.pose;
    const bend = Math.max(0, this.joints.angle('KneePitch') / 0.51);
    const yaw = theta + this.joints.angle('HeadYaw');
    return { x, y, z: EYE_HEIGHT - CROUCH_DROP * bend, yaw, pitch: this.joints.angle('HeadPitch') };
  }

  /** Switches the motors on and stands up. */
  wakeUp(): Task<boolean> {
    this.#setAwake(true);
    return this.postures.goTo('Stand', 1);
  }

  /** Stops, crouches, then switches the motors off. */
  rest(): Task<boolean> {
    this.base.stop();
    const task = this.postures.goTo('Crouch', 1);
    const done = task.done.then((isReached) => {
      if (isReached) this.#setAwake(false);
      return isReached;
    });
    return { done, cancel: task.cancel };
  }

  touch(sensor: TouchSensor, isPressed: boolean): void {
    this.memory.raise(sensor, isPressed ? 1 : 0);
    this.touched.tell({ sensor, isPressed });
  }

  /** Lets time pass for all parts. */
  step(milliseconds: number): void {
    const seconds = milliseconds / 1000;
    this.base.speedShare = this.battery.isLow ? LOW_BATTERY_SHARE : 1;
    this.base.step(seconds);
    this.joints.step(seconds);
    this.postures.step();
    this.speech.step(seconds);
    this.lights.step(seconds);
    const load = {
      isDriving: this.base.isActive,
      isSpeaking: this.speech.isSpeaking,
      isOnDock: isOnDock(this.plan, this.base.pose),
    };
    this.battery.step(seconds, load);
  }

  #setAwake(isAwake: boolean): void {
    if (this.#isAwake === isAwake) return;
    this.#isAwake = isAwake;
    this.memory.raise('robotIsWakeUp', isAwake);
    this.awakeChanged.tell(isAwake);
  }

  /** The events by which NAOqi tells what happens to the robot. */
  #remember(): void {
    const { memory } = this;
    memory.insert('RobotConfig/Body/Type', 'Pepper');
    memory.insert('robotIsWakeUp', true);
    memory.raise('RobotHasFallen', false);
    memory.raise('BatteryChargeChanged', this.battery.charge);
    memory.raise('BatteryPowerPluggedChanged', false);
    memory.raise('PostureChanged', this.postures.current);
    for (const sensor of TOUCH_SENSORS) memory.raise(sensor, 0);
    for (const key of [
      'TextStarted',
      'TextDone',
      'TextInterrupted',
      'CurrentWord',
      'CurrentSentence',
      'PositionOfCurrentWord',
      'Status',
    ]) {
      memory.declare(`ALTextToSpeech/${key}`);
    }
    memory.declare('ALMotion/MoveFailed');
    memory.declare('BatteryLowDetected');
    this.battery.chargeChanged.listen((charge) => {
      memory.raise('BatteryChargeChanged', charge);
      memory.raise('BatteryLowDetected', this.battery.isLow);
    });
    this.battery.pluggedChanged.listen((isPlugged) => memory.raise('BatteryPowerPluggedChanged', isPlugged));
    this.postures.changed.listen((posture) => memory.raise('PostureChanged', posture));
    this.base.blocked.listen((name) => {
      const { x, y } = this.base.pose;
      memory.raise('ALMotion/MoveFailed', ['Obstacle', name, [x, y]]);
    });
    this.speech.news.listen((news) => {
      const tell = (key: string, value: unknown): void => memory.raise(`ALTextToSpeech/${key}`, value);
      if (news.kind === 'word') {
        tell('CurrentWord', news.word);
        tell('PositionOfCurrentWord', news.position);
        return;
      }
      if (news.kind === 'sentence') return tell('CurrentSentence', news.sentence);
      tell('Status', [news.id, news.kind]);
      if (news.kind === 'started') tell('TextStarted', 1);
      if (news.kind === 'done') tell('TextDone', 1);
      if (news.kind === 'stopped') tell('TextInterrupted', 1);
    });
  }
}

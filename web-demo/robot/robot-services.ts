// The services the console uses, as NAOqi robots offer them. Layer: robot; types only.
// A robot may lack any of them, or some of their members: see follow.ts.
import type { Property, Signal } from '@qiway/sdk';

/** An ALMemory subscriber: `signal` comes with each value of the event. */
export interface MemorySubscriber {
  signal: Signal<[unknown]>;
}

export interface Services {
  ALMotion: {
    moveToward(x: number, y: number, theta: number): void;
    stopMove(): void;
    moveIsActive(): boolean;
    getRobotPosition(useSensors: boolean): number[];
    wakeUp(): void;
    rest(): void;
    robotIsWakeUp(): boolean;
    positionChanged: Signal<[number[]]>;
    /** Only the simulated robot: with the name of what is in the way. */
    moveBlocked: Signal<[string]>;
  };
  ALVideoDevice: {
    subscribeCamera(
      name: string,
      camera: number,
      resolution: number,
      colorSpace: number,
      framesPerSecond: number,
    ): string;
    getImageRemote(handle: string): unknown;
    unsubscribe(handle: string): boolean;
    unsubscribeAllInstances(name: string): boolean;
  };
  ALBattery: {
    getBatteryCharge(): number;
  };
  ALTextToSpeech: {
    say(text: string): void;
    stopAll(): void;
    wordSaid: Signal<[string]>;
    volume: Property<number>;
  };
  ALAudioDevice: {
    getOutputVolume(): number;
    setOutputVolume(percent: number): void;
  };
  ALRobotPosture: {
    getPostureList(): string[];
    getPosture(): string;
    goToPosture(name: string, speed: number): boolean;
    stopMove(): void;
    postureChanged: Signal<[string]>;
  };
  ALMemory: {
    getData(key: string): unknown;
    subscriber(event: string): MemorySubscriber;
  };
  ALLeds: {
    fadeRGB(group: string, color: number, seconds: number): void;
  };
  ALSystem: {
    robotName(): string;
  };
  SimulatedRoom: {
    plan(): unknown;
  };
}

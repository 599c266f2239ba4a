// Every service of the simulated robot by the name it is registered under.
import type { HostedObject } from '@qiway/protocol/objects/hosted-object';
import { createBattery } from './battery.ts';
import { createEcho } from './echo.ts';
import { createLeds } from './leds.ts';
import { createMemoryService } from './memory.ts';
import { createMotion } from './motion.ts';
import { createRobotPosture } from './robot-posture.ts';
import { createSimulatedRoom } from './simulated-room.ts';
import type { Surroundings } from './surroundings.ts';
import { createSystem } from './system.ts';
import { createTablet } from './tablet.ts';
import { createTextToSpeech } from './text-to-speech.ts';
import { createTouch } from './touch.ts';
import { createVideoDevice } from './video-device.ts';

export function createServices(surroundings: Surroundings): ReadonlyMap<string, HostedObject> {
  return new Map([
    ['ALMemory', createMemoryService(surroundings)],
    ['ALSystem', createSystem(surroundings)],
    ['ALBattery', createBattery(surroundings)],
    ['ALMotion', createMotion(surroundings)],
    ['ALRobotPosture', createRobotPosture(surroundings)],
    ['ALTextToSpeech', createTextToSpeech(surroundings)],
    ['ALLeds', createLeds(surroundings)],
    ['ALTouch', createTouch(surroundings)],
    ['ALTabletService', createTablet(surroundings)],
    ['ALVideoDevice', createVideoDevice(surroundings)],
    ['SimulatedRoom', createSimulatedRoom(surroundings)],
    ['QiwayEcho', createEcho(surroundings)],
  ]);
}

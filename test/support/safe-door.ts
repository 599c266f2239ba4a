// An agent in memory that has safety, and a robot that notes what moves it; its links can be cut.
import { createObject, type HostedObject, method } from '@qiway/protocol/objects/hosted-object';
import type { Transport } from '@qiway/protocol/session/transport';
import { createCounts } from '../../robot-agent/door/metrics.ts';
import { createSafety } from '../../robot-agent/safety/safety.ts';
import { type MemoryDoor, memoryDoor } from './memory-session.ts';

export interface SafeDoor {
  /** Hosts a mover as `ALMotion`. */
  readonly agent: MemoryDoor;
  /** What the robot did, with the time. */
  readonly log: string[];
  /** Another object that moves the robot. */
  mover(): HostedObject;
  /** The newest link ends, as a socket does whose program was killed. */
  cut(): void;
  /** Can a link be dialled? True, until told otherwise. */
  isThere: boolean;
}

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export async function safeDoor(): Promise<SafeDoor> {
  const log: string[] = [];
  let link: Transport | undefined;
  const agent = memoryDoor({
    told: () => ({ bus: 'up', classes: safety.told }),
    ownObject: (session) => {
      const object: HostedObject = createObject(
        safety.membersFor(session, (name, ...args) => {
          object.emit(name, ...args);
        }),
      );
      return object;
    },
    guard: (session) => safety.guardFor(session),
  });
  const { clock, bus } = agent;
  const safety = createSafety({ bus, clock, logger: quiet, counts: createCounts() });
  const mover = (): HostedObject =>
    createObject({
      moveToward: method('(fff)', 'v', (x: number) => void log.push(`${clock.now()} move ${x}`)),
      stopMove: method('()', 'v', () => void log.push(`${clock.now()} stop`)),
      picture: method('(I)', 'r', (bytes: number) => new Uint8Array(bytes)),
    });
  await bus.host('ALMotion', mover());
  const door: SafeDoor = { agent, log, mover, isThere: true, cut: () => link?.close(4408, 'cut') };
  agent.onDial = (dialled) => {
    if (!door.isThere) throw new Error('nobody there');
    link = dialled;
    return dialled;
  };
  return door;
}

// A robot at its owner, with an agent in memory behind it, on a clock that stands still: what it is told to do is noted. A fixture.
import type { QiwayError } from '@qiway/protocol/errors';
import { vi } from 'vitest';
import type { OpenedRobot } from '../../sdk/owner/open-robot.ts';
import { OwnedRobot } from '../../sdk/owner/owned-robot.ts';
import { TabDoor, type TabDoorOptions } from '../../sdk/owner/tab-door.ts';
import { type MemoryDoor, memoryDoor, randomBytes } from '../support/memory-session.ts';

export interface RobotLab {
  readonly agent: MemoryDoor;
  /** Begins to open when it is first asked for. */
  readonly robot: OwnedRobot;
  /** In order; queues and leads by their number. */
  readonly log: string[];
  /** How often the session was to give a sign of life, in order. */
  readonly beats: (number | undefined)[];
  /** Doors made, with what they tell the robot, in order. */
  readonly doors: { readonly door: TabDoor; readonly told: Pick<TabDoorOptions, 'onBeat' | 'onEnded'> }[];
  readonly closed: number[];
  fail: QiwayError | undefined;
  /** What it opens. */
  open(): Promise<OpenedRobot>;
  go(): void;
}

/** A robot that opens once told to go. */
export function robotLab(): RobotLab {
  const agent = memoryDoor();
  const { clock } = agent;
  const gone = Promise.withResolvers<void>();
  const log: string[] = [];
  const closed: number[] = [];
  const beats: (number | undefined)[] = [];
  const doors: RobotLab['doors'] = [];
  let served = 0;
  const serve = (what: string): (() => void) => {
    served += 1;
    const name = `${what} ${served} ends`;
    return () => log.push(name);
  };
  const open = async (): Promise<OpenedRobot> => {
    log.push('open');
    await gone.promise;
    if (lab.fail !== undefined) throw lab.fail;
    const session = await agent.open();
    const setBeat = session.setBeat.bind(session);
    vi.spyOn(session, 'setBeat').mockImplementation((everyMs) => {
      beats.push(everyMs);
      setBeat(everyMs);
    });
    return {
      session,
      probe: () => log.push('probe'),
      answer: () => {},
      lead: () => serve('lead'),
      serveQueue: () => serve('queue'),
      openDoor: (transport, told) => {
        const door = new TabDoor(transport, { session, clock, random: randomBytes, ...told });
        doors.push({ door, told });
        return door;
      },
    };
  };
  let robot: OwnedRobot | undefined;
  const lab: RobotLab = {
    agent,
    log,
    beats,
    doors,
    closed,
    fail: undefined,
    get robot() {
      robot ??= new OwnedRobot({ open, clock, onClosed: () => closed.push(clock.now()) });
      return robot;
    },
    open,
    go: gone.resolve,
  };
  return lab;
}

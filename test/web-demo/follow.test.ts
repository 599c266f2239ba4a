// Holding on to services over breaks of the link, new sessions and a bus that goes and comes back.
import { QiwayError } from '@qiway/protocol/errors';
import type { Robot, ServiceChange, Status } from '@qiway/sdk';
import { beforeEach, describe, expect, it } from 'vitest';
import { followServices } from '../../web-demo/robot/follow.ts';
import type { Services } from '../../web-demo/robot/robot-services.ts';
import { ONLINE } from '../support/online-status.ts';
import { settled, type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

/** As much of a robot as is followed. */
class FakeRobot {
  status: Status = ONLINE;
  failure: QiwayError | undefined;
  readonly #services = new Set<(change: ServiceChange) => void>();
  readonly #statuses = new Set<(status: Status) => void>();

  async services(): Promise<unknown[]> {
    if (this.failure !== undefined) throw this.failure;
    return [{ name: 'ALLeds' }];
  }

  async service(name: string): Promise<unknown> {
    if (this.failure !== undefined) throw this.failure;
    return { name };
  }

  onServiceChange(listener: (change: ServiceChange) => void): () => void {
    this.#services.add(listener);
    return () => this.#services.delete(listener);
  }

  onStatusChange(listener: (status: Status) => void): () => void {
    this.#statuses.add(listener);
    return () => this.#statuses.delete(listener);
  }

  tell(changes: Partial<Status>): void {
    this.status = { ...ONLINE, ...changes };
    for (const listener of this.#statuses) listener(this.status);
  }
}

let clock: VirtualClock;
let robot: FakeRobot;
let log: string[];
beforeEach(() => {
  clock = virtualClock();
  robot = new FakeRobot();
  log = [];
});

function follow(): () => void {
  return followServices({
    robot: robot as unknown as Robot<Services>,
    after: clock.after,
    onServices: () => undefined,
    onProblem: (service, error) => log.push(`problem ${service} ${String(error)}`),
    attachments: {
      ALLeds: (_leds, scope) => {
        log.push('attached');
        scope.add(() => log.push('let go'));
      },
    },
  });
}
const lost = { reason: new QiwayError('link-lost', 'new session'), calls: 0, objects: 1 };

describe('services that are followed', () => {
  it('stay attached while the link is made anew and the session goes on', async () => {
    follow();
    await settled();
    robot.tell({ state: 'offline' });
    robot.tell({ session: 'resumed' });
    await settled();
    expect(log).toEqual(['attached']);
  });

  it('are attached anew, once, when a new session took the place of the old', async () => {
    follow();
    await settled();
    robot.tell({ state: 'offline' });
    robot.tell({ state: 'offline', lost });
    robot.tell({ lost });
    robot.tell({ lost, rttMs: 7 });
    await settled();
    expect(log).toEqual(['attached', 'let go', 'attached']);
  });

  it('are let go of while the bus is down', async () => {
    follow();
    await settled();
    robot.tell({ bus: 'down' });
    await settled();
    expect(log).toEqual(['attached', 'let go']);
    robot.tell({});
    await settled();
    expect(log).toEqual(['attached', 'let go', 'attached']);
  });

  it('are asked for until the link is back, and no longer once nobody follows', async () => {
    robot.failure = new QiwayError('offline', 'no link');
    follow();
    await clock.advance(2000);
    expect(log).toEqual([]);
    robot.failure = undefined;
    await clock.advance(500);
    expect(log).toEqual(['attached']);
    robot.failure = new QiwayError('offline', 'no link');
    const stop = follow();
    await clock.advance(600);
    stop();
    robot.failure = undefined;
    await clock.advance(2000);
    expect(log).toEqual(['attached']);
  });

  it('that fail for a reason of their own are told', async () => {
    robot.failure = new QiwayError('internal', 'broken');
    follow();
    await settled();
    expect(log).toEqual(['problem ServiceDirectory QiwayError: [internal] broken']);
  });
});

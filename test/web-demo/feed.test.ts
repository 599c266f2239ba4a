// What the console goes on showing of a robot that loses its services: one after the other, as when it is switched off.
import type { Robot, ServiceChange, Status } from '@qiway/sdk';
import { beforeEach, expect, it } from 'vitest';
import { feedRobotState } from '../../web-demo/robot/feed.ts';
import type { Services } from '../../web-demo/robot/robot-services.ts';
import { createRobotState, type RobotState } from '../../web-demo/robot/robot-state.ts';
import { ONLINE } from '../support/online-status.ts';
import { settled, type VirtualClock, virtualClock } from '../support/virtual-clock.ts';

const PLAN = { walls: [{ x1: 0, y1: 0, x2: 1, y2: 0 }] };

/** A robot whose only service that tells anything is its room. */
class FakeRobot {
  status: Status = ONLINE;
  tell: (change: ServiceChange) => void = () => {};
  readonly names = ['SimulatedRoom', 'Greeter'];

  async services(): Promise<unknown[]> {
    return this.names.map((name) => ({ name }));
  }

  async service(): Promise<unknown> {
    return { plan: async () => PLAN };
  }

  onServiceChange(listener: (change: ServiceChange) => void): () => void {
    this.tell = listener;
    return () => {};
  }

  onStatusChange(): () => void {
    return () => {};
  }

  lose(name: string): void {
    this.tell({ kind: 'removed', name } as ServiceChange);
  }
}

let clock: VirtualClock;
let robot: FakeRobot;
let state: RobotState;
let stop: () => void;
beforeEach(async () => {
  clock = virtualClock();
  robot = new FakeRobot();
  state = createRobotState();
  stop = feedRobotState(state, {
    robot: robot as unknown as Robot<Services>,
    after: clock.after,
    onRobot: () => {},
    onProblem: (service, error) => {
      throw new Error(service, { cause: error });
    },
  });
  await settled();
  expect(state.plan.value?.walls).toHaveLength(1);
});

it('the plan stays when the room is the first to leave, and the rest follows', async () => {
  robot.lose('SimulatedRoom');
  await clock.advance(4999);
  robot.lose('Greeter');
  await clock.advance(60_000);
  expect(state.plan.value?.walls).toHaveLength(1);
  stop();
});

it('the plan stays when the link goes before the rest was heard to leave', async () => {
  robot.lose('SimulatedRoom');
  robot.status = { ...ONLINE, state: 'offline' };
  await clock.advance(60_000);
  expect(state.plan.value?.walls).toHaveLength(1);
  stop();
});

it('a robot that is there and has no room any more has no plan', async () => {
  robot.lose('SimulatedRoom');
  await clock.advance(5000);
  expect(state.plan.value).toBeUndefined();
  stop();
});

it('nothing of a robot is dropped once another is shown', async () => {
  robot.lose('SimulatedRoom');
  stop();
  await clock.advance(60_000);
  expect(state.plan.value?.walls).toHaveLength(1);
});

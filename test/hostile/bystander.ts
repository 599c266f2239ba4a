// A session that does its work while others attack: it must get every answer, and every event once and in order.
import { connect, type ObjectArgument, type RemoteObject, type Robot, type Signal } from '@qiway/sdk';
import { expect } from 'vitest';

interface Thing {
  touch(): number;
  readonly touched: Signal<[number]>;
}

export interface TargetProxy {
  step(who: string, step: number): number;
  lengthOf(raw: Uint8Array): number;
  rawOf(size: number): Uint8Array;
  dynamic(value: unknown): unknown;
  flood(count: number): void;
  never(): void;
  thing(): RemoteObject<Thing>;
  keep(given: ObjectArgument): void;
  readonly stepped: Signal<[string, number]>;
  readonly flooded: Signal<[Uint8Array]>;
}

export type TargetRobot = Robot<{ Target: TargetProxy }>;

/** Somebody who calls and listens without end. */
export interface Worker {
  /** Resolves after some more answers: the agent served others in the meantime. */
  more(count: number): Promise<void>;
  /** Stops, and checks that nothing was lost. Returns the longest wait for an answer, ms. */
  finish(): Promise<number>;
}

export interface Bystander extends Worker {
  readonly robot: TargetRobot;
}

/** An attack may slow the agent down, not stop it. */
const MAX_WAIT_MS = 5000;

export async function bystander(url: string, who = 'bystander'): Promise<Bystander> {
  const robot: TargetRobot = await connect<{ Target: TargetProxy }>(url);
  const { more, finish } = await worker(await robot.service('Target'), who);
  return {
    robot,
    more,
    finish: async () => {
      const slowestMs = await finish();
      expect(robot.status.state).toBe('online');
      await robot.close();
      return slowestMs;
    },
  };
}

/** Works with a `Target`, whichever way it was reached. */
export async function worker(target: RemoteObject<TargetProxy>, who: string): Promise<Worker> {
  const heard: number[] = [];
  await target.stepped.connect((from, step) => {
    if (from === who) heard.push(step);
  });
  let answered = 0;
  let slowestMs = 0;
  let isStopped = false;
  const waiting = new Set<() => void>();
  const work = async (): Promise<void> => {
    while (!isStopped) {
      const beganMs = performance.now();
      expect(await target.step(who, answered)).toBe(answered + 1);
      slowestMs = Math.max(slowestMs, performance.now() - beganMs);
      answered += 1;
      for (const look of [...waiting]) look();
    }
  };
  const working = work();
  working.catch(() => {});
  return {
    more: (count) => {
      const goal = answered + count;
      const reached = new Promise<void>((resolve) => {
        const look = (): void => {
          if (answered < goal) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
      });
      return Promise.race([reached, working]);
    },
    finish: async () => {
      isStopped = true;
      await working;
      expect(answered).toBeGreaterThan(0);
      expect(heard).toEqual(Array.from({ length: answered }, (_, step) => step));
      expect(slowestMs).toBeLessThan(MAX_WAIT_MS);
      return slowestMs;
    },
  };
}

// The robot's bus goes away in mid-traffic, again and again: sessions stay, calls fail at once, and everything comes back.
import { connect, isQiwayError } from '@qiway/sdk';
import { afterEach, expect, test } from 'vitest';
import type { TargetProxy, TargetRobot } from './bystander.ts';
import { type AgentProcess, type Child, type RobotProcess, startAgent, startRobot } from './processes.ts';

/** The agent tries again after a second, so two robots share the work. */
const ROBOTS = 2;
const TIMES = 10;
/** What a call may fail with while there is no bus. */
const CODES = ['bus-down', 'service-gone', 'service-not-found', 'object-gone'];
/** Of a call when there is no bus, ms; a busy machine needs some of it. */
const FAST_MS = 1000;

const children: Child[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) await child.end();
});

/** Calls until a call fails; the failure, and that it came fast. */
async function callUntilFailure(robot: TargetRobot, begun: () => void): Promise<number> {
  const target = await robot.service('Target');
  const never = target.never.with({ timeoutMs: 0 })();
  never.catch(() => {});
  for (let step = 0; ; step += 1) {
    const beganMs = performance.now();
    try {
      await target.step('traffic', step);
      // The endless call was sent before this one.
      begun();
    } catch (error) {
      expect(isQiwayError(error) && error.code).toSatisfy((code: string) => CODES.includes(code));
      expect(performance.now() - beganMs).toBeLessThan(FAST_MS);
      await expect(never).rejects.toMatchObject({ code: expect.stringMatching(CODES.join('|')), maybeExecuted: true });
      return step;
    }
  }
}

async function comeAndGo(robotProcess: RobotProcess, agent: AgentProcess): Promise<void> {
  const robot: TargetRobot = await connect<{ Target: TargetProxy }>(agent.url);
  const added: string[] = [];
  robot.onServiceChange(({ kind, name }) => kind === 'added' && added.push(name));
  await robot.host('BeforeIt', { ask: () => 1 });
  for (let time = 0; time < TIMES; time += 1) {
    const traffic: Promise<number>[] = [];
    for (let each = 0; each < 3; each += 1)
      await new Promise<void>((begun, failed) => {
        const calling = callUntilFailure(robot, begun);
        calling.catch(failed);
        traffic.push(calling);
      });
    const off = await (await robot.service('Target')).stepped.connect(() => {});
    await robotProcess.ask('stop');
    for (const steps of await Promise.all(traffic)) expect(steps).toBeGreaterThan(0);
    await off();
    const beganMs = performance.now();
    await expect(robot.service('Target')).rejects.toMatchObject({ code: expect.stringMatching(CODES.join('|')) });
    expect(performance.now() - beganMs).toBeLessThan(FAST_MS);
    expect(robot.status.state).toBe('online');
    if (time === 0) await robot.host('WhileDown', { ask: () => 2 });
    const back = new Promise<void>((resolve) => {
      const stop = robot.onServiceChange(({ kind, name }) => {
        if (kind !== 'added' || name !== 'Target') return;
        stop();
        resolve();
      });
    });
    await robotProcess.ask('begin');
    await back;
    const target = await robot.service('Target');
    const heard: number[] = [];
    await target.stepped.connect((_, step) => heard.push(step));
    expect(await target.step('back', time)).toBe(time + 1);
    expect(heard).toEqual([time]);
  }
  expect(await agent.metric('qiway_sessions_total')).toBe(1);
  // What the page hosts is on the robot's bus again, also what it began to host while there was none.
  await expect
    .poll(() => robotProcess.ask('names'), { timeout: 5000 })
    .toEqual(expect.arrayContaining(['BeforeIt', 'WhileDown']));
  await robot.close();
  await expect.poll(() => robotProcess.ask('names'), { timeout: 5000 }).toEqual(['ServiceDirectory', 'Target']);
  expect(await agent.metric('qiway_sessions')).toBe(0);
}

test(`the bus goes ${ROBOTS * TIMES} times while calls are under way`, async () => {
  const pairs = await Promise.all(
    Array.from({ length: ROBOTS }, async () => {
      const robotProcess = await startRobot();
      const agent = await startAgent(robotProcess.url);
      children.push(robotProcess, agent);
      return { robotProcess, agent };
    }),
  );
  const before = await Promise.all(pairs.map(({ agent }) => agent.memory()));
  await Promise.all(pairs.map(({ robotProcess, agent }) => comeAndGo(robotProcess, agent)));
  for (const [index, { agent, robotProcess }] of pairs.entries()) {
    expect([agent.isAlive, robotProcess.isAlive]).toEqual([true, true]);
    expect(await agent.memory()).toBeLessThan((before[index] ?? 0) * 1.5);
  }
});

// The robot's bus goes away in mid-traffic, again and again: sessions stay, calls fail at once, and everything goes on with
// the same objects when it is back.
import { connect } from '@qiway/sdk';
import { afterEach, expect, test } from 'vitest';
import { failureText } from '../support/failure-text.ts';
import type { TargetProxy, TargetRobot } from './bystander.ts';
import { type AgentProcess, BEARER, type Child, type RobotProcess, startAgent, startRobot } from './processes.ts';

/** The agent tries again after a second, so two robots share the work. */
const ROBOTS = 2;
const TIMES = 10;
/** Of a call when there is no bus, ms; a busy machine needs some of it. */
const FAST_MS = 1000;
/** Of each test, ms: the bus is away for a second each time. */
const LONG_MS = 60_000;

const children: Child[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) await child.end();
});

type Target = Awaited<ReturnType<typeof targetOf>>;
function targetOf(robot: TargetRobot) {
  return robot.service('Target');
}

/** Calls until a call fails, and once more. */
async function callUntilFailure(target: Target, begun: () => void): Promise<number> {
  const never = failureText(target.never.with({ timeoutMs: 0 })());
  for (let step = 0; ; step += 1) {
    const failure = await failureText(target.step('traffic', step));
    // The endless call was sent before this one.
    begun();
    if (failure === 'none') continue;
    expect(['bus-down', 'bus-down maybe']).toContain(failure);
    const beganMs = performance.now();
    expect(await failureText(target.step('traffic', step))).toBe('bus-down');
    expect(performance.now() - beganMs).toBeLessThan(FAST_MS);
    expect(await never).toBe('bus-down maybe');
    return step;
  }
}

/** A subscriber: what it heard of the robot, with the gaps. */
async function subscriber(target: Target): Promise<{ readonly heard: unknown[]; next(count: number): Promise<void> }> {
  const heard: unknown[] = [];
  let look = (): void => {};
  const take = (what: unknown): void => {
    heard.push(what);
    look();
  };
  await target.stepped.connect((who, step) => who === 'robot' && take(step), {
    gap: (missed) => take(missed ?? 'gap'),
    gone: (error) => take(error.code),
  });
  const next = (count: number): Promise<void> =>
    new Promise((resolve) => {
      look = () => heard.length >= count && resolve();
      look();
    });
  return { heard, next };
}

interface Loss {
  readonly robot: TargetRobot;
  readonly target: Target;
  readonly agent: AgentProcess;
  readonly stop: () => Promise<unknown>;
  /** Gives the robot that is there then. */
  readonly begin: () => Promise<RobotProcess>;
  readonly time: number;
}

async function goOnThrough(
  { robot, target, agent, stop, begin, time }: Loss,
  heardBy: readonly Subscriber[],
): Promise<void> {
  const traffic: Promise<number>[] = [];
  for (let each = 0; each < 3; each += 1)
    await new Promise<void>((begun, failed) => {
      const calling = callUntilFailure(target, begun);
      calling.catch(failed);
      traffic.push(calling);
    });
  const thing = await target.thing();
  const streaming = await fetch(`${agent.origin}/robot/services/Target/stepped`, {
    headers: { ...BEARER, accept: 'text/event-stream' },
  });
  await stop();
  for (const steps of await Promise.all(traffic)) expect(steps).toBeGreaterThan(0);
  expect(robot.status).toMatchObject({ state: 'online', bus: 'down' });
  const asked = await fetch(`${agent.origin}/robot/services/Target/step`, {
    method: 'POST',
    headers: { ...BEARER, 'content-type': 'application/json' },
    body: '["http", 1]',
  });
  expect([asked.status, await asked.json()]).toMatchObject([503, { code: 'bus-down' }]);
  expect(await failureText(robot.service('Nobody' as 'Target'))).toBe('bus-down');
  const waiting = target.step.with({ whenBusDown: 'wait', timeoutMs: 30_000 })('waiting', time);
  const robotProcess = await begin();
  expect(await waiting).toBe(time + 1);
  expect(robot.status.bus).toBe('up');
  expect(await failureText(thing.touch())).toBe('object-gone');
  for (const { next } of heardBy) await next(1);
  await robotProcess.ask('emit', 3);
  for (const { heard, next } of heardBy) {
    await next(4);
    expect(heard.splice(0)).toEqual(['gap', 0, 1, 2]);
  }
  expect(await readUntil(streaming, '"robot",2')).toMatch(/event: gap\ndata: {"missed":null}\n\nid: .*\n.*"robot",0/);
  const steps = (await robotProcess.ask('steps')) as string[];
  expect(steps.filter((step) => step === `waiting ${time}`)).toHaveLength(1);
  await expect.poll(() => robotProcess.ask('call', ['BeforeIt', 'ask']), { timeout: 5000 }).toBe(1);
}

type Subscriber = Awaited<ReturnType<typeof subscriber>>;

/** What a stream says after the bystanders' traffic, to where `end` is. */
async function readUntil({ body }: Response, end: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  if (body !== null)
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true });
      if (text.includes(end)) break;
    }
  return text.replace(/id: .*\ndata: \["(traffic|waiting)",.*\n\n/g, '');
}

async function comeAndGo(robotProcess: RobotProcess, agent: AgentProcess): Promise<void> {
  const robot: TargetRobot = await connect<{ Target: TargetProxy }>(agent.url);
  const changes: string[] = [];
  robot.onServiceChange(({ kind, name }) => changes.push(`${kind} ${name}`));
  await robot.host('BeforeIt', { ask: () => 1 });
  const target = await targetOf(robot);
  const heardBy = [await subscriber(target), await subscriber(target)];
  for (let time = 0; time < TIMES; time += 1) {
    const stop = (): Promise<unknown> => robotProcess.ask('stop');
    const begin = async (): Promise<RobotProcess> => {
      if (time === 0) await robot.host('WhileDown', { ask: () => 2 });
      await robotProcess.ask('begin');
      return robotProcess;
    };
    await goOnThrough({ robot, target, agent, stop, begin, time }, heardBy);
  }
  expect(await agent.metric('qiway_sessions_total')).toBe(1);
  expect(changes).toEqual(['added BeforeIt', 'added WhileDown']);
  // What the page hosts is on the robot's bus again, also what it began to host while there was none.
  await expect
    .poll(() => robotProcess.ask('names'), { timeout: 5000 })
    .toEqual(expect.arrayContaining(['BeforeIt', 'WhileDown']));
  await robot.close();
  await expect.poll(() => robotProcess.ask('names'), { timeout: 5000 }).toEqual(['ServiceDirectory', 'Target']);
  expect(await agent.metric('qiway_sessions')).toBe(0);
}

test(
  `the bus goes ${ROBOTS * TIMES} times while calls are under way`,
  async () => {
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
  },
  LONG_MS,
);

test(
  'the process of the directory is killed, and another one takes its place',
  async () => {
    let robotProcess = await startRobot();
    const agent = await startAgent(robotProcess.url);
    children.push(robotProcess, agent);
    const robot: TargetRobot = await connect<{ Target: TargetProxy }>(agent.url);
    await robot.host('BeforeIt', { ask: () => 1 });
    const target = await targetOf(robot);
    const heardBy = [await subscriber(target)];
    for (let time = 0; time < 3; time += 1) {
      const { url, end } = robotProcess;
      const begin = async (): Promise<RobotProcess> => {
        robotProcess = await startRobot(url);
        children.push(robotProcess);
        return robotProcess;
      };
      await goOnThrough({ robot, target, agent, stop: end, begin, time }, heardBy);
    }
    await robot.close();
  },
  LONG_MS,
);

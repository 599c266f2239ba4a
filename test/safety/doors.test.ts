// A lease and a failsafe at an agent with all its doors: links, HTTP, qi programs; the robot's own bus is not asked.
import type { BusObject } from '@qiway/protocol/bus/bus';
import { callObject } from '@qiway/protocol/bus/call';
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import { encodePayload, plainObjects } from '@qiway/protocol/objects/values';
import { systemClock } from '@qiway/protocol/transport/system-clock';
import { connect, type Robot } from '@qiway/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Agent, startAgent } from '../../robot-agent/agent.ts';
import { createLogger } from '../../robot-agent/logger.ts';
import { EmbeddedBus, joinBus, listenBus, tokenAuthenticator } from '../../robot-agent/qi/index.ts';
import { ANY_PORT, agentConfig, TOKEN } from '../support/agent-config.ts';

interface Services {
  ALMotion: {
    moveToward(x: number, y: number, theta: number): void;
    stopMove(): void;
  };
}

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

let agent: Agent;
let inner: EmbeddedBus;
let log: string[];
let lines: string;
/** Resolves with the next line of the robot's log. */
let nextEntry: () => Promise<string>;

beforeEach(async () => {
  log = [];
  lines = '';
  const waiting: ((entry: string) => void)[] = [];
  const note = (entry: string): void => {
    log.push(entry);
    for (const settle of waiting.splice(0)) settle(entry);
  };
  nextEntry = () => new Promise((resolve) => waiting.push(resolve));
  inner = new EmbeddedBus({ machineId: 'robot', processId: 1, sessionId: 'inner' });
  const listening = await listenBus(inner, 'tcp://127.0.0.1:0');
  closers.push(() => listening.close());
  await inner.host(
    'ALMotion',
    createObject({
      moveToward: method('(fff)', 'v', (x: number, y: number, theta: number) => note(`move ${x} ${y} ${theta}`)),
      stopMove: method('()', 'v', () => note('stop')),
    }),
  );
  const write = (line: string): void => {
    lines += line;
  };
  agent = await startAgent(agentConfig({ bus: listening.url, log: 'info', qiListen: [ANY_PORT] }), {
    logger: createLogger(write, 'info'),
    clock: systemClock,
  });
  closers.push(() => agent.close());
});

async function driver(): Promise<Robot<Services>> {
  const robot = await connect<Services>(agent.url);
  closers.push(() => robot.close());
  return robot;
}

async function overHttp(member: string, args: unknown): Promise<{ status: number; code?: string }> {
  const response = await fetch(`${agent.origin}/robot/services/ALMotion/${member}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify(args),
  });
  const { code } = (await response.json()) as { code?: string };
  return { status: response.status, ...(code !== undefined && { code }) };
}

async function qiMotion(): Promise<BusObject> {
  const url = agent.qiUrls[0] ?? '';
  const bus = await joinBus(url, { authenticator: tokenAuthenticator({ user: 'tablet', token: TOKEN }) });
  closers.push(() => bus.close());
  return bus.service('ALMotion');
}

function callRaw(object: BusObject, name: string, args: readonly unknown[]): Promise<unknown> {
  const found = [...object.metaObject.methods.values()].find((one) => one.name === name);
  const payload = encodePayload(found?.parametersSignature ?? '()', args, plainObjects);
  return callObject(object, { action: found?.uid ?? 0, payload }, { clock: systemClock, timeoutMs: 5_000 });
}

describe('a lease', () => {
  it('stands at every door, and not on the robot itself', async () => {
    const robot = await driver();
    const program = await qiMotion();
    await callRaw(program, 'moveToward', [1, 0, 0]);
    const lease = await robot.lease(['ALMotion']);
    expect(await overHttp('moveToward', [2, 0, 0])).toEqual({ status: 423, code: 'lease-held' });
    await expect(callRaw(program, 'moveToward', [3, 0, 0])).rejects.toThrow(/exclusive control of ALMotion/);
    await callRaw(await inner.service('ALMotion'), 'moveToward', [4, 0, 0]);
    await callRaw(await inner.service('ALMotion'), 'stopMove', []);
    await (await robot.service('ALMotion')).moveToward(5, 0, 0);
    await lease.release();
    expect(await overHttp('moveToward', [6, 0, 0])).toEqual({ status: 200 });
    expect(log).toEqual(['move 1 0 0', 'move 4 0 0', 'stop', 'move 5 0 0', 'move 6 0 0']);
  });

  it('ends by a stop that comes by any of them', async () => {
    const robot = await driver();
    const [motion, program] = [await robot.service('ALMotion'), await qiMotion()];
    const stops = [(): Promise<unknown> => overHttp('stopMove', []), () => callRaw(program, 'stopMove', [])];
    for (const stop of stops) {
      const lease = await robot.lease(['ALMotion']);
      await motion.moveToward(1, 0, 0);
      await stop();
      expect(await lease.lost).toMatchObject({ code: 'lease-lost', data: { reason: 'stopped' } });
      await expect(motion.moveToward(2, 0, 0)).rejects.toMatchObject({ code: 'lease-lost' });
    }
    expect(log).toEqual(['move 1 0 0', 'stop', 'move 1 0 0', 'stop']);
  });
});

describe('a failsafe', () => {
  it('is kept from firing by a program that does nothing, and not fired by closing in order', async () => {
    const robot = await driver();
    const states: unknown[] = [];
    robot.onStatusChange(({ failsafe }) => states.push(failsafe?.state));
    await robot.failsafe({ afterMs: 300, calls: ['ALMotion.stopMove'] });
    await new Promise<void>((resolve) => systemClock.after(1_500, resolve)); // five times its time
    expect(robot.status.failsafe).toEqual({ afterMs: 300, state: 'armed' });
    await robot.close();
    await expect.poll(() => lines).toContain('session ended');
    expect(log).toEqual([]);
    expect(states).not.toContain('fired');
  });

  it('is fired by an agent that ends, before it lets go of the robot', async () => {
    const robot = await driver();
    await robot.failsafe({ afterMs: 60_000, calls: ['ALMotion.stopMove'] });
    const stopped = nextEntry();
    await agent.close();
    expect(await stopped).toBe('stop');
  });
});

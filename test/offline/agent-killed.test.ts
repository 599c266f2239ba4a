// Calls that wait, against a real agent that is killed again and again: each runs once, or is reported as interrupted.
// The robot's bus and its services are here, where no kill reaches.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createObject, method } from '@qiway/protocol/objects/hosted-object';
import { EmbeddedBus, listenBus } from '@qiway/robot-agent/qi';
import { connect, queue } from '@qiway/sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkout } from '../support/checkout-copy.ts';
import { type Program, startProgram } from '../support/program.ts';
import { outcomeOf } from './queue-lab.ts';

const SERVICES = ['One', 'Two', 'Three', 'Four'];
const CALLS = 400;
const KILLS = 5;

/** How often each call ran. */
let ran: Map<string, number>;
let onRun: () => void;
let folder: string;
let agent: Program;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  ran = new Map();
  onRun = () => {};
  folder = mkdtempSync(join(tmpdir(), 'qiway-killed-'));
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true });
});

async function robotBus(): Promise<string> {
  const bus = new EmbeddedBus({ machineId: 'robot', processId: process.pid, sessionId: 'robot' });
  const listening = await listenBus(bus, 'tcp://127.0.0.1:0');
  closing.push(async () => {
    await listening.close();
    await bus.close();
  });
  const count = (key: string): string => {
    ran.set(key, (ran.get(key) ?? 0) + 1);
    onRun();
    return key;
  };
  for (const name of SERVICES) await bus.host(name, createObject({ count: method('(s)', 's', count) }));
  return listening.url;
}

test('each call runs once over kills of the agent, in the order of its service', async () => {
  const bus = await robotBus();
  const start = (listen: string): Program =>
    startProgram(join(checkout, 'robot-agent/main.ts'), ['--listen', listen, '--bus', bus, '--state', folder]);
  agent = start('127.0.0.1:0');
  closing.push(() => agent.end('SIGKILL'));
  const [url] = await agent.said(/^http:\/\/\S+#\S+$/);
  await agent.said(/bus is up/);
  const robot = await connect(url, { onError: () => {} });
  closing.push(() => robot.close());
  const services = await Promise.all(SERVICES.map((name) => robot.service(name)));
  const keys = Array.from({ length: CALLS }, (_, index) => `call-${index}`);
  const enough = (count: number): Promise<void> =>
    new Promise((resolve) => {
      onRun = () => ran.size >= count && resolve();
    });

  let first = enough(CALLS / (KILLS + 1));
  const outcomes = keys.map((key, index) => {
    const service = services[index % services.length];
    return outcomeOf(service!['count']!.with({ offline: queue({ ttlMs: 600_000 }) })(key));
  });
  for (let kill = 1; kill <= KILLS; kill += 1) {
    await first;
    first = enough(ran.size + CALLS / (KILLS + 1) - 10);
    await agent.end('SIGKILL');
    agent = start(new URL(url).host);
    await agent.said(/^http:\/\/\S+#\S+$/);
  }
  await expect.poll(() => outcomes.filter(({ value }) => value === undefined).length, { timeout: 40_000 }).toBe(0);

  let interrupted = 0;
  for (const [index, key] of keys.entries()) {
    const value = outcomes[index]?.value;
    if (value === 'interrupted maybe') {
      interrupted += 1;
      expect([key, ran.get(key) ?? 0]).toEqual([key, expect.toBeOneOf([0, 1])]);
    } else expect([key, value, ran.get(key)]).toEqual([key, key, 1]);
  }
  expect(interrupted).toBeLessThanOrEqual(KILLS * SERVICES.length);
  const order = [...ran.keys()].map((key) => Number(key.slice('call-'.length)));
  for (let lane = 0; lane < SERVICES.length; lane += 1) {
    const own = order.filter((index) => index % SERVICES.length === lane);
    expect(own).toEqual(own.toSorted((a, b) => a - b));
  }
  expect(robot.queue.length).toBe(0);
}, 90_000);

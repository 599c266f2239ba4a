// Real processes and a network that breaks: an agent, a program of the robot, and an SDK whose every link goes through a
// proxy that cuts it, some three times a second, wherever it is. Nothing is lost, doubled or out of order.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isQiwayError } from '@qiway/protocol/errors';
import { connect, type Robot } from '@qiway/sdk';
import { afterEach, expect, test } from 'vitest';
import { type Program, startProgram } from '../support/program.ts';
import { type CuttingProxy, startCuttingProxy } from './cutting-proxy.ts';

const SEED = 4;
const CALLS = 20_000;
const EVENTS = 100_000;
const CUTS = 200;
const IN_FLIGHT = 16;

interface Services {
  Counted: {
    ask(number: number): Promise<number>;
    asked(): Promise<number[]>;
    emitUpTo(count: number): Promise<void>;
    readonly counted: import('@qiway/sdk').Signal<[number]>;
  };
}

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function program(path: string, ...args: string[]): Program {
  const started = startProgram(fileURLToPath(new URL(path, import.meta.url)), args);
  ends.push(() => started.end('SIGKILL'));
  return started;
}

/** Every WebSocket goes through the proxy, whatever address the agent announces. */
function redirect(port: number): void {
  const { WebSocket: Real } = globalThis;
  globalThis.WebSocket = class extends Real {
    constructor(url: string | URL, protocols?: string | string[]) {
      const through = new URL(url);
      through.port = String(port);
      super(through, protocols);
    }
  };
  ends.push(() => {
    globalThis.WebSocket = Real;
  });
}

async function start(): Promise<{ robot: Robot<Services>; proxy: CuttingProxy }> {
  const state = mkdtempSync(join(tmpdir(), 'qiway-cuts-'));
  ends.push(() => rmSync(state, { recursive: true, force: true }));
  const agent = program(
    '../../robot-agent/main.ts',
    ...['--bus-listen', 'tcp://127.0.0.1:0', '--listen', '127.0.0.1:0', '--state', state, '--no-mdns'],
    '--seal',
  );
  const [url] = await agent.said(/http:\/\/127\.0\.0\.1:\d+\/#\S+/);
  const [busUrl] = await agent.said(/tcp:\/\/127\.0\.0\.1:\d+/);
  await program('./counted-service.ts', busUrl).said(/ready/);
  const proxy = await startCuttingProxy(Number(new URL(url).port), SEED);
  ends.push(() => proxy.close());
  redirect(proxy.port);
  const robot = await firstLink(url);
  ends.push(() => robot.close());
  return { robot, proxy };
}

/** The first one may be cut, too. */
async function firstLink(url: string): Promise<Robot<Services>> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await connect<Services>(url);
    } catch (error) {
      if (attempt === 50) throw error;
    }
  }
}

async function online(robot: Robot<Services>): Promise<void> {
  for await (const { state } of robot.statusChanges()) if (state === 'online') return;
}

test(`${CALLS} calls and ${EVENTS} events over a link that is cut ${CUTS} times`, async () => {
  const { robot, proxy } = await start();
  const counted = await robot.service('Counted');
  const heard: number[] = [];
  const gaps: (number | undefined)[] = [];
  await counted.counted.connect((number) => void heard.push(number), { gap: (missed) => gaps.push(missed) });
  /** Numbers of calls that were answered, and of those that were refused: nothing was sent. */
  const answered: number[] = [];
  const refused = new Set<number>();
  let next = 0;
  const isEnough = (): boolean => answered.length >= CALLS && heard.length >= EVENTS && proxy.cuts >= CUTS;
  const keepAsking = async (): Promise<void> => {
    while (!isEnough()) {
      const number = next++;
      try {
        answered.push(await counted.ask(number));
      } catch (error) {
        if (!isQiwayError(error) || error.code !== 'offline') throw error;
        expect(error.maybeExecuted).toBe(false);
        refused.add(number);
        await online(robot);
      }
    }
  };
  await whenOnline(robot, () => counted.emitUpTo(EVENTS));
  await Promise.all(Array.from({ length: IN_FLIGHT }, keepAsking));
  proxy.calm();
  const asked = await whenOnline(robot, () => counted.asked());
  expect(proxy.cuts).toBeGreaterThanOrEqual(CUTS);
  expect(gaps).toEqual([]);
  expect(heard.length).toBe(EVENTS);
  expect(heard.findIndex((number, index) => number !== index + 1)).toBe(-1);
  // In the order in which they were made, each once, and those that were refused not at all.
  const made = Array.from({ length: next }, (_, number) => number).filter((number) => !refused.has(number));
  expect(asked).toEqual(made);
  expect(answered.sort((one, other) => one - other)).toEqual(made);
  expect(robot.status.lost).toBeUndefined();
  expect(robot.status.session).toBe('resumed');
}, 120_000);

/** A call that may be refused for want of a link, and is made again then. */
async function whenOnline<T>(robot: Robot<Services>, call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isQiwayError(error) || error.code !== 'offline') throw error;
      await online(robot);
    }
  }
}

// The gateway as a person starts it: the agent's own command, services in programs of their own on both sides; and what is
// left when one of them is killed.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EmbeddedBus, type JoinedBus, joinBus, listenBus } from '../../robot-agent/qi/index.ts';
import { Collected, callMethod, failureOf, startCall, watch } from '../contract/calls.ts';
import { seen } from '../contract/contract-state.ts';
import { checkout } from '../support/checkout-copy.ts';
import { type Program, startProgram } from '../support/program.ts';

const endings: (() => Promise<unknown>)[] = [];
let agent: Program;
let inner: Program;
let outer: Program;
let robot: JoinedBus;
let tablet: JoinedBus;

async function join(url: string): Promise<JoinedBus> {
  const bus = await joinBus(url);
  endings.push(() => bus.close());
  return bus;
}

function start(path: string, args: readonly string[]): Program {
  const program = startProgram(`${checkout}/${path}`, args);
  endings.push(() => program.end());
  return program;
}

beforeEach(async () => {
  const directory = new EmbeddedBus({ machineId: 'robot', processId: 1, sessionId: 'robot' });
  const listener = await listenBus(directory, 'tcp://127.0.0.1:0');
  endings.push(
    () => directory.close(),
    () => listener.close(),
  );
  const door = ['--listen', '127.0.0.1:0', '--qi-listen', 'tcp://127.0.0.1:0', '--qi-open'];
  agent = start('robot-agent/main.ts', ['--bus', listener.url, ...door]);
  const [, qiUrl = ''] = await agent.said(/listens for qi programs.*url=(tcp:\/\/\S+)/);
  inner = start('test/qi/echo-host.ts', [listener.url, 'Inner']);
  outer = start('test/qi/echo-host.ts', [qiUrl, 'Outer']);
  await Promise.all([inner.said(/ready/), outer.said(/ready/)]);
  [robot, tablet] = await Promise.all([join(listener.url), join(qiUrl)]);
  for (const bus of [robot, tablet]) await Promise.all([seen(bus, 'Inner'), seen(bus, 'Outer')]);
});
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

test('programs on both sides use each other’s services, signals included', async () => {
  for (const bus of [robot, tablet]) {
    for (const name of ['Inner', 'Outer']) {
      const echo = await bus.service(name);
      expect(await callMethod(echo, 'echoString', `hello ${name}`)).toBe(`hello ${name}`);
      const heard = watch(echo, 'onTick');
      await heard.ready;
      await callMethod(echo, 'burst', 50);
      expect(await heard.events.count(50)).toEqual(Array.from({ length: 50 }, (_, tick) => [tick]));
      await heard.close();
    }
  }
});

test('a program that is killed takes its own services with it, on both sides, and nothing else', async () => {
  for (const [victim, gone, staying] of [
    [inner, 'Inner', 'Outer'],
    [outer, 'Outer', 'ServiceDirectory'],
  ] as const) {
    const removed = new Collected<string>();
    const stops = [robot, tablet].map((bus) => bus.listen({ serviceRemoved: ({ name }) => removed.add(name) }));
    const calls = await Promise.all(
      [robot, tablet].map(async (bus) => {
        const echo = await bus.service(gone);
        const call = startCall(echo, 'slow', 60_000);
        await callMethod(echo, 'doNothing');
        return call;
      }),
    );
    await victim.end('SIGKILL');
    for (const { outcome } of calls)
      expect(['service-gone', 'link-lost', 'call-failed']).toContain((await failureOf(outcome)).code);
    expect(await removed.count(2)).toEqual([gone, gone]);
    for (const stop of stops) stop();
    for (const bus of [robot, tablet]) {
      expect((await failureOf(bus.service(gone))).code).toBe('service-not-found');
      expect((await bus.services()).map(({ name }) => name)).toContain(staying);
    }
  }
});

test('an agent that is killed takes what was outside off the robot, and leaves the robot as it was', async () => {
  const removed = new Collected<string>();
  robot.listen({ serviceRemoved: ({ name }) => removed.add(name) });
  const closed = new Promise<void>((resolve) => {
    tablet.listen({ stateChanged: (state) => state === 'closed' && resolve() });
  });
  await agent.end('SIGKILL');
  expect(await removed.count(1)).toEqual(['Outer']);
  await closed;
  expect(await callMethod(await robot.service('Inner'), 'echoString', 'still here')).toBe('still here');
});

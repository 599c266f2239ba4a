// A computer of the robot goes, by death or by its cable, or the agent gets another address: what hangs on it goes and
// comes back, and nothing else is touched. Each robot is a network of its own, so that their waits for TCP overlap.
import { describe, expect, inject, test } from 'vitest';
import { CLIENT_KINDS } from './support/agent.ts';
import type { Program } from './support/program.ts';
import { BODY, buildRobot, INNER, type RobotLab } from './support/robot-lab.ts';

/** TCP notices within half a minute that nobody is there; each of these waits for it once. */
const TIMEOUT_MS = 180_000;
/** What a call fails with whose service ended: a qi program is told in words only. */
const SERVICE_ENDED = /\[service-gone\]|ended, or the network to it broke/;

async function withRobot(run: (robot: RobotLab) => Promise<void>): Promise<void> {
  const robot = await buildRobot();
  try {
    await run(robot);
  } finally {
    await robot.close();
  }
}

/** One call of each client on the body that is under way. */
async function slowCalls({ outside }: RobotLab, body: Program): Promise<Promise<unknown>[]> {
  const call = { service: 'Body1', method: 'slow', args: [600_000] };
  const calls = CLIENT_KINDS.map((client) => outside.ask('call', { ...call, client }));
  for (const each of calls) each.catch(() => {});
  while ((await body.ask('slowCalls', 'Body1')) !== CLIENT_KINDS.length);
  return calls;
}

/** Every client still calls the head and hears it. */
async function headGoesOn({ echo, hear }: RobotLab, text: string): Promise<void> {
  for (const client of CLIENT_KINDS) expect(await echo(client, 'Head1')).toBe(5);
  expect(await hear(text)).toEqual(CLIENT_KINDS.map(() => [text]));
}

describe.skipIf(inject('whyNoNetwork') !== '').concurrent('a robot behind an agent', { timeout: TIMEOUT_MS }, () => {
  test('whose second computer dies: calls under way fail in words, its services go, all others stay', () =>
    withRobot(async (robot) => {
      const { listed, echo, startBody, network } = robot;
      const body = await startBody();
      await listed('Body2', true);
      const calls = await slowCalls(robot, body);
      await body.kill('SIGKILL');
      for (const call of calls) await expect(call).rejects.toThrow(SERVICE_ENDED);
      await Promise.all([listed('Body1', false), listed('Body2', false)]);
      for (const client of CLIENT_KINDS)
        await expect(echo(client, 'Body1')).rejects.toThrow(/\[service-not-found\].*Body1/);
      await headGoesOn(robot, 'after the death');
      await startBody();
      await listed('Body2', true);
      for (const client of CLIENT_KINDS) expect(await echo(client, 'Body1')).toBe(5);
      expect(network.hosts.agent.socketsTo(BODY)).toBe(1);
    }));

  test('whose second computer loses its cable: the same within the time of TCP, and all is back with the cable', () =>
    withRobot(async (robot) => {
      const { listed, echo, startBody, network, outside } = robot;
      const body = await startBody();
      await listed('Body2', true);
      const calls = await slowCalls(robot, body);
      network.hosts.body.pullCable('inside');
      await headGoesOn(robot, 'after the cable');
      // From now on bytes wait to be confirmed by the body, of the agent and of the directory.
      const late = CLIENT_KINDS.map((client) => echo(client, 'Body1'));
      for (const call of late) call.catch(() => {});
      await outside.ask('host', { client: 'web', service: 'Page' });
      for (const call of [...calls, ...late]) await expect(call).rejects.toThrow(SERVICE_ENDED);
      await Promise.all([listed('Body1', false), listed('Body2', false)]);
      await headGoesOn(robot, 'without the body');
      network.hosts.body.plugCable('inside');
      await Promise.all([listed('Body1', true), listed('Body2', true)]);
      for (const client of CLIENT_KINDS) expect(await echo(client, 'Body1')).toBe(5);
    }));

  test('whose agent gets another address inside: all goes on, services of outside are inside at the new one', ({
    expect,
  }) =>
    withRobot(async (robot) => {
      const { startInside, network, outside, head, echo } = robot;
      const inside = await startInside();
      const pages = CLIENT_KINDS.map((client) => ({ client, service: `Page-${client}` }));
      for (const page of pages) await outside.ask('host', page);
      for (const { service } of pages) await inside.ask('listed', { client: 'inside', service, isThere: true });
      network.hosts.agent.changeAddress('inside', { from: INNER, to: '10.7.0.10' });
      // The directory has something to say to the old address, and learns so that nobody is there.
      await inside.ask('host', { client: 'inside', service: 'Marker' });
      await outside.ask('busIs', { client: 'web', isUp: false });
      for (const client of CLIENT_KINDS) await expect(echo(client, 'Head1')).rejects.toThrow(/bus is down/);
      await outside.ask('busIs', { client: 'web', isUp: true });
      await headGoesOn(robot, 'from the new address');
      expect(network.hosts.agent.socketsTo('10.7.0.1')).toBe(1);
      // The directory keeps what was registered from the old address until TCP gives that up; then the names are free.
      for (const { service } of pages) {
        const endpoints = async (): Promise<string[]> =>
          (await head.ask<string[]>('endpoints', service)).filter((endpoint) => endpoint.startsWith('tcp://'));
        await expect
          .poll(endpoints, { timeout: 90_000, interval: 250 })
          .toEqual([expect.stringMatching(/^tcp:\/\/10\.7\.0\.10:\d+$/)]);
        expect(await inside.ask('call', { client: 'inside', service, method: 'echoInt32', args: [6] })).toBe(6);
      }
    }));
});

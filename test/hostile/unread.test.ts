// A client that pings and does not read: it is ended at its bound.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ControlType } from '../../protocol/wire/link-frame.ts';
import { type Bystander, bystander } from './bystander.ts';
import { type AgentProcess, type ServiceProcess, startAgent, startService } from './processes.ts';
import { frame, rawSession } from './raw-link.ts';

const MEBIBYTE = 1_048_576;
let agent: AgentProcess;
let service: ServiceProcess;
let other: Bystander;
beforeAll(async () => {
  agent = await startAgent();
  service = await startService(agent.busUrl);
  other = await bystander(agent.url);
});
afterAll(async () => {
  await service.end();
  await agent.end();
});

test('pings whose pongs nobody reads', async () => {
  const before = await agent.memory();
  const link = await rawSession(agent);
  link.socket.pause();
  const pings = Array.from({ length: 20_000 }, (_, id) => frame({ type: ControlType.ping, id }));
  const ended = agent.said('reason="[limit-exceeded] The other side asks and does not read."');
  let isEnded = false;
  void ended.then(() => {
    isEnded = true;
  });
  for (let round = 0; round < 200 && !isEnded; round += 1) {
    link.send(...pings);
    await other.more(1);
  }
  expect(await ended).toContain('session ended');
  expect(await agent.memory()).toBeLessThan(before + 64 * MEBIBYTE);
  await link.cut();
}, 60_000);

test('after all that the bystander has lost nothing', async () => {
  await other.finish();
  expect([agent.isAlive, service.isAlive]).toEqual([true, true]);
});

// A program of the robot that hangs for a while: a greedy client's calls to it must not end it for everybody.
import { connect, isQiwayError } from '@qiway/sdk';
import { afterEach, expect, test } from 'vitest';
import { bystander, type TargetProxy } from './bystander.ts';
import { type Child, startAgent, startService } from './processes.ts';

const MEBIBYTE = 1_048_576;

const children: Child[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) await child.end();
});

test('calls beyond what may wait for it are refused to the client that makes them', async () => {
  const agent = await startAgent();
  const service = await startService(agent.busUrl);
  children.push(service, agent);
  const other = await bystander(agent.url);
  await other.more(5);
  const clients = await Promise.all([1, 2].map(() => connect<{ Target: TargetProxy }>(agent.url, { timeoutMs: 0 })));
  const targets = await Promise.all(clients.map((client) => client.service('Target')));
  process.kill(service.pid, 'SIGSTOP');
  const body = new Uint8Array(4 * MEBIBYTE);
  const calls = targets.flatMap((target) => Array.from({ length: 20 }, () => target.lengthOf(body)));
  const outcomes = calls.map((call) =>
    call.then(
      () => 'answered',
      (error: unknown) => (isQiwayError(error) ? error.code : String(error)),
    ),
  );
  // Together they are more than may wait for the program.
  await Promise.any(
    calls.map((call) =>
      call.then(
        () => Promise.reject(new Error('answered')),
        () => {},
      ),
    ),
  );
  process.kill(service.pid, 'SIGCONT');
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['answered', 'limit-exceeded']));
  await other.more(5);
  await other.robot.close();
  for (const client of clients) await client.close();
}, 60_000);

// Thousands of sessions come and go, half of them cut in the middle: nothing of them stays, here or on the robot.
import { connect, createObject, metaObjectOf, method } from '@qiway/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MessageType } from '../../protocol/wire/message.ts';
import { encodeValue } from '../../protocol/wire/value.ts';
import { type Bystander, bystander, type TargetProxy } from './bystander.ts';
import { type AgentProcess, type ServiceProcess, startAgent, startService } from './processes.ts';
import { frame, rawSession } from './raw-link.ts';

const SESSIONS = 2000;
/** At once: an agent lets in 128 that it does not know yet. */
const AT_ONCE = 20;

/** The first fragment of a message of a mebibyte. */
const UNFINISHED = new Uint8Array(65_540);
new DataView(UNFINISHED.buffer).setUint32(0, 1_048_576, true);

let agent: AgentProcess;
let service: ServiceProcess;
let other: Bystander;
let serviceId: number;
const action = { step: -1, thing: -1, never: -1, stepped: -1 };
beforeAll(async () => {
  agent = await startAgent();
  service = await startService(agent.busUrl);
  other = await bystander(agent.url);
  serviceId = (await other.robot.services()).find(({ name }) => name === 'Target')?.serviceId ?? -1;
  const { methods, signals } = metaObjectOf(await other.robot.service('Target'));
  for (const { name, uid } of [...methods.values(), ...signals.values()])
    if (name in action) action[name as 'step'] = uid;
});
afterAll(async () => {
  await service.end();
  await agent.end();
});

/** A page that is closed as it should be. */
async function polite(index: number): Promise<void> {
  const robot = await connect<{ Target: TargetProxy }>(agent.url);
  const target = await robot.service('Target');
  await target.stepped.connect(() => {});
  const thing = await target.thing();
  await thing.touched.connect(() => {});
  await target.keep(createObject({ show: method('(s)', 'v', () => {}) }));
  if (index % 10 === 0) await robot.host(`Page${index}`, { show: () => {} });
  target.never
    .with({ timeoutMs: 0 })()
    .catch(() => {});
  await target.step('polite', index);
  await robot.close();
}

/** A tablet that loses its network at some point of the same. */
async function cut(index: number): Promise<void> {
  const link = await rawSession(agent);
  const address = { service: serviceId, object: 1 };
  const frames = [
    frame(
      { type: MessageType.call, id: 1, ...address, action: 0 },
      encodeValue('(IIL)', [serviceId, action.stepped, 1n]),
    ),
    frame({ type: MessageType.call, id: 2, ...address, action: action.thing }),
    frame({ type: MessageType.call, id: 3, ...address, action: action.never }),
    frame({ type: MessageType.call, id: 4, ...address, action: action.step }, encodeValue('(si)', ['cut', index])),
    frame({ type: MessageType.call, id: 5, flags: 0x80, stream: 1, ...address }, UNFINISHED),
  ];
  link.send(...frames.slice(0, 1 + (index % frames.length)));
  if (index % 3 > 0) await link.answer(1);
  await link.cut();
}

async function churn(from: number, to: number): Promise<void> {
  let next = from;
  const worker = async (): Promise<void> => {
    while (next < to) {
      const index = next++;
      await (index % 2 === 0 ? polite(index) : cut(index));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** All but the bystander is forgotten. */
async function forgotten(): Promise<void> {
  await expect.poll(() => agent.metric('qiway_sessions'), { timeout: 5000 }).toBe(1);
  expect(await agent.metric('qiway_session_objects')).toBe(0);
  // A qi program is not told that an object ended which it was given: it finds out, or releases it some day.
  await service.ask('drop');
  await expect.poll(() => service.counts(), { timeout: 5000 }).toMatchObject({ subscribers: 1, things: 0, kept: 0 });
  const { nevers, cancels } = await service.counts();
  expect(cancels).toBe(nevers);
}

test(`${SESSIONS} sessions leave nothing behind`, async () => {
  await other.more(50);
  const subscriptions = await agent.metric('qiway_session_subscriptions');
  await churn(0, 200);
  await forgotten();
  const before = await agent.memory();
  await churn(200, SESSIONS);
  await forgotten();
  expect(await agent.metric('qiway_session_subscriptions')).toBe(subscriptions);
  expect((await other.robot.services()).map(({ name }) => name)).toEqual(['ServiceDirectory', 'Target']);
  expect((await service.counts()).nevers).toBeGreaterThan(SESSIONS / 2);
  await expect.poll(() => agent.memory(), { timeout: 5000 }).toBeLessThan(before * 1.2);
  await other.finish();
  await expect.poll(() => agent.metric('qiway_sessions')).toBe(0);
  await expect.poll(async () => (await service.counts()).subscribers).toBe(0);
}, 120_000);

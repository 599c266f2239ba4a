// The door for qi programs from outside: who comes in, what they are told, what they may.
import { afterEach, describe, expect, test } from 'vitest';
import type { BusObject } from '../../protocol/bus/bus.ts';
import { callObject } from '../../protocol/bus/call.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import { decodeValue, encodeValue } from '../../protocol/wire/value.ts';
import { type Agent, type AgentParts, startAgent } from '../../robot-agent/agent.ts';
import type { AgentConfig } from '../../robot-agent/config.ts';
import { createLogger } from '../../robot-agent/logger.ts';
import {
  createObject,
  EmbeddedBus,
  type JoinBusOptions,
  type JoinedBus,
  joinBus,
  listenBus,
  method,
  tokenAuthenticator,
} from '../../robot-agent/qi/index.ts';
import { ANY_PORT, agentConfig, TOKEN } from '../support/agent-config.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const withToken: JoinBusOptions = { authenticator: tokenAuthenticator({ user: 'tablet', token: TOKEN }) };

/** A robot's directory with one service, an agent that joined it, its door for qi programs. */
async function gateway(changes: Partial<AgentConfig> = {}, parts: Partial<AgentParts> = {}): Promise<Gateway> {
  const inner = new EmbeddedBus({ machineId: 'robot', processId: 1, sessionId: 'inner' });
  const listening = await listenBus(inner, 'tcp://127.0.0.1:0');
  closers.push(() => listening.close());
  await inner.host('Greeter', greeter());
  const agent = await startAgent(agentConfig({ bus: listening.url, log: 'silent', qiListen: [ANY_PORT], ...changes }), {
    logger: createLogger(() => {}, 'silent'),
    clock: systemClock,
    ...parts,
  });
  closers.push(() => agent.close());
  return { inner, agent };
}

interface Gateway {
  readonly inner: EmbeddedBus;
  readonly agent: Agent;
}

const greeter = () => createObject({ greet: method('(s)', 's', (name: string) => `hello ${name}`) });

async function join(agent: Agent, options: JoinBusOptions = withToken): Promise<JoinedBus> {
  const bus = await joinBus(agent.qiUrls[0] as string, options);
  closers.push(() => bus.close());
  return bus;
}

async function greet(object: BusObject, name: string): Promise<unknown> {
  const action = [...object.metaObject.methods.values()].find((each) => each.name === 'greet')?.uid ?? 0;
  const payload = { signature: '(s)', bytes: encodeValue('(s)', [name]), objects: [] };
  const reply = await callObject(object, { action, payload }, { clock: systemClock, timeoutMs: 5000 });
  return decodeValue(reply.signature, reply.bytes);
}

const metrics = async (agent: Agent): Promise<string> =>
  (await fetch(`${agent.origin}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })).text();

describe('a qi program from outside', () => {
  test('comes in with the token, is a session, and calls what is inside', async () => {
    const { agent } = await gateway();
    const bus = await join(agent);
    expect(await greet(await bus.service('Greeter'), 'you')).toBe('hello you');
    expect(await metrics(agent)).toMatch(/\nqiway_sessions 1\n[\s\S]*\nqiway_qi_sessions 1\n/);
  });

  test('ends its session by closing its socket, and the log does not call that a fault', async () => {
    let said = '';
    let left = (): void => {};
    const gone = new Promise<void>((resolve) => {
      left = resolve;
    });
    const write = (line: string): void => {
      said += line;
      if (line.includes('session ended')) left();
    };
    const { agent } = await gateway({}, { logger: createLogger(write, 'info') });
    const bus = await join(agent);
    await bus.close();
    await gone;
    expect(said).toMatch(/session began .*client="qi program of tablet"/);
    expect(said).toMatch(/session ended session=\w+\n/);
  });

  test('is told that every service is at the door, and nothing of the inside', async () => {
    const { agent } = await gateway();
    const bus = await join(agent);
    const [url] = agent.qiUrls;
    for (const info of await bus.services()) {
      expect(info.machineId).toBe(bus.machineId);
      expect(info.endpoints).toEqual(['qi:ServiceDirectory', 'qi:Greeter', url]);
    }
  });

  test.each([
    ['without credentials', {}, /credentials hold no token/],
    ['with a wrong token', { authenticator: tokenAuthenticator({ user: 'x', token: 'wrong' }) }, /not the one/],
  ])('%s is refused, and hears why', async (_how, options, reason) => {
    const { agent } = await gateway();
    await expect(joinBus(agent.qiUrls[0] as string, options)).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringMatching(reason),
    });
    expect(await metrics(agent)).toContain('\nqiway_sessions_refused_total 1\n');
  });

  test('comes in without credentials where the door is open', async () => {
    const { agent } = await gateway({ isQiOpen: true });
    const bus = await join(agent, {});
    expect(await greet(await bus.service('Greeter'), 'you')).toBe('hello you');
  });

  test('is refused beyond the number of sessions, whichever protocol has them', async () => {
    const { agent } = await gateway({}, { linkLimits: { maxSessions: 1 } });
    await join(agent);
    await expect(joinBus(agent.qiUrls[0] as string, withToken)).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('as many sessions as it takes'),
    });
    expect(await metrics(agent)).toContain('\nqiway_sessions_refused_total 1\n');
  });

  test('registers services inside, and they leave with it', async () => {
    const { inner, agent } = await gateway();
    const bus = await join(agent);
    const added = new Promise<void>((resolve) => {
      inner.listen({ serviceAdded: ({ name }) => name === 'Outer' && resolve() });
    });
    const removed = new Promise<void>((resolve) => {
      inner.listen({ serviceRemoved: ({ name }) => name === 'Outer' && resolve() });
    });
    await bus.host('Outer', greeter());
    await added;
    expect(await greet(await inner.service('Outer'), 'from inside')).toBe('hello from inside');
    await bus.close();
    await removed;
  });

  test("does not take others' services off the bus", async () => {
    const { agent } = await gateway();
    const owner = await join(agent);
    const { serviceId } = await owner.host('Mine', greeter());
    const other = await join(agent);
    const directory = await other.service('ServiceDirectory');
    const payload = { signature: '(I)', bytes: encodeValue('(I)', [serviceId]), objects: [] };
    await expect(
      callObject(directory, { action: 103, payload }, { clock: systemClock, timeoutMs: 5000 }),
    ).rejects.toMatchObject({ message: expect.stringContaining('registered by somebody else') });
    expect(await greet(await other.service('Mine'), 'still')).toBe('hello still');
  });
});

// The agent whole: its bus over TCP, sessions over WebSocket, HTTP; all in one process.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { method } from '../../protocol/objects/hosted-object.ts';
import type { ClientSession } from '../../protocol/session/client-session.ts';
import { systemClock } from '../../protocol/transport/system-clock.ts';
import { type Agent, type AgentParts, startAgent } from '../../robot-agent/agent.ts';
import type { AgentConfig } from '../../robot-agent/config.ts';
import { createLogger, type Logger } from '../../robot-agent/logger.ts';
import { createObject, EmbeddedBus, joinBus, listenBus } from '../../robot-agent/qi/index.ts';
import { callMethod } from '../contract/calls.ts';
import { agentConfig, TOKEN } from '../support/agent-config.ts';
import { openAgentSession } from '../support/dial-agent.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const bearer = { authorization: `Bearer ${TOKEN}` };

/** A logger whose lines can be waited for. */
function listeningLogger(): Logger & { said(part: string): Promise<string> } {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const write = (sentence: string): void => {
    lines.push(sentence);
    for (const look of [...waiting]) look();
  };
  const said = (part: string): Promise<string> =>
    new Promise((resolve) => {
      const look = (): void => {
        const index = lines.findIndex((line) => line.includes(part));
        if (index < 0) return;
        waiting.delete(look);
        resolve(lines.splice(index, 1)[0] as string);
      };
      waiting.add(look);
      look();
    });
  return { debug: write, info: write, warn: write, error: write, said };
}

async function start(changes: Partial<AgentConfig> = {}, parts: Partial<AgentParts> = {}): Promise<Agent> {
  const config: AgentConfig = agentConfig({ log: 'info', ...changes });
  const agent = await startAgent(config, { logger: listeningLogger(), clock: systemClock, ...parts });
  closers.push(() => agent.close());
  return agent;
}

async function session(agent: Agent, token = TOKEN): Promise<ClientSession> {
  const opened = await openAgentSession(agent.origin, { token });
  closers.push(() => opened.close());
  return opened;
}

const greeter = () => createObject({ greet: method('(s)', 's', (name: string) => `hello ${name}`) });

async function greet(agent: Agent, name = 'Greeter'): Promise<{ status: number; json: unknown }> {
  const response = await fetch(`${agent.origin}/robot/services/${name}/greet`, {
    method: 'POST',
    headers: bearer,
    body: '["you"]',
  });
  return { status: response.status, json: await response.json() };
}

describe('as the service directory', () => {
  test('a service of another program is called over HTTP and seen by sessions', async () => {
    const agent = await start();
    expect(agent.url).toBe(`${agent.origin}/#token=${TOKEN}&robot=${agent.robotId}`);
    const robot = await joinBus(agent.busUrl);
    closers.push(() => robot.close());
    await robot.host('Greeter', greeter());
    expect(await greet(agent)).toEqual({ status: 200, json: { result: 'hello you' } });
    const client = await session(agent);
    expect((await client.services()).map(({ name }) => name)).toEqual(['ServiceDirectory', 'Greeter']);
  });

  test('a service of a session is called over HTTP, and gone with it', async () => {
    const logger = listeningLogger();
    const agent = await start({}, { logger });
    const client = await session(agent);
    await client.host('Page', greeter());
    expect(await greet(agent, 'Page')).toEqual({ status: 200, json: { result: 'hello you' } });
    await client.close();
    await logger.said('session ended');
    expect((await greet(agent, 'Page')).status).toBe(404);
  });
});

test('what a session holds is in the metrics, and gone with it', async () => {
  const logger = listeningLogger();
  const agent = await start({}, { logger });
  const metrics = async (): Promise<string> => (await fetch(`${agent.origin}/metrics`, { headers: bearer })).text();
  const client = await session(agent);
  const directory = await client.service('ServiceDirectory');
  const before = Number(/^qiway_session_subscriptions (\d+)$/m.exec(await metrics())?.[1]);
  // traceObject: nobody else listens to it.
  await directory.subscribe(86, { event: () => {}, gone: () => {} }).ready;
  expect(await metrics()).toContain(`\nqiway_session_subscriptions ${before + 1}\n`);
  expect(await metrics()).toContain('\nqiway_sessions 1\n');
  await client.close();
  await logger.said('session ended');
  expect(await metrics()).toContain('\nqiway_session_subscriptions 0\n');
});

describe('joined to a directory', () => {
  async function robotBus(
    url = 'tcp://127.0.0.1:0',
  ): Promise<{ url: string; bus: EmbeddedBus; close(): Promise<void> }> {
    const bus = new EmbeddedBus({ machineId: 'robot', processId: 2, sessionId: 'robot' });
    const listening = await listenBus(bus, url);
    const close = async (): Promise<void> => {
      await listening.close();
      await bus.close();
    };
    return { url: listening.url, bus, close };
  }

  test('its services are there when the agent is ready', async () => {
    const robot = await robotBus();
    closers.push(robot.close);
    await robot.bus.host('Greeter', greeter());
    const agent = await start({ bus: robot.url });
    expect(await greet(agent)).toEqual({ status: 200, json: { result: 'hello you' } });
  });

  test('a bus that goes is told as down, one that comes back is joined again', async () => {
    const logger = listeningLogger();
    const robot = await robotBus();
    await robot.bus.host('Greeter', greeter());
    const agent = await start({ bus: robot.url }, { logger });
    const client = await session(agent);
    await robot.close();
    await logger.said('the robot bus is down');
    expect(await (await fetch(`${agent.origin}/healthz`)).json()).toEqual({ status: 'ok', bus: 'down' });
    expect(await greet(agent)).toMatchObject({ status: 503, json: { code: 'bus-down' } });
    const again = await robotBus(robot.url);
    closers.push(again.close);
    await again.bus.host('Greeter', greeter());
    await logger.said('the robot bus is up');
    await logger.said('the robot bus is up');
    expect(client.state).toBe('up');
    await expect.poll(() => greet(agent)).toEqual({ status: 200, json: { result: 'hello you' } });
  });
});

describe('refuses', () => {
  test('a port in use, with a sentence, and gives back what it had taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    closers.push(() => new Promise((resolve) => other.close(resolve)));
    const { port } = other.address() as { port: number };
    await expect(start({ listen: { host: '127.0.0.1', port } })).rejects.toMatchObject({
      code: 'listen-failed',
      message: `[listen-failed] The agent cannot listen on 127.0.0.1:${port}: port ${port} is in use; choose another with --listen, or port 0 for any free one.`,
    });
    await expect(start({ busListen: `tcp://127.0.0.1:${port}` })).rejects.toMatchObject({ code: 'listen-failed' });
  });

  test('an address of another machine', async () => {
    await expect(start({ listen: { host: '192.0.2.1', port: 0 } })).rejects.toMatchObject({
      code: 'listen-failed',
      message: expect.stringContaining('192.0.2.1 is not an address of this machine'),
    });
  });

  test('a directory that is not there', async () => {
    await expect(start({ web: '/nonexistent/web' })).rejects.toMatchObject({
      code: 'config-invalid',
      data: { key: 'web' },
    });
  });

  test('a session with a wrong token', async () => {
    const agent = await start();
    await expect(session(agent, 'wrong')).rejects.toMatchObject({ code: 'unauthorized' });
  });

  test('more sessions than it takes', async () => {
    const agent = await start({}, { linkLimits: { maxSessions: 1 } });
    await session(agent);
    await expect(session(agent)).rejects.toMatchObject({ code: 'dial-failed' });
  });
});

describe('closing', () => {
  test('tells sessions and event streams, and gives back the ports', async () => {
    const agent = await start();
    await agent.bus.host('Greeter', greeter());
    const client = await session(agent);
    await agent.bus.host('Stuck', createObject({ forever: method('()', 'v', () => new Promise(() => {})) }));
    const under = callMethod(await client.service('Stuck'), 'forever');
    under.catch(() => {});
    const events = await fetch(`${agent.origin}/robot/services/ServiceDirectory/serviceAdded`, {
      headers: { ...bearer, accept: 'text/event-stream' },
    });
    const text = events.text();
    await agent.close();
    expect(await text).toContain('"code":"closed"');
    // It looks for the agent again, and goes on with a new session when there is one.
    expect([client.sessionState, client.loss?.calls]).toEqual(['offline', 1]);
    // The platform may ask over a connection that it has kept.
    expect(client.reason?.code).toMatch(/^(closed|dial-failed)$/);
    await expect(under).rejects.toMatchObject({ code: 'link-lost', maybeExecuted: true });
    const { port } = new URL(agent.origin);
    const server = createServer().listen(Number(port), '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await expect(joinBus(agent.busUrl)).rejects.toMatchObject({ code: 'bus-down' });
  });

  test('tells its operator, once each, whom it refused for Host or Origin and how to let them in', async () => {
    const lines: string[] = [];
    const agent = await start({}, { logger: createLogger((line) => lines.push(line), 'warn') });
    const ask = async (origin: string): Promise<number> =>
      (await fetch(`${agent.origin}/robot/services`, { headers: { ...bearer, origin } })).status;
    const statuses = [await ask('http://a.example'), await ask('http://a.example'), await ask('http://b.example')];
    for (let count = 0; count < 60; count++) await ask(`http://c${count}.example`);
    expect(statuses).toEqual([403, 403, 403]);
    expect(lines).toHaveLength(50);
    expect(lines[0]).toContain('start it with --allow-origin http://a.example if they should');
    expect(lines[1]).toContain('http://b.example');
  });

  test('does not wait for clients that do not answer', async () => {
    const agent = await start();
    await agent.bus.host('Stuck', createObject({ forever: method('()', 'v', () => new Promise(() => {})) }));
    const call = fetch(`${agent.origin}/robot/services/Stuck/forever`, { method: 'POST', headers: bearer }).catch(
      (error: Error) => error.name,
    );
    await expect
      .poll(async () =>
        (await (await fetch(`${agent.origin}/metrics`, { headers: bearer })).text()).includes(
          'qiway_http_calls_total 1',
        ),
      )
      .toBe(true);
    await agent.close();
    expect(await call).toBe('TypeError');
  });
});

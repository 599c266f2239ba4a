// A robot of two computers behind an agent, and a client of each kind outside: what the tests of failures break.
import { type AgentPlace, CLIENT_KINDS, startAgent, TOKEN } from './agent.ts';
import { buildNetwork, type Network } from './network.ts';
import type { Program } from './program.ts';

export const HEAD = '10.7.0.1';
export const BODY = '10.7.0.2';
export const INNER = '10.7.0.9';
export const DIRECTORY: string = `tcp://${HEAD}:9559`;
const OUTER = '192.0.2.9';
/** More than it takes to notice that a cable was pulled. */
const CALL_TIMEOUT_MS = 80_000;

export interface RobotLab {
  readonly network: Network<'head' | 'body' | 'agent' | 'outside'>;
  readonly agent: AgentPlace;
  /** The directory, with `Head1`. */
  readonly head: Program;
  /** Its clients are named by their kinds, and hear `Head1.onEcho`. */
  readonly outside: Program;
  /** A program of the body with `Body1` and `Body2`. */
  startBody(): Promise<Program>;
  /** A client on the head, of the robot's own bus, named `inside`. */
  startInside(): Promise<Program>;
  /** Resolves once every client outside lists the service, or does not. */
  listed(service: string, isThere: boolean): Promise<void>;
  echo(client: string, service: string): Promise<unknown>;
  /** Has `Head1` emit `text`; what each client heard by then that equals it. */
  hear(text: string): Promise<string[][]>;
  close(): Promise<void>;
}

export async function buildRobot(): Promise<RobotLab> {
  const network: RobotLab['network'] = buildNetwork({
    head: { inside: HEAD },
    body: { inside: BODY },
    agent: { inside: INNER, outside: OUTER },
    outside: { outside: '192.0.2.20' },
  });
  const { hosts } = network;
  const [head, agent, outside] = await Promise.all([
    hosts.head.run('./robot-program.ts', { directory: DIRECTORY, services: ['Head1'] }),
    startAgent(hosts.agent, { bus: DIRECTORY, door: OUTER }),
    hosts.outside.run('./client-program.ts', {}),
  ]);
  const listed = async (service: string, isThere: boolean): Promise<void> => {
    await Promise.all(CLIENT_KINDS.map((client) => outside.ask('listed', { client, service, isThere })));
  };
  const echo = (client: string, service: string): Promise<unknown> =>
    outside.ask('call', { client, service, method: 'echoInt32', args: [5] });
  for (const kind of CLIENT_KINDS)
    await outside.ask('open', { as: kind, kind, url: agent.urls[kind], token: TOKEN, timeoutMs: CALL_TIMEOUT_MS });
  await listed('Head1', true);
  for (const client of CLIENT_KINDS) await outside.ask('subscribe', { client, service: 'Head1', signal: 'onEcho' });
  return {
    network,
    agent,
    head,
    outside,
    listed,
    echo,
    startBody: () => hosts.body.run('./robot-program.ts', { join: DIRECTORY, services: ['Body1', 'Body2'] }),
    startInside: async () => {
      const inside = await hosts.head.run('./client-program.ts', {});
      await inside.ask('open', { as: 'inside', kind: 'qi', url: DIRECTORY });
      return inside;
    },
    hear: async (text) => {
      await head.ask('emit', { name: 'Head1', text });
      const target = { service: 'Head1', signal: 'onEcho', last: text };
      const heard = await Promise.all(
        CLIENT_KINDS.map((client) => outside.ask<string[]>('heard', { ...target, client })),
      );
      return heard.map((events) => events.filter((event) => event === text));
    },
    close: () => network.close(),
  };
}

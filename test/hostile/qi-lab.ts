// What tests of hostile qi traffic aim at: an agent that is the directory, with doors for qi programs, and a program with a
// port of its own; beside them three who must not notice: a page, a program outside, a program of the robot.
import { Dynamic, joinBus, remoteServices, tokenAuthenticator } from '@qiway/robot-agent/qi';
import { expect } from 'vitest';
import { MessageType } from '../../protocol/wire/message.ts';
import { encodeValue } from '../../protocol/wire/value.ts';
import { type RawClient, type Received, rawClient } from '../qi/raw-client.ts';
import { selfSigned } from '../qi/tls-certificates.ts';
import { bystander, type TargetProxy, type Worker, worker } from './bystander.ts';
import { type AgentProcess, type ServiceProcess, startAgent, startService, TOKEN } from './processes.ts';

export type PortName = 'directory' | 'host' | 'door' | 'secureDoor';
export const PORT_NAMES: readonly PortName[] = ['directory', 'host', 'door', 'secureDoor'];
/** Attackers come from here: what is counted by address is not that of the others. */
const ELSEWHERE = '127.0.0.66';
/** Bytes by which memory may differ when nothing is held any more. */
const SLACK_BYTES = 33_554_432;

export interface Address {
  readonly service: number;
  readonly object?: number;
  readonly action: number;
}

/** An attacker that was let in. */
export interface Intruder extends RawClient {
  call(address: Address, payload?: Uint8Array, flags?: number): Promise<Received>;
  /** Everything sent before was taken: answers come in order. */
  taken(): Promise<void>;
}

export interface QiLab {
  readonly agent: AgentProcess;
  readonly service: ServiceProcess;
  readonly urls: Readonly<Record<PortName, string>>;
  /** Of `Target` at the doors; the same at every port, unless the robot has a directory of its own. */
  readonly targetId: number;
  /** Members of `Target` by name. */
  readonly members: Readonly<Record<string, number>>;
  /** A socket on which nothing was said. */
  stranger(port: PortName): Promise<RawClient>;
  intruder(port: PortName): Promise<Intruder>;
  /** The others got some more answers. */
  calm(): Promise<void>;
  /** Memory of agent and program is as it was before the attacks. */
  memoryIsBack(): Promise<void>;
  /** The others lost nothing, and nobody is left. */
  finish(): Promise<void>;
  end(): Promise<void>;
}

/** Announces what libqi 4 does; with the token, where one is wanted. */
export const CREDENTIALS: Uint8Array = encodeValue('{sm}', {
  ...Object.fromEntries(
    ['ClientServerSocket', 'MessageFlags', 'ObjectPtrUID', 'RelativeEndpointURI', 'RemoteCancelableCalls'].map(
      (key) => [key, new Dynamic('b', true)],
    ),
  ),
  auth_token: new Dynamic('s', TOKEN),
});
export const AUTHENTICATE: Address & { readonly id: number; readonly type: number; readonly object: number } = {
  id: 2,
  type: MessageType.call,
  service: 0,
  object: 0,
  action: 8,
};

const ANSWERS: ReadonlySet<number> = new Set([MessageType.reply, MessageType.error, MessageType.canceled]);

/** The robot has a directory of its own, which the agent joins, at another URL perhaps. */
export interface RobotOfLab {
  readonly directory: string;
  readonly joinAt: string;
}

export async function startQiLab(robot?: RobotOfLab): Promise<QiLab> {
  const early = robot === undefined ? undefined : await startService(robot.directory);
  const agent = await startAgent(robot?.joinAt, {
    qiListen: ['tcp://127.0.0.1:0', 'tcps://127.0.0.1:0'],
    tls: await selfSigned('127.0.0.1'),
  });
  const directory = robot?.directory ?? agent.busUrl;
  const service = early ?? (await startService(directory));
  const inside = await joinBus(directory);
  const [door = '', secureDoor = ''] = agent.qiUrls;
  const outside = await joinBus(door, { authenticator: tokenAuthenticator({ user: 'nao', token: TOKEN }) });
  const workers: Worker[] = [await bystander(agent.url, 'page')];
  for (const [name, bus] of Object.entries({ inside, outside }))
    workers.push(await worker(await remoteServices<{ Target: TargetProxy }>(bus).service('Target'), name));
  const target = await inside.service('Target');
  const { methods, signals } = target.metaObject;
  const members = Object.fromEntries([...methods.values(), ...signals.values()].map(({ name, uid }) => [name, uid]));
  const { serviceId: targetId } = await outside.serviceInfo('Target');
  const { endpoints } = await inside.serviceInfo('Target');
  const host = endpoints.find((endpoint) => endpoint.startsWith('tcp://')) ?? '';
  const urls = { directory, host, door, secureDoor };
  const calm = async (): Promise<void> => {
    await Promise.all(workers.map(({ more }) => more(10)));
    expect([agent.isAlive, service.isAlive]).toEqual([true, true]);
  };
  await Promise.all(workers.map(({ more }) => more(50)));
  const memory = async (): Promise<readonly [number, number]> => [
    await agent.memory(),
    (await service.ask('memory')) as number,
  ];
  const before = await memory();
  const intruder = async (port: PortName): Promise<Intruder> => {
    const client = await rawClient(urls[port], ELSEWHERE);
    let nextId = 3_000_000;
    const answer = (of: number): Promise<Received> =>
      client.take(({ header: { id, type } }) => id === of && ANSWERS.has(type));
    const call: Intruder['call'] = (address, payload, flags = 0) => {
      const id = nextId++;
      client.send({ object: 1, ...address, id, type: MessageType.call, flags }, payload);
      return answer(id);
    };
    client.send(AUTHENTICATE, CREDENTIALS);
    expect((await answer(AUTHENTICATE.id)).header.type).toBe(MessageType.reply);
    return { ...client, call, taken: async () => void (await call({ service: 999_999, action: 100 })) };
  };
  return {
    agent,
    service,
    urls,
    targetId,
    members,
    stranger: (port) => rawClient(urls[port], ELSEWHERE),
    intruder,
    calm,
    memoryIsBack: () =>
      expect
        .poll(async () => (await memory()).map((bytes, index) => bytes - (before[index] ?? 0) < SLACK_BYTES), {
          timeout: 15_000,
          interval: 200,
        })
        .toEqual([true, true]),
    finish: async () => {
      for (const { finish } of workers) await finish();
      await Promise.all([inside.close(), outside.close()]);
      await expect.poll(() => agent.metric('qiway_sessions')).toBe(0);
      await expect.poll(async () => (await service.counts()).subscribers).toBe(0);
      await expect.poll(async () => (await service.counts()).things).toBe(0);
    },
    end: async () => {
      await service.end();
      await agent.end();
    },
  };
}

// A client of the robot as the tests of the network use it: the SDK over a WebSocket, or a qi program. Both do the same.
import { type BusObject, joinBus, type ServiceInfo, tokenAuthenticator } from '@qiway/robot-agent/qi';
import { connect, type LooseMembers, type RemoteObject, type Signal } from '@qiway/sdk';
import { callMethod, watch } from '../../contract/calls.ts';
import { createEchoService } from '../../support/echo-service.ts';

export interface Client {
  infos(): Promise<readonly ServiceInfo[]>;
  call(service: string, method: string, args: readonly unknown[]): Promise<unknown>;
  /** Resolves once the robot confirmed. */
  subscribe(service: string, signal: string, onEvent: (argument: unknown) => void): Promise<void>;
  /** Hosts an Echo. */
  host(name: string): Promise<void>;
  /** Gets a counter from one service, and has the other add to it and hear of it; what the counter came to. */
  handOn(from: string, to: string): Promise<number>;
  /** As the agent says; a qi program is not told. */
  isBusUp(): boolean;
  /** Services came or went, or the bus did. */
  onChange(look: () => void): void;
  close(): Promise<void>;
}

export interface ClientSpec {
  readonly kind: 'web' | 'qi';
  readonly url: string;
  readonly token?: string;
  readonly machineId?: string;
  /** For opening a socket, and for an answer; default: less than a test waits. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 15_000;

export function openClient(spec: ClientSpec): Promise<Client> {
  return spec.kind === 'web' ? webClient(spec) : qiClient(spec);
}

type Method = (...args: unknown[]) => Promise<unknown>;

async function webClient({ url, timeoutMs = TIMEOUT_MS }: ClientSpec): Promise<Client> {
  const robot = await connect(url, { timeoutMs });
  const member = async (service: string, name: string): Promise<unknown> =>
    ((await robot.service(service)) as unknown as Record<string, unknown>)[name];
  const call = async (service: string, method: string, args: readonly unknown[]): Promise<unknown> =>
    ((await member(service, method)) as Method)(...args);
  return {
    infos: () => robot.services(),
    call,
    subscribe: async (service, signal, onEvent) => {
      await ((await member(service, signal)) as Signal<[unknown]>).connect(onEvent);
    },
    host: async (name) => void (await robot.host(name, createEchoService().object)),
    handOn: async (from, to) => {
      const counter = (await call(from, 'makeCounter', [10])) as RemoteObject<LooseMembers>;
      await call(to, 'subscribeOf', [counter, 'changed']);
      const sum = (await call(to, 'callObject', [counter, 'increment', 5])) as number;
      counter.release();
      return sum;
    },
    isBusUp: () => robot.status.bus === 'up',
    onChange: (look) => {
      robot.onServiceChange(look);
      robot.onStatusChange(look);
    },
    close: () => robot.close(),
  };
}

async function qiClient({ url, token, machineId, timeoutMs = TIMEOUT_MS }: ClientSpec): Promise<Client> {
  const bus = await joinBus(url, {
    timeoutMs,
    ...(token === undefined ? {} : { authenticator: tokenAuthenticator({ user: 'tester', token }) }),
    ...(machineId === undefined ? {} : { machineId }),
  });
  const using = async <T>(service: string, use: (object: BusObject) => Promise<T>): Promise<T> => {
    const object = await bus.service(service);
    try {
      return await use(object);
    } finally {
      object.release();
    }
  };
  const call = (service: string, method: string, args: readonly unknown[]): Promise<unknown> =>
    using(service, (object) => callMethod(object, method, ...args));
  return {
    infos: () => bus.services(),
    call,
    subscribe: async (service, signal, onEvent) => {
      const { ready, events } = watch(await bus.service(service), signal);
      await ready;
      const pass = (): boolean => {
        for (const event of events.all.splice(0)) onEvent((event as unknown[])[0]);
        return false;
      };
      void events.until(pass);
    },
    host: async (name) => void (await bus.host(name, createEchoService().object)),
    handOn: async (from, to) => {
      const counter = (await call(from, 'makeCounter', [10])) as BusObject;
      await call(to, 'subscribeOf', [counter, 'changed']);
      const sum = (await call(to, 'callObject', [counter, 'increment', 5])) as number;
      counter.release();
      return sum;
    },
    isBusUp: () => {
      throw new Error('qi messaging has no word for it');
    },
    onChange: (look) => void bus.listen({ serviceAdded: look, serviceRemoved: look, stateChanged: () => look() }),
    close: () => bus.close(),
  };
}

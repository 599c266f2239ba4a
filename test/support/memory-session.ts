// An embedded bus served to clients over transports in memory: everything but sockets, and the handshake.
import { serving } from '@qiway/protocol/bus/serving';
import { EmbeddedBus } from '@qiway/protocol/directory/embedded-bus';
import {
  type ClientSession,
  type ClientSessionOptions,
  type Dial,
  openSession,
} from '@qiway/protocol/session/client-session';
import type { ServerSession } from '@qiway/protocol/session/server-session';
import { SessionHost, type SessionHostOptions } from '@qiway/protocol/session/session-host';
import type { Transport } from '@qiway/protocol/session/transport';
import { memoryTransports } from '@qiway/protocol/transport/memory';
import { type VirtualClock, virtualClock } from './virtual-clock.ts';

export const TOKEN = 'right';

export function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}

export function embeddedBus(): EmbeddedBus {
  return new EmbeddedBus({ machineId: 'machine', processId: 1, sessionId: 'session' });
}

export interface MemoryDoor {
  readonly clock: VirtualClock;
  readonly bus: EmbeddedBus;
  /** Takes the clients in; put another one here, and the agent was started again. */
  host: SessionHost;
  /** In the order in which they began, ended ones too. */
  readonly serverSessions: ServerSession[];
  readonly hostOptions: SessionHostOptions;
  /** Called with each transport that a client dials; may put another in its place. */
  onDial: (transport: Transport) => Transport;
  /** Links made so far. */
  readonly dials: { count: number };
  /** The way of a client, whose identity is `clientId`. */
  dialAs(clientId: string): Dial;
  open(changes?: Partial<ClientSessionOptions>): Promise<ClientSession>;
}

export function memoryDoor(changes: Partial<SessionHostOptions> = {}): MemoryDoor {
  const clock = virtualClock();
  const bus = embeddedBus();
  const serverSessions: ServerSession[] = [];
  const hostOptions: SessionHostOptions = {
    bus,
    clock,
    random: randomBytes,
    schedule: queueMicrotask,
    isTokenRight: (token) => token === TOKEN,
    agent: { name: 'test', version: '0' },
    epoch: 'epoch',
    told: () => ({ bus: 'up' }),
    onOpen: (session) => serverSessions.push(session),
    ...changes,
  };
  const dials = { count: 0 };
  const door: MemoryDoor = {
    clock,
    bus,
    host: new SessionHost(hostOptions),
    serverSessions,
    hostOptions,
    onDial: (transport) => transport,
    dials,
    dialAs:
      (clientId) =>
      async ({ hello }) => {
        dials.count += 1;
        const [ours, theirs] = memoryTransports();
        const transport = door.onDial(ours);
        door.host.accept(theirs, { hello: hello(), clientId, address: 'memory' });
        return {
          transport,
          robot: { id: 'robot', staticKey: new Uint8Array(32) },
          address: 'memory',
          isSealed: false,
        };
      },
    open: (given) =>
      openSession({
        dial: door.dialAs('client'),
        token: TOKEN,
        clock,
        random: randomBytes,
        client: 'test',
        timeoutMs: 10_000,
        serving,
        ...given,
      }),
  };
  return door;
}
